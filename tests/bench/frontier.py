#!/usr/bin/env python3
"""Turns what quality.py measured into a table (frontier.md) and a plot (frontier.svg).

    frontier.py OUT/points.json [--to FOLDER]

Intervals are 95 %, from values with groups of generated images left out (delete-group jackknife): ways share noise and references, so their
differences are known better than each by itself. Tuning, references, training and timing are taken as they are. Gains: what full depth
pays for the same quality, over what the way pays; between its points full depth's KID follows a power of the cost.
"""

import argparse
import json
import math
import pathlib

COLOURS = {"full depth": "#444444", "one depth": "#b58900", "schedule": "#268bd2", "adaptive": "#d33682", "adaptive, paired": "#dc322f",
           "one threshold": "#6c71c4", "true excess": "#859900", "absolute": "#cb4b16"}
WAYS = {"full depth": "full depth", "one depth": "one depth for all", "schedule": "schedule of depths",
        "adaptive": "adaptive per sample", "adaptive, paired": "adaptive, by the paired error", "one threshold": "adaptive, one threshold",
        "true excess": "true excess, same steps and tilt",
        "absolute": "the paper's absolute error"}


def base_way(way):
    return way.replace(" + guide", "")


def shown_way(way):
    name = WAYS[base_way(way)] + (" + guide" if way.endswith("+ guide") else "")
    return f"**{name}**" if way == "adaptive + guide" else name


def kid(point, group=None):
    groups = point["found"]["kid_groups"]
    return groups["all"] if group is None else groups["without_group"][group]


def cost(point):
    return point["found"]["full_evaluations"]


def psnr(point):
    return -10 * math.log10(point["mse"]) if point["mse"] > 0 else math.inf


