#!/usr/bin/env python3
"""Do early exit and guides pay? Measures quality against compute and time for ways to spend a budget, at the same noise.

    quality.py build/release/bin/adadiff OUT [--quick] [--model FILE] [--ways "full depth" "full depth + guide" ...]

Ways: full depth with fewer steps; one depth for all; a schedule of depths over the steps, fitted to the mean excess on other noise under a
bar with a tilt over the steps; adaptive per sample. Each of them without and with a guide. What is free in a way (steps, depth, tilt, the
guide's place and weight) is chosen for each budget by a descent that makes KID small on noise of its own (--tuning-seed) and keeps the
recall of plain full depth at that cost; adaptive is what `adadiff tune --objective kid` finds by the same rule.
More ways by name, chosen by the paired error to 50 full steps: one threshold for all times; the true excess as score; the paper's absolute
error as score, for which the UEMs of the same network are trained anew (--absolute-steps).
Every answer is kept in OUT, so that an interrupted run goes on; frontier.py writes the table and the plot.
"""

import argparse
import json
import pathlib
import statistics
import subprocess

from answers import Answers, content
from descent import Descent, Trial

BUDGETS = [2, 3, 4, 6, 10]
FULL_STEPS = [2, 3, 4, 6, 10, 14, 30]  # the last ones beyond the budgets: gains are read from full depth's curve
ALL_WAYS = ["full depth + guide", "one depth", "one depth + guide", "schedule", "schedule + guide", "adaptive", "adaptive + guide",
            "one threshold", "true excess", "absolute"]
