#!/usr/bin/env python3
"""Does early exit pay? Measures quality against compute and time for ways to spend a budget, at the same noise.

    quality.py build/release/bin/adadiff OUT [--quick] [--model FILE]

Ways: full depth with fewer steps; one depth for all; the best schedule of depths over the steps, fitted to the mean excess on other noise
under bars with and without a tilt over the steps, or one depth; adaptive per sample, and the same with one threshold for all times; the
adaptive steps and tilt with the true excess as score; the paper's absolute error as score under one threshold, for which the UEMs of the
same network are trained anew, and nothing else of it (--absolute-steps; 0 leaves this way out). Steps and depth of each way are chosen for
each budget by the paired error on noise of their own (--tuning-seed); all ways fill the budget by what blocks really cost.
Every answer is kept in OUT, so that an interrupted run goes on; frontier.py writes the table and the plot.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

from answers import Answers, content

BUDGETS = [3, 4, 6, 10]
FULL_STEPS = [4, 6, 10, 14]  # the last one beyond the budgets: gains are read from full depth's curve
MOST_STEPS_BEYOND = 6  # the budget
TILTS = [0.5, 1, 2, 4, 8, 16]  # of schedules: what the last step's bar is of the first one's
REFERENCE_STEPS = 50
TOLERANCE = 1.001  # of budgets
GROUPS = 20


def read_pixels(path):
    """Bytes of a uint8 .npy."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[8:10], "little") if raw[6] == 1 else int.from_bytes(raw[8:12], "little")
    return raw[(10 if raw[6] == 1 else 12) + length:]


def mean_square(first, second):
    """Of 8-bit images, in units of the range squared."""
    return sum((a - b) * (a - b) for a, b in zip(first, second, strict=True)) / len(first) / 255**2


def ramp(tilt, step, steps):
    """1 in the middle, the last step's value `tilt` times the first one's."""
    return tilt ** (step / max(steps - 1, 1) - 0.5)


def write_ramp(path, threshold, tilt, steps):
    """A plan with one threshold per evaluation."""
    rules = [{"below": min(1, float(f"{threshold * ramp(tilt, i, steps):.4g}"))} for i in range(steps)]
    path.write_text(json.dumps({"format": 1, "key": "evaluation", "rules": rules}), encoding="utf-8")
    return path