def student_t(freedom):
    """What Student's t exceeds with probability 0.025: the normal quantile, corrected (Abramowitz & Stegun 1964, 26.7.5)."""
    z, n = 1.959963984540054, freedom
    terms = [(z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384]
    return z + sum(term / n ** (power + 1) for power, term in enumerate(terms))


def interval(differences):
    """Half the width of the 95 % interval from leave-one-group-out values."""
    count, mean = len(differences), sum(differences) / len(differences)
    return student_t(count - 1) * math.sqrt((count - 1) / count * sum((d - mean) ** 2 for d in differences))


def decay(point, group=None):
    """Of KID, in nepers; a straight line over the logarithm of the cost is then a power law."""
    return -math.log(max(kid(point, group), 1e-7))


def full_cost_of(value, full, quantity, quality):
    """What full depth pays for this quality, which rises with cost: straight lines between its points in the logarithm of the cost; None
    outside of them."""
    pairs = sorted((quantity(p), quality(p)) for p in full)
    for (c0, q0), (c1, q1) in zip(pairs, pairs[1:]):
        if q0 <= value <= q1:
            return math.exp(math.log(c0) + (value - q0) / (q1 - q0) * (math.log(c1) - math.log(c0)))
    return None


def gain(point, full, quantity, quality):
    """How many times more full depth pays for the same quality; None where its curve does not reach it."""
    paid = full_cost_of(quality(point), full, quantity, quality)
    return None if paid is None else paid / quantity(point)


def shown_gain(point, full, quantity, quality):
    """The gain, or the bound that the end of full depth's curve gives."""
    ratio = gain(point, full, quantity, quality)
    if ratio is not None:
        return f"{ratio:.2f}"
    best, worst = max(full, key=quality), min(full, key=quality)
    is_better = quality(point) > quality(best)
    return f"> {quantity(best) / quantity(point):.2f}" if is_better else f"< {quantity(worst) / quantity(point):.2f}"


def gain_interval(point, full, groups):
    """In compute by KID, from values with groups of images left out."""
    found = [gain(point, full, cost, lambda p, g=g: decay(p, g)) for g in range(groups)]
    ratio = gain(point, full, cost, decay)
    if ratio is None or None in found:
        return shown_gain(point, full, cost, decay)
    if kid(point) <= 0:
        return f"{ratio:.2f}, KID below 0"  # no power law reaches it; the cost at which full depth's does
    half = interval([math.log(value) for value in found])
    return f"{ratio:.2f} ({ratio * math.exp(-half):.2f} .. {ratio * math.exp(half):.2f})"


def milliseconds(point, batch):
    return f"{point[f'ms_{batch}']:.1f}" if f"ms_{batch}" in point else ""


def gains(point, full, groups):
    if point["way"] == "full depth":
        return [""] * 4
    in_time = [shown_gain(point, full, lambda p, b=b: p[f"ms_{b}"], decay) if f"ms_{b}" in point else "" for b in (64, 1)]
    return [gain_interval(point, full, groups), *in_time, shown_gain(point, full, cost, psnr)]


def table(points, solver, groups):
    rows = sorted((p for p in points if p["solver"] == solver), key=lambda p: (p["way"] != "full depth", p["budget"], cost(p)))
    full = [p for p in rows if p["way"] == "full depth"]
    heads = ["budget", "way", "steps", "cost", "KID × 1000", "Fréchet", "precision", "recall", "class agreement", "texture Fréchet",
             "total variation", "PSNR to 50 steps, dB", "spread of exits", "ms per image, batch 64", "batch 1", "gain in compute",
             "in time, 64", "in time, 1", "gain by PSNR"]
    cells = []
    for p in rows:
        found, texture = p["found"], p["found"].get("texture", {})
        cells.append(["" if p["way"] == "full depth" else p["budget"], shown_way(p["way"]), found["steps"], f"{cost(p):.2f}",
                      f"{1000 * kid(p):.2f}", f"{found['frechet']:.3f}", f"{found['precision']:.3f}", f"{found['recall']:.3f}",
                      known(found, "class_agreement"), known(texture, "frechet", 4), known(texture, "total_variation_ratio"),
                      f"{psnr(p):.1f}", f"{found['exit_spread']:.2f}", milliseconds(p, 64), milliseconds(p, 1), *gains(p, full, groups)])
    return [f"{solver}:", "", *without_empty_columns(heads, cells), ""] + ahead(rows, groups)


def without_empty_columns(heads, rows):
    """Lines of a table; what was not measured has no column."""
    shown = [i for i in range(len(heads)) if any(row[i] != "" for row in rows)]
    line = lambda cells: "| " + " | ".join(str(cells[i]) for i in shown) + " |"
    return [line(heads), "|" + "---|" * len(shown)] + [line(row) for row in rows]


def known(found, key, digits=3):
    return f"{found[key]:.{digits}f}" if found.get(key) is not None else ""


def ahead(rows, groups):
    """Leaving per sample against the ways that treat all samples alike, and guided ways against the same ways without a guide."""
    lines = []
    for budget in sorted({p["budget"] for p in rows}):
        way = {p["way"]: p for p in rows if p["budget"] == budget}
        pairs = [("adaptive" + guide, other + guide) for guide in ("", " + guide") for other in ("one depth", "schedule")]
        pairs += [("adaptive + guide", "full depth + guide")]
        pairs += [(w + " + guide", w) for w in ("full depth", "one depth", "schedule", "adaptive")]
        for first, second in pairs:
            if first not in way or second not in way:
                continue
            a, s = way[first], way[second]
            half = interval([kid(a, g) - kid(s, g) for g in range(groups)])
            lines.append(f"- Budget {budget}: {first} minus {second} {1000 * (kid(a) - kid(s)):+.2f} ± {1000 * half:.2f} in KID × 1000, "
                         f"{a['found']['frechet'] - s['found']['frechet']:+.3f} in Fréchet distance, "
                         f"{a['found']['recall'] - s['found']['recall']:+.3f} in recall; they cost {cost(a):.2f} and {cost(s):.2f}.")
    return lines + [""]


class Panel:
    """One plot with a logarithmic x axis."""

    WIDTH, HEIGHT, LEFT, TOP = 400, 280, 60, 40

    def __init__(self, column, row, title, x_name, y_name, curves):
        self.x0, self.y0 = 20 + column * 490 + self.LEFT, row * 380 + self.TOP
        self.title, self.x_name, self.y_name, self.curves = title, x_name, y_name, curves
        xs = [x for points in curves.values() for x, _ in points] or [1]  # nothing is drawn where nothing was measured
        ys = [y for points in curves.values() for _, y in points] or [0]
        self.x_range = (math.log(min(xs) / 1.1), math.log(max(xs) * 1.1))
        margin = 0.05 * (max(ys) - min(ys) or 1)
        self.y_range = (min(ys) - margin, max(ys) + margin)

    def place(self, x, y):
        across = (math.log(x) - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return self.x0 + across * self.WIDTH, self.y0 + (1 - up) * self.HEIGHT

    @staticmethod
    def ticks(low, high, count):
        step = 10 ** math.floor(math.log10((high - low) / count))
        step = next(step * m for m in (1, 2, 5, 10, 20) if (high - low) / (step * m) <= count)
        return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]

    def svg(self):
        x1, y1 = self.x0 + self.WIDTH, self.y0 + self.HEIGHT
        out = [f'<text x="{self.x0}" y="{self.y0 - 12}" font-weight="bold">{self.title}</text>',
               f'<rect x="{self.x0}" y="{self.y0}" width="{self.WIDTH}" height="{self.HEIGHT}" fill="none" stroke="#999"/>',
               f'<text x="{(self.x0 + x1) / 2}" y="{y1 + 36}" text-anchor="middle">{self.x_name}</text>',
               f'<text transform="translate({self.x0 - 44},{(self.y0 + y1) / 2}) rotate(-90)" text-anchor="middle">{self.y_name}</text>']
        for x in self.ticks(math.exp(self.x_range[0]), math.exp(self.x_range[1]), 7):
            if x > 0:
                px = self.place(x, self.y_range[0])[0]
                out.append(f'<path d="M{px:.1f} {y1}v5" stroke="#999"/><text x="{px:.1f}" y="{y1 + 19}" text-anchor="middle">{x:g}</text>')
        for y in self.ticks(*self.y_range, 6):
            py = self.place(math.exp(self.x_range[0]), y)[1]
            out += [f'<path d="M{self.x0} {py:.1f}h{self.WIDTH}" stroke="#eee"/>',
                    f'<text x="{self.x0 - 6}" y="{py + 4:.1f}" text-anchor="end">{y:g}</text>']
        for way, points in self.curves.items():
            places = [self.place(*point) for point in sorted(points)]
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
            dashes = ' stroke-dasharray="6 4"' if way.endswith("+ guide") else ""
            out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[base_way(way)]}" stroke-width="2"{dashes}/>')
            out += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" fill="{COLOURS[base_way(way)]}"/>' for px, py in places]
        return out


