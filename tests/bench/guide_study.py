#!/usr/bin/env python3
"""What is a guide? Measures guided runs over steps, depths, weights and times, beside other ways to extrapolate, and writes tables.

    guide_study.py build/release/bin/adadiff OUT [--tables depth steps] [--seeds 0 1 2] [--jobs 2]

If a guide mends the solver's error, the best weight goes to 1 as steps grow; if the network's, it stays; if it narrows the distribution,
recall falls. (guide_direction asks the first two directly.) Answers are kept in OUT, so that an interrupted study goes on. Numbers are
means over the seeds of noise; the interval of KID is 95 % over groups of images left out, put together over the seeds. The table of rivals
needs the program guide_rivals and a model with an earlier, weaker state of its training.
"""

import argparse
import concurrent.futures
import json
import math
import pathlib

from answers import Answers
from frontier import interval
from quality import mean_square, read_pixels

GROUPS = 20
MANY_STEPS = 50  # what images are compared with, by the same solver from the same noise


def leave_at(exit_, blocks):
    return ["always" if k == exit_ else "never" for k in range(blocks)]


class Study:
    def __init__(self, arguments):
        self.arguments, self.out = arguments, pathlib.Path(arguments.out)
        self.ask, self.ask_rival = Answers(arguments.adadiff, arguments.out), Answers(arguments.rivals, arguments.out)
        self.blocks = self.ask("info", "info", arguments.model)["blocks"]
        self.rows = []

    def reference(self):
        path, a = self.out / "reference.npz", self.arguments
        self.ask("reference", "evaluate", a.model, "--samples", 2, "--steps", 1, "--paired", 0, "--reference", a.reference,
                 "--save-reference", path, writes=[path])
        return path

    def plan(self, name, plan):
        path = self.out / (name + ".plan.json")
        path.write_text(json.dumps({"format": 1} | plan), encoding="utf-8")
        return path

    def add(self, table, label, solver, steps, plan, guidance=1, model=None, rival=None):
        """A row: its plan, or the rival's command, is run with every seed. Without a model it is the study's."""
        name = f"{table}-{label}-{solver}-{steps}".replace(" ", "-").replace(",", "")
        self.rows.append({"table": table, "label": label, "solver": solver, "steps": steps, "name": name, "plan": self.plan(name, plan),
                          "guidance": guidance, "model": model, "rival": rival})

    # The tables.
    def steps(self):
        """Full depth: over steps and weights, guided by the exit two before the end and, at 6 and 20 steps, by the one five before it."""
        for solver in self.arguments.solvers:
            for steps in (3, 4, 6, 10, 20, MANY_STEPS):
                self.add("steps", "no guide", solver, steps, {})
                for before in (2, 5) if steps in (6, 20) else (2,):
                    for weight in (1.4,) if steps == MANY_STEPS else (1.4, 1.8, 2.5):
                        self.add("steps", f"exit {self.blocks - before}, w {weight}", solver, steps,
                                 {"guide": {"before": before, "weight": weight}})

    def depth(self):
        """Everybody leaves at exit 5: over steps and weights, guided by exit 3."""
        below = leave_at(5, self.blocks)
        for steps in (6, 12, 24):
            self.add("depth", "no guide", "dpmpp-2m", steps, {"below": below})
            for weight in (1.4, 1.8, 2.2, 2.8):
                self.add("depth", f"w {weight}", "dpmpp-2m", steps, {"below": below, "guide": {"exit": 3, "weight": weight}})

    def times(self):
        """The same cost, guided in some of the evaluations only."""
        below, steps, weight = leave_at(5, self.blocks), 6, 2.2
        rising = [1.2, 1.5, 1.9, 2.3, 2.7, 3.2]
        weights = {"none": [1] * 6, "all": [weight] * 6, "rising": rising, "falling": rising[::-1]}
        for k in range(1, steps):
            weights[f"first {k}"] = [weight if i < k else 1 for i in range(steps)]
            weights[f"last {k}"] = [weight if i >= steps - k else 1 for i in range(steps)]
        for label, of_evaluation in weights.items():
            rules = [{"below": below} | ({} if w == 1 else {"guide": {"before": 3, "weight": w}}) for w in of_evaluation]
            self.add("times", label, "dpmpp-2m", steps, {"key": "evaluation", "rules": rules})

    def labels(self):
        """Guidance by label, which costs twice as much per evaluation, beside a guide and together with it. Costs are in single passes."""
        below = leave_at(5, self.blocks)
        for guidance, steps in ((1, 6), (1.25, 3), (1.25, 6), (1.5, 3)):
            for plan, depth in (({}, "full depth"), ({"below": below}, "exit 5")):
                for guide in (None, {"before": 2, "weight": 1.8}):
                    label = f"{depth}, label weight {guidance}" + (f", guide 2 before, w {guide['weight']}" if guide else "")
                    at_cost = steps if depth == "full depth" else 2 * steps
                    self.add("labels", label, "dpmpp-2m", at_cost, plan | ({"guide": guide} if guide else {}), guidance)

    def rivals(self):
        """Ways to extrapolate that cost more than a head, at full depth of a model whose training has an earlier state, by weight."""
        a = self.arguments
        for weight in (1, 1.4, 1.8, 2.5):
            guide = {"guide": {"before": 2, "weight": weight}} if weight != 1 else {}
            for steps in (3, 6):
                label = f"exit 2 before as a guide, w {weight}" if guide else "no guide"
                self.add("rivals", label, "dpmpp-2m", steps, guide, model=a.strong)
            if weight == 1:
                continue
            common = ["--solver", "dpmpp-2m", "--weight", weight]
            self.add("rivals", f"autoguidance, w {weight}", "dpmpp-2m", 3, {}, model=a.strong,
                     rival=["autoguidance", a.strong, "--weak", a.weak, "--steps", 3, *common])
            self.add("rivals", f"beyond 2 steps, w {weight}", "dpmpp-2m", 4, {}, model=a.strong,
                     rival=["extrapolation", a.strong, "--coarse", 2, "--steps", 4, *common])

    def sharpening(self):
        """The thresholds of the model's default plan without its guide, finished images sharpened by a fixed filter instead."""
        a, plan = self.arguments, self.ask("info", "info", self.arguments.model)["default_plan"]
        guide, solver = plan["guide"], plan["solver"]
        self.add("sharpening", "default plan", solver["name"], solver["steps"], {"below": plan["below"], "guide": guide})
        for weight in (1, 1.25, 1.5, 2):
            path = self.plan("sharpening", {"below": plan["below"]})
            label = f"no guide, sharpened, w {weight}" if weight != 1 else "no guide"
            self.add("sharpening", label, solver["name"], solver["steps"], {}, rival=[
                "sharpening", a.model, "--plan", path, "--solver", solver["name"], "--steps", solver["steps"], "--weight", weight])

    def measure(self, row, seed):
        a, images, name = self.arguments, self.images(row, seed), f"{row['name']}-{seed}"
        common = ["--samples", a.samples, "--seed", seed, "--reference", self.reference(), "--references", a.references]
        if row["rival"]:
            return self.ask_rival(name, row["rival"][0], *row["rival"][1:], *common)
        written = ["--images", images] if images else []
        return self.ask(name, "evaluate", row["model"] or a.model, "--class", "all", "--guidance", row["guidance"], "--solver",
                        row["solver"], "--steps", row["steps"], "--plan", row["plan"], *common, "--paired", 0, "--groups", GROUPS,
                        "--subsets", 1, "--threads", 1, *written, writes=[images] if images else [])

    def images(self, row, seed):
        """Where a row's images go that are compared with those of many steps."""
        return self.out / f"{row['name']}-{seed}.npy" if row["table"] in ("steps", "depth") else None

    def psnr(self, row):
        """To MANY_STEPS full steps from the same noise, over all seeds; None for tables that are not compared."""
        if row["table"] not in ("steps", "depth"):
            return None
        truth = row | {"name": f"steps-no-guide-{row['solver']}-{MANY_STEPS}", "table": "steps", "steps": MANY_STEPS}
        truth["plan"] = self.plan(truth["name"], {})
        error = 0
        for seed in self.arguments.seeds:
            self.measure(truth, seed)
            error += mean_square(read_pixels(self.images(row, seed)), read_pixels(self.images(truth, seed)))
        return -10 * math.log10(error / len(self.arguments.seeds)) if error > 0 else math.inf

    def run(self):
        for table in self.arguments.tables:
            getattr(self, table)()
        self.reference()
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            tasks = [(row, seed) for seed in self.arguments.seeds for row in self.rows]
            for (row, _), found in zip(tasks, pool.map(lambda task: self.measure(*task), tasks)):
                row.setdefault("found", []).append(found)

    def line(self, row):
        mean = lambda key: sum(found[key] for found in row["found"]) / len(row["found"])
        kid = sum(found["kid_groups"]["all"] for found in row["found"]) / len(row["found"])
        half = math.sqrt(sum(interval(found["kid_groups"]["without_group"])**2 for found in row["found"])) / len(row["found"])
        passes = 1 if row["guidance"] == 1 else 2
        cells = [row["label"], row["solver"], row["steps"], f"{passes * mean('full_evaluations'):.2f}",
                 f"{1000 * kid:.2f} ± {1000 * half:.2f}", f"{mean('frechet'):.3f}", f"{mean('precision'):.3f}", f"{mean('recall'):.3f}",
                 f"{mean('class_agreement'):.3f}"]
        for key in ("frechet", "total_variation_ratio"):
            values = [found.get("texture", {}).get(key) for found in row["found"]]
            cells.append("" if None in values else f"{sum(values) / len(values):.4f}")
        psnr = self.psnr(row)
        cells.append("" if psnr is None else f"{psnr:.1f}")
        return "| " + " | ".join(map(str, cells)) + " |"

    def report(self):
        for table in self.arguments.tables:
            print(f"{table}: {getattr(self, table).__doc__}\n")
            print("| way | solver | steps | cost | KID × 1000 | Fréchet | precision | recall | class agreement | texture Fréchet | "
                  "total variation | PSNR to 50 steps, dB |")
            print("|" + "---|" * 12)
            for row in self.rows:
                if row["table"] == table:
                    print(self.line(row))
            print()


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("out", help="folder for plans and answers")
    parser.add_argument("--model", default=str(root / "examples/models/fashion-mnist.safetensors"))
    parser.add_argument("--reference", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", help="real images")
    parser.add_argument("--references", type=int, default=10000, help="at most so many of them")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--solvers", nargs="+", default=["ddim", "dpmpp-2m"])
    parser.add_argument("--tables", nargs="+", default=["steps", "depth", "times", "labels"],
                        help="also: rivals, sharpening")
    parser.add_argument("--rivals", default=str(root / "build/bench/bin/guide_rivals"), help="the program of the table of rivals")
    parser.add_argument("--strong", help="model of the table of rivals")
    parser.add_argument("--weak", help="the same with less training")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, of one thread each")
    arguments = parser.parse_args()
    if "rivals" in arguments.tables and not (arguments.strong and arguments.weak):
        parser.error("the table of rivals needs --strong and --weak")
    study = Study(arguments)
    study.run()
    study.report()


if __name__ == "__main__":
    main()