MOST_STEPS_BEYOND = 6  # the budget
TILTS = [0.5, 1, 2, 4, 8, 16]  # of schedules: what the last step's bar is of the first one's
REFERENCE_STEPS = 50
SLACK = 1.003  # of budgets: a guide costs full depth one head more
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

    # Trials on other noise.
    def judge(self, name, solver, steps, plan):
        """What evaluate says of a plan on the tuning noise."""
        a = self.arguments
        return self.run(name, "evaluate", a.model, *self.common, "--solver", solver, "--steps", steps, "--plan", plan, "--samples",
                        a.tuning_samples, "--seed", a.tuning_seed, "--paired", 0, "--reference", self.reference(), "--references",
                        a.tuning_references, *self.features(), "--groups", 10, "--subsets", 1)

    def write_plan(self, name, exits, blocks, guide=None):
        """Evaluation i runs exits[i] blocks; no exits: full depth. guide: (exit, weight) or None."""
        always, never = "always", "never"
        rules = [{"below": [always if k == e and e < blocks else never for k in range(blocks)]} for e in exits]
        if guide:
            for rule in rules or [{}]:
                rule["guide"] = {"exit": guide[0], "weight": guide[1]}
        plan = {"format": 1, "key": "evaluation", "rules": rules} if rules else {"format": 1}
        if guide and not rules:
            plan["guide"] = {"exit": guide[0], "weight": guide[1]}
        path = self.out / (name + ".plan.json")
        path.write_text(json.dumps(plan), encoding="utf-8")
        return path

    def descent(self, way, solver, budget, exits_of, start, bounds):
        """The best choice of a way: exits_of turns its free numbers into (steps, exits), or None where the budget does not pay for them. A
        guided way has two numbers more: the exit that guides, and the notch of the weight."""
        is_guided = way.endswith("+ guide")
        full = self.write_plan("full", [], self.blocks)
        plain = self.judge(f"plain-{solver}-{budget}", solver, budget, full)  # keeps the floor by definition

        def plan_of(choice):
            found = exits_of(choice[:len(start)])
            guide = (choice[-2], Descent.weight(choice[-1])) if is_guided else None
            name = f"trial-{way.replace(' + guide', '')}-{solver}-{budget}-" + "-".join(map(str, choice)) + ("-guided" if is_guided else "")
            return found and (name.replace(" ", "-"), found[0], self.write_plan(name.replace(" ", "-"), found[1], self.blocks, guide))

        def judged(choice):
            plan = plan_of(choice)
            if plan is None:
                return None
            found = self.judge(plan[0], solver, plan[1], plan[2])
            is_eligible = found["full_evaluations"] <= budget * SLACK and found["recall"] >= plain["recall"]
            return Trial(found["kid_groups"], found["recall"], is_eligible)

        search = Descent(judged, bounds + ([(1, self.blocks - 1), Descent.NOTCHES] if is_guided else []), self.arguments.most_trials)
        choice = search.best(start + ([round(self.blocks / 3), 0] if is_guided else []), Trial(plain["kid_groups"], plain["recall"], True))
        best = plan_of(list(choice)) if choice else (None, budget, full)
        self.measure(way, solver, budget, f"{way}-{solver}-{budget}".replace(" ", "-"), self.arguments.model, "--steps", best[1], "--plan",
                     best[2])

    def costs(self):
        """Of an evaluation that runs k blocks, in full ones: [0] to [blocks]."""
        plans = [self.write_plan(f"cost-{k}", [k], self.blocks) for k in range(1, self.blocks + 1)]
        paid = [self.run(f"cost-{k + 1}", "sample", self.arguments.model, "--count", 1, "--steps", 1, "--plan", plan)["compute_skipped"]
                for k, plan in enumerate(plans)]
        return [0.0] + [1 - skipped for skipped in paid]

    def step_range(self, budget):
        return (budget, budget + MOST_STEPS_BEYOND)

    def one_depth(self, budget, steps):
        """The deepest depth that so many steps may have."""
        deepest = max((k for k in range(1, self.blocks + 1) if steps * self.cost[k] <= budget), default=0)
        return (steps, [deepest] * steps) if deepest > 0 else None

    def usual_steps(self, budget):
        return min(round(1.8 * budget), budget + MOST_STEPS_BEYOND)

    def fixed(self, way, solver, budget):
        self.descent(way, solver, budget, lambda c: self.one_depth(budget, c[0]), [self.usual_steps(budget)], [self.step_range(budget)])

    def guided_full_depth(self, way, solver, budget):
        self.descent(way, solver, budget, lambda c: (budget, []), [], [])

    def excess(self, solver, steps):
        a = self.arguments
        found = self.run(f"excess-{solver}-{steps}", "evaluate", a.model, *self.common, "--solver", solver, "--steps", steps,
                         "--full-depth", "--samples", a.paired_samples, "--seed", a.tuning_seed, "--paired", a.paired_samples)
        return [row["exits"] for row in found["paired"]["predictions"]]  # [evaluation][exit - 1]

    def schedule(self, way, solver, budget):
        def exits_of(choice):
            steps, tilt = choice[0], TILTS[choice[1]]
            excess = [[value / ramp(tilt, i, steps) for value in row] for i, row in enumerate(self.excess(solver, steps))]
            exits = self.fitted(excess, budget)
            return exits and (steps, exits)

        self.descent(way, solver, budget, exits_of, [self.usual_steps(budget), TILTS.index(4)],
                     [self.step_range(budget), (0, len(TILTS) - 1)])

    def fitted(self, excess, budget):
        """The depths under the lowest bar on the excess that the budget pays for; None where one block a step is too much."""
        for bar in sorted({0.0, *(value for row in excess for value in row)}):
            exits = [next(k + 1 for k, value in enumerate(row) if value <= bar) for row in excess]
            if sum(self.cost[e] for e in exits) <= budget:
                return self.filled(exits, excess, budget)
        return None

    def filled(self, exits, excess, budget):
        """Spends what is left of the budget where the excess is largest."""
        exits = list(exits)
        while True:
            left = budget - sum(self.cost[e] for e in exits)
            deeper = [i for i, e in enumerate(exits) if e < self.blocks and self.cost[e + 1] - self.cost[e] <= left]
            if not deeper:
                return exits
            exits[max(deeper, key=lambda i: excess[i][exits[i] - 1])] += 1

    def adaptive(self, way, solver, budget):
        """By KID, as the other ways are chosen."""
        guides = [] if way.endswith("+ guide") else ["--no-guide"]  # compares with the same references
        a = self.arguments
        self.tuned(way, solver, budget, a.model, "--objective", "kid", "--reference", self.reference(), "--references", a.tuning_references,
                   *self.features(), "--samples", a.tuning_samples, "--most-trials", a.most_trials, *guides)

    def by_paired_error(self, way, solver, budget, model, *flags):
        a = self.arguments
        return self.tuned(way, solver, budget, model, "--samples", a.paired_samples, "--reference-steps", REFERENCE_STEPS, *flags)

    def tuned(self, way, solver, budget, model, *flags):
        """What `adadiff tune` makes of the budget: its best trial."""
        name = f"{way}-{solver}-{budget}".replace(" ", "-")
        plan, a = self.out / f"{name}.plan.json", self.arguments
        found = self.run(f"tune-{name}", "tune", model, *self.common, "--solver", solver, "--budget", budget, "-o", plan, "--seed",
                         a.tuning_seed, "--most-steps", budget + MOST_STEPS_BEYOND, *flags, writes=[plan])
        self.measure(way, solver, budget, name, model, "--plan", plan)
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
                             "--samples", self.arguments.paired_samples, "--seed", self.arguments.tuning_seed, "--paired", 0)
            low, high = (threshold, high) if found["full_evaluations"] > budget else (low, threshold)
        self.measure("true excess", solver, budget, f"ideal-{solver}-{budget}", self.arguments.model, "--steps", steps,
                     "--plan", write(high), "--scores", "ideal")

    def measure_solver(self, solver):
        a, makers = self.arguments, {"full depth": self.guided_full_depth, "one depth": self.fixed, "schedule": self.schedule,
                                     "adaptive": self.adaptive}
        for steps in a.full_steps:
            self.measure("full depth", solver, steps, f"full-{solver}-{steps}", a.model, "--full-depth", "--steps", steps)
        for budget in a.budgets:
            for way in a.ways:
                maker = makers.get(way.replace(" + guide", ""))
                if maker and way != "full depth":
                    maker(way, solver, budget)
            if "one threshold" in a.ways:
                self.by_paired_error("one threshold", solver, budget, a.model, "--one-threshold")
            if "true excess" in a.ways:
                self.true_excess(solver, budget, self.by_paired_error("adaptive, paired", solver, budget, a.model))
            if "absolute" in a.ways:
                self.by_paired_error("absolute", solver, budget, self.absolute_model(), "--one-threshold")

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
        if self.arguments.rounds > 0:
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
    parser.add_argument("--absolute-steps", type=int, default=1500, help="of training UEMs on the absolute error")
    parser.add_argument("--reference", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", help="real images")
    parser.add_argument("--references", type=int, default=10000)
    parser.add_argument("--features", help="what sees images: a classifier of train-classifier, or TorchScript; default: the bundled one")
    parser.add_argument("--images", help="what the model was trained on, for the UEMs of the absolute error; default: Fashion-MNIST")
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tuning-samples", type=int, default=1000, help="per trial, where KID chooses")
    parser.add_argument("--tuning-references", type=int, default=2000, help="real images per trial; most of a trial's time is theirs")
    parser.add_argument("--paired-samples", type=int, default=100, help="per trial, where the paired error or the mean excess chooses")
    parser.add_argument("--most-trials", type=int, default=25, help="of a way at a budget")
    parser.add_argument("--ways", nargs="+", choices=ALL_WAYS, default=ALL_WAYS[:7], metavar="WAY",
                        help="; ".join(ALL_WAYS))
    parser.add_argument("--tuning-seed", type=int, default=1)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--full-steps", type=int, nargs="+", default=FULL_STEPS)
    parser.add_argument("--solvers", nargs="+", default=["ddim", "dpmpp-2m"])
    parser.add_argument("--guidance", type=float, help="1: one network pass per evaluation; default: the model's")
    parser.add_argument("--rounds", type=int, default=5, help="of timing; 0: none")
    parser.add_argument("--timed-images", type=int, default=64)
    parser.add_argument("--timed-singles", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true",
                        help="DDIM without guidance, one budget, 500 images, fewer ways: a first look in minutes")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.solvers, arguments.budgets, arguments.full_steps, arguments.guidance = ["ddim"], [6], [4, 6, 13], 1
        arguments.samples, arguments.tuning_samples, arguments.rounds = 500, 200, 3
        arguments.ways, arguments.most_trials = ["full depth + guide", "adaptive", "adaptive + guide"], 10
    return arguments


if __name__ == "__main__":
    Study(parse_arguments()).measure_all()