def curves(points, solver, x, y):
    found = {}
    for p in points:
        if p["solver"] == solver and x(p) is not None:
            found.setdefault(p["way"], []).append((x(p), y(p)))
    return found


def below_twice_the_others(found):
    """Without full depth's points where it is more than twice as bad as any other way: they would press all else to the floor."""
    others = [y for way, points in found.items() if base_way(way) != "full depth" for _, y in points]
    return {way: [(x, y) for x, y in points if not others or y <= 2 * max(others)] for way, points in found.items()}


def plot(points):
    solvers = list(dict.fromkeys(p["solver"] for p in points))
    panels = []
    for row, solver in enumerate(solvers):
        kid_1000 = lambda p: 1000 * kid(p)
        kinds = [("KID against compute", "full evaluations per image", "KID × 1000",
                  below_twice_the_others(curves(points, solver, cost, kid_1000))),
                 ("KID against time, batch 64", "ms per image", "KID × 1000",
                  below_twice_the_others(curves(points, solver, lambda p: p.get("ms_64"), kid_1000))),
                 ("nearness to 50 full steps", "full evaluations per image", "PSNR, dB", curves(points, solver, cost, psnr))]
        measured = [kind for kind in kinds if kind[3]]
        panels += [Panel(column, row, f"{solver}: {title}", *rest) for column, (title, *rest) in enumerate(measured)]
    ways = list(dict.fromkeys(base_way(p["way"]) for p in points))
    width, height = max([180 * len(ways) + 320] + [panel.x0 + Panel.WIDTH + 40 for panel in panels]), 380 * len(solvers) + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for panel in panels:
        out += panel.svg() if panel.curves else []
    for i, way in enumerate(ways):
        out += [f'<circle cx="{80 + 180 * i}" cy="{height - 18}" r="5" fill="{COLOURS[base_way(way)]}"/>',
                f'<text x="{92 + 180 * i}" y="{height - 13}">{way}</text>']
    out.append(f'<text x="{width - 300}" y="{height - 13}">dashed: the same with a guide</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("points", help="what quality.py wrote")
    parser.add_argument("--to", help="folder for table and plot; default: beside the points")
    arguments = parser.parse_args()
    source = pathlib.Path(arguments.points)
    study, folder = json.loads(source.read_text(encoding="utf-8")), pathlib.Path(arguments.to or source.parent)
    solvers = dict.fromkeys(p["solver"] for p in study["points"])
    lines = [line for solver in solvers for line in table(study["points"], solver, study["groups"])]
    (folder / "frontier.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "frontier.svg").write_text(plot(study["points"]), encoding="utf-8")
    print(folder / "frontier.md", folder / "frontier.svg")


if __name__ == "__main__":
    main()