class Study:
    def __init__(self, arguments):
        self.run, self.out = Answers(arguments.adadiff, arguments.out), pathlib.Path(arguments.out)
        self.arguments, self.points = arguments, []
        self.has_classes = self.run("info", "info", arguments.model)["classes"] > 0
        guidance = [] if arguments.guidance is None else ["--guidance", arguments.guidance]
        self.common = (["--class", "all"] if self.has_classes else []) + guidance

    # One point: quality and cost.
    def measure(self, way, solver, budget, name, model, *depth):
        images = self.out / (name + ".npy")
        a = self.arguments
        found = self.run(name, "evaluate", model, *self.common, "--solver", solver, *depth, "--samples", a.samples, "--seed", a.seed,
                         "--paired", 0, "--reference", self.reference(), *self.features(), "--groups", GROUPS, "--subsets", 1, "--images",
                         images, writes=[images])
        self.points.append({"way": way, "solver": solver, "budget": budget, "name": name, "model": str(model),
                            "depth": list(map(str, depth)), "ideal": "ideal" in depth,
                            "mse": mean_square(read_pixels(images), read_pixels(self.truth(solver))),
                            "found": found})

    def features(self):
        return ["--features", self.arguments.features] if self.arguments.features else []

    def reference(self):
        path, a = self.out / "reference.npz", self.arguments
        self.run("reference", "evaluate", a.model, "--samples", 2, "--steps", 1, "--paired", 0, "--reference", a.reference, "--references",
                 a.references, *self.features(), "--save-reference", path, writes=[path])
        return path

    def draw(self, name, solver, count, seed, *depth):
        """Images of the model as a file, and what the program says of them."""
        images = self.out / (name + ".npy")
        found = self.run(name, "sample", self.arguments.model, *self.common, "--solver", solver, *depth, "--count", count, "--seed", seed,
                         "--images", images, writes=[images])
        return images, found

    def truth(self, solver):
        a = self.arguments
        return self.draw(f"truth-{solver}", solver, a.samples, a.seed, "--full-depth", "--steps", REFERENCE_STEPS)[0]

    # Trials on other noise, judged by the paired error to the same noise's 50 full steps.
    def trial(self, name, solver, steps, plan):
        a = self.arguments
        images, found = self.draw(name, solver, a.tuning_samples, a.tuning_seed, "--steps", steps, "--plan", plan)
        truth, _ = self.draw(f"tuning-truth-{solver}", solver, a.tuning_samples, a.tuning_seed, "--full-depth", "--steps", REFERENCE_STEPS)
        return found["evaluations"] * (1 - found["compute_skipped"]), mean_square(read_pixels(images), read_pixels(truth))

    def write_plan(self, name, exits, blocks):
        """Evaluation i runs exits[i] blocks."""
        always, never = "always", "never"
        rules = [{"below": [always if k == e and e < blocks else never for k in range(blocks)]} for e in exits]
        path = self.out / (name + ".plan.json")
        path.write_text(json.dumps({"format": 1, "key": "evaluation", "rules": rules}), encoding="utf-8")
        return path

    def best_plan(self, solver, budget, plans):
        """The pair of steps and plan with the smallest paired error whose cost meets the budget."""
        best = None
        for steps, exits in plans:
            name = f"trial-{solver}-{steps}-" + "".join(format(e, "x") for e in exits)
            plan = self.write_plan(name, exits, self.blocks)
            paid, error = self.trial(name, solver, steps, plan)
            if paid <= budget * TOLERANCE and (best is None or error < best[0]):
                best = (error, steps, plan)
        return best

    def costs(self):
        """Of an evaluation that runs k blocks, in full ones: [0] to [blocks]."""
        plans = [self.write_plan(f"cost-{k}", [k], self.blocks) for k in range(1, self.blocks + 1)]
        paid = [self.run(f"cost-{k + 1}", "sample", self.arguments.model, "--count", 1, "--steps", 1, "--plan", plan)["compute_skipped"]
                for k, plan in enumerate(plans)]
        return [0.0] + [1 - skipped for skipped in paid]

    def step_range(self, budget):
        return range(budget, budget + MOST_STEPS_BEYOND + 1)

    def one_depth_plans(self, budget):
        deepest = lambda steps: max((k for k in range(1, self.blocks + 1) if steps * self.cost[k] <= budget * TOLERANCE), default=0)
        return [(n, [deepest(n)] * n) for n in self.step_range(budget) if deepest(n) > 0]

    def fixed(self, solver, budget):
        best = self.best_plan(solver, budget, self.one_depth_plans(budget))
        self.measure("one depth", solver, budget, f"fixed-{solver}-{budget}", self.arguments.model, "--steps", best[1], "--plan", best[2])

    def excess(self, solver, steps):
        a = self.arguments
        found = self.run(f"excess-{solver}-{steps}", "evaluate", a.model, *self.common, "--solver", solver, "--steps", steps,
                         "--full-depth", "--samples", a.tuning_samples, "--seed", a.tuning_seed, "--paired", a.tuning_samples)
        return [row["exits"] for row in found["paired"]["predictions"]]  # [evaluation][exit - 1]

    def schedule(self, solver, budget):
        plans = self.one_depth_plans(budget)
        for steps in self.step_range(budget):
            excess = self.excess(solver, steps)
            for tilt in TILTS:
                exits = self.fitted([[value / ramp(tilt, i, steps) for value in row] for i, row in enumerate(excess)], budget)
                if exits is not None and (steps, exits) not in plans:
                    plans.append((steps, exits))
        best = self.best_plan(solver, budget, plans)
        self.measure("schedule", solver, budget, f"schedule-{solver}-{budget}", self.arguments.model, "--steps", best[1], "--plan", best[2])

    def fitted(self, excess, budget):
        """The depths under the lowest bar on the excess that the budget pays for; None where one block a step is too much."""
        for bar in sorted({0.0, *(value for row in excess for value in row)}):
            exits = [next(k + 1 for k, value in enumerate(row) if value <= bar) for row in excess]
            if sum(self.cost[e] for e in exits) <= budget * TOLERANCE:
                return self.filled(exits, excess, budget)
        return None

    def filled(self, exits, excess, budget):
        """Spends what is left of the budget where the excess is largest."""
        exits = list(exits)
        while True:
            left = budget * TOLERANCE - sum(self.cost[e] for e in exits)
            deeper = [i for i, e in enumerate(exits) if e < self.blocks and self.cost[e + 1] - self.cost[e] <= left]
            if not deeper:
                return exits
            exits[max(deeper, key=lambda i: excess[i][exits[i] - 1])] += 1

    def tuned(self, way, solver, budget, model, *flags):
        """What `adadiff tune` makes of the budget: its best trial."""
        plan, a = self.out / f"{way}-{solver}-{budget}.plan.json", self.arguments
        found = self.run(f"tune-{way}-{solver}-{budget}", "tune", model, *self.common, "--solver", solver, "--budget", budget, "-o", plan,
                         "--samples", a.tuning_samples, "--seed", a.tuning_seed, "--reference-steps", REFERENCE_STEPS, "--most-steps",
                         budget + MOST_STEPS_BEYOND, *flags, writes=[plan])
        self.measure(way, solver, budget, f"{way}-{solver}-{budget}", model, "--plan", plan)
        return found["best"]

    def absolute_model(self):
        a = self.arguments
        path = self.out / f"absolute-{content(a.model)[:12]}-{a.absolute_steps}.safetensors"
        unfinished = path.with_stem(path.stem + "-unfinished")
        if not path.exists():
            resume = ["--resume"] if unfinished.with_name(unfinished.name + ".checkpoint").exists() else []
            images = ["--images", a.images] if a.images else []
            subprocess.run([a.adadiff, "train", "--from", a.model, "--trained", "exits", "--target", "truth", "--beta", "0",
                            "--weight-decay", "0", "--steps", str(a.absolute_steps), "--threads", str(a.threads),
                            "-o", unfinished] + images + resume, check=True,
                           stdout=subprocess.DEVNULL)
            unfinished.rename(path)
        return str(path)

    def true_excess(self, solver, budget, best):
        """True scores at the steps and the tilt that the learned ones chose: no ceiling, since another rule may be better."""
        low, high, steps = 1e-3, 1.0, best["steps"]
        path = lambda threshold: self.out / f"ideal-{solver}-{budget}-{threshold}.plan.json"
        write = lambda threshold: write_ramp(path(threshold), threshold, best["tilt"], steps)
        for _ in range(10):
            threshold = float(f"{(low * high) ** 0.5:.4g}")  # thresholds matter by their ratio
            found = self.run(f"trial-ideal-{solver}-{budget}-{threshold}", "evaluate", self.arguments.model, *self.common,
                             "--solver", solver, "--steps", steps, "--plan", write(threshold), "--scores", "ideal",
                             "--samples", self.arguments.tuning_samples, "--seed", self.arguments.tuning_seed, "--paired", 0)
            low, high = (threshold, high) if found["full_evaluations"] > budget else (low, threshold)
        self.measure("true excess", solver, budget, f"ideal-{solver}-{budget}", self.arguments.model, "--steps", steps,
                     "--plan", write(high), "--scores", "ideal")

    def measure_solver(self, solver):
        for steps in self.arguments.full_steps:
            self.measure("full depth", solver, steps, f"full-{solver}-{steps}", self.arguments.model, "--full-depth", "--steps", steps)
        for budget in self.arguments.budgets:
            best = self.tuned("adaptive", solver, budget, self.arguments.model)
            self.fixed(solver, budget)
            self.schedule(solver, budget)
            if not self.arguments.quick:
                self.tuned("one threshold", solver, budget, self.arguments.model, "--one-threshold")
                self.true_excess(solver, budget, best)
            if self.arguments.absolute_steps > 0:
                self.tuned("absolute", solver, budget, self.absolute_model(), "--one-threshold")

    def time(self):
        """Median wall time of every way that exists, in turn, so that a busy spell hits all of them."""
        a, rows = self.arguments, [p for p in self.points if not p["ideal"]]
        for batch, count in ((64, a.timed_images), (1, a.timed_singles)):
            for round_ in range(a.rounds):
                for p in rows:
                    found = self.run(f"time-{batch}-{round_}-{p['name']}", "sample", p["model"], *self.common, "--solver", p["solver"],
                                     *p["depth"], "--count", count, "--batch", batch, "--threads", a.threads)
                    p.setdefault(f"ms_{batch}", []).append(found["wall_ms"] / count)
        for p in rows:
            for batch in (64, 1):
                p[f"ms_{batch}"] = statistics.median(p[f"ms_{batch}"])

    def measure_all(self):
        self.blocks = self.run("model", "sample", self.arguments.model, "--count", 1, "--steps", 1)["blocks"]
        self.cost = self.costs()
        for solver in self.arguments.solvers:
            self.measure_solver(solver)
        self.time()
        path = self.out / "points.json"
        study = {"samples": self.arguments.samples, "groups": GROUPS, "points": self.points}
        path.write_text(json.dumps(study, indent=1), encoding="utf-8")
        print(path)


