#!/usr/bin/env python3
"""What is a guide? Measures guided runs over steps, depths, weights and times, beside guidance by label, and writes tables.

    guide_study.py build/release/bin/adadiff OUT [--tables depth steps] [--seeds 0 1 2] [--jobs 2]

If a guide mends the solver's error, the best weight goes to 1 as steps grow; if the network's, it stays; if it narrows the distribution,
recall falls. Answers are kept in OUT, so that an interrupted study goes on. Numbers are means over the seeds of noise; the interval of KID
is 95 % over groups of images left out, put together over the seeds.
"""

import argparse
import concurrent.futures
import json
import math
import pathlib

from answers import Answers
from frontier import interval

GROUPS = 20
WEIGHTS = [1, 1.4, 1.8, 2.5, 3.5]


def leave_at(exit_, blocks):
    return ["always" if k == exit_ else "never" for k in range(blocks)]


class Study:
    def __init__(self, arguments):
        self.arguments, self.out = arguments, pathlib.Path(arguments.out)
        self.ask = Answers(arguments.adadiff, arguments.out)
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

    def add(self, table, label, solver, steps, plan, guidance=1):
        """A row: its plan is run with every seed."""
        name = f"{table}-{label}-{solver}-{steps}".replace(" ", "-").replace(",", "")
        self.rows.append({"table": table, "label": label, "solver": solver, "steps": steps, "name": name, "plan": self.plan(name, plan),
                          "guidance": guidance})

    # The tables.
    def steps(self):
        """Full depth: over steps and weights, guided from nearby and from far away."""
        for solver in self.arguments.solvers:
            for steps in (3, 4, 6, 10, 20, 50):
                for before in (2, 5):
                    for weight in WEIGHTS[:3] if steps == 50 else WEIGHTS:
                        if weight == 1 and before != 2:
                            continue
                        guide = {} if weight == 1 else {"guide": {"before": before, "weight": weight}}
                        self.add("steps", f"exit {self.blocks - before}, w {weight}" if weight != 1 else "no guide", solver, steps, guide)

    def depth(self):
        """Everybody leaves at one exit: over steps and weights."""
        below = leave_at(5, self.blocks)
        for solver in self.arguments.solvers:
            for steps in (6, 12, 24):
                for guide_exit in (2, 3, 4):
                    for weight in (1, 1.4, 1.8, 2.2, 2.8):
                        if weight == 1 and guide_exit != 2:
                            continue
                        guide = {} if weight == 1 else {"guide": {"exit": guide_exit, "weight": weight}}
                        label = f"exit 5, guide {guide_exit}, w {weight}" if weight != 1 else "exit 5, no guide"
                        self.add("depth", label, solver, steps, {"below": below} | guide)

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

    def measure(self, row, seed):
        a = self.arguments
        return self.ask(f"{row['name']}-{seed}", "evaluate", a.model, "--class", "all", "--guidance", row["guidance"], "--solver",
                        row["solver"], "--steps", row["steps"], "--plan", row["plan"], "--samples", a.samples, "--seed", seed,
                        "--paired", 0, "--reference", self.reference(), "--groups", GROUPS, "--subsets", 1, "--threads", 1)

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
            cells.append("" if None in values else f"{sum(values) / len(values):.3f}")
        return "| " + " | ".join(map(str, cells)) + " |"

    def report(self):
        for table in self.arguments.tables:
            print(f"{table}: {getattr(self, table).__doc__}\n")
            print("| way | solver | steps | cost | KID × 1000 | Fréchet | precision | recall | class agreement | texture Fréchet | "
                  "total variation |")
            print("|" + "---|" * 11)
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
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--solvers", nargs="+", default=["ddim", "dpmpp-2m"])
    parser.add_argument("--tables", nargs="+", default=["steps", "depth", "times", "labels"])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, of one thread each")
    study = Study(parser.parse_args())
    study.run()
    study.report()


if __name__ == "__main__":
    main()