def parse_arguments():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("out", help="folder for plans, images and answers")
    parser.add_argument("--model", default=str(root / "examples/models/fashion-mnist.safetensors"))
    parser.add_argument("--absolute-steps", type=int, default=1500, help="of training UEMs on the absolute error; 0: leave that way out")
    parser.add_argument("--reference", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", help="real images")
    parser.add_argument("--references", type=int, default=10000)
    parser.add_argument("--features", help="what sees images: a classifier of train-classifier, or TorchScript; default: the bundled one")
    parser.add_argument("--images", help="what the model was trained on, for the UEMs of the absolute error; default: Fashion-MNIST")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tuning-samples", type=int, default=200)
    parser.add_argument("--tuning-seed", type=int, default=1)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--full-steps", type=int, nargs="+", default=FULL_STEPS)
    parser.add_argument("--solvers", nargs="+", default=["ddim", "dpmpp-2m"])
    parser.add_argument("--guidance", type=float, help="1: one network pass per evaluation; default: the model's")
    parser.add_argument("--rounds", type=int, default=5, help="of timing")
    parser.add_argument("--timed-images", type=int, default=64)
    parser.add_argument("--timed-singles", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true",
                        help="DDIM without guidance, one budget, 500 images, fewer ways: a first look in minutes")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.solvers, arguments.budgets, arguments.full_steps, arguments.guidance = ["ddim"], [6], [4, 6, 13], 1
        arguments.samples, arguments.tuning_samples, arguments.rounds, arguments.absolute_steps = 500, 40, 3, 0
    return arguments


if __name__ == "__main__":
    Study(parse_arguments()).measure_all()
