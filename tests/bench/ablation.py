#!/usr/bin/env python3
"""Trains the rows of an ablation: the same compute for all, each row one change of the first.

    ablation.py train build/release/bin/adadiff OUT [--rows base,noise] [--jobs 2] [--threads 1]
    ablation.py report build/release/bin/adadiff OUT [--samples 2000] [--budget 6]
    ablation.py list

The report judges each row that is trained: KID, Fréchet distance and class agreement of full depth with 20 steps, then the same at one
budget, for as many full steps and for the steps and the one threshold that `adadiff tune` finds; then KID, Fréchet distance and recall of
two runs of 6 steps that an early exit guides. Rows train for the steps that take as long as 2,200 of the first row, but for the one named
early. Answers are kept in OUT; rows already trained are left alone and interrupted ones resumed, so the command can be repeated.
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

from answers import Answers

BUNDLED_MODEL = pathlib.Path(__file__).resolve().parents[2] / "examples/models/fashion-mnist.safetensors"
BASE_NETWORK = {"kind": "uvit", "image_size": 28, "channels": 1, "patch_size": 4, "width": 128, "depth": 8, "heads": 4, "label_rows": 11,
                "time_mlp": True, "heads_per_exit": True, "uncertainty": "timed-map"}
DIT_NETWORK = {"kind": "dit", "image_size": 28, "channels": 1, "patch_size": 4, "width": 128, "depth": 9, "heads": 4, "label_rows": 11,
               "heads_per_exit": True, "uncertainty": "timed-map"}
HAS_BFLOAT16 = "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")  # else the same steps take about twice as long
BASE = {"weights": "plain", "beta": 0.5, "optimiser": "muon", "precision": "bfloat16" if HAS_BFLOAT16 else "float32", "steps": 2200}
# Runs that an early exit guides: heading, plan and flags of each. Everybody goes to full depth in the first and leaves at exit 5 of 9 in
# the second; a network of another depth has other exits and is not judged by them.
GUIDED = {
    "guide-7": ("6 full steps guided by exit 7, w 3", {"format": 1, "guide": {"exit": 7, "weight": 3}}, ("--steps", 6)),
    "guide-3-at-5": ("6 DPM-Solver++ steps at exit 5 guided by exit 3, w 2.4",
                     {"format": 1, "below": ["never"] * 5 + ["always"] + ["never"] * 3, "guide": {"exit": 3, "weight": 2.4}},
                     ("--steps", 6, "--solver", "dpmpp-2m")),
}


def row(recipe=None, network=None):
    return BASE | (recipe or {}) | {"network": json.dumps(BASE_NETWORK | (network or {}))}


ROWS = {
    "base": row(),
    "early": row({"steps": 500}),  # the weak network of guide_study.py's rivals
    "dit": BASE | {"network": json.dumps(DIT_NETWORK), "steps": 1950},
    "dit-flow": BASE | {"network": json.dumps(DIT_NETWORK), "prediction": "flow", "schedule": "linear-flow", "steps": 1950},
    "adamw": row({"optimiser": "adamw", "steps": 2310}),
    "noise": row({"prediction": "noise"}),
    "clean": row({"prediction": "clean"}),
    "patch-2-width-64": row({"steps": 1390}, {"patch_size": 2, "width": 64, "heads": 2}),
    "patch-2-width-96-depth-4": row({"steps": 1400}, {"patch_size": 2, "width": 96, "heads": 3, "depth": 4}),
    "overlap": row(network={"patch_overlap": 2}),
    "absolute": row({"target": "truth"}),
    "log-excess": row({"target": "log-excess", "lambda": 0.1}, {"uncertainty": "pooled"}),
    "likelihood": row({"target": "likelihood", "lambda": 0.1}, {"uncertainty": "pooled"}),
    "head-shared": row(network={"heads_per_exit": False}),
    "head-own-norm": row(network={"heads_per_exit": False, "norm_per_exit": True}),
    "distilled-half": row({"distillation": 0.5}),
    "distilled": row({"distillation": 1}),
    "distilled-one": row({"distillation": 1, "distilled_exits": "one"}),
    "beta-0.25": row({"beta": 0.25}),
    "beta-1": row({"beta": 1}),
    "certainty": row({"weights": "certainty", "beta": 1}),
    "paper": row({"target": "truth", "weights": "certainty", "beta": 1, "reduction": "sum"}),
}


def train(program, folder, name, threads):
    """Trains one row, or goes on with it; the message of what went wrong, or nothing."""
    model, recipe = folder / (name + ".safetensors"), folder / (name + ".json")
    checkpoint = model.with_name(model.name + ".checkpoint")
    variant, _, seed = name.partition("@")
    recipe.write_text(json.dumps(ROWS[variant] | {"seed": int(seed or 0)}, indent=1), encoding="utf-8")
    command = [program, "train", "-o", model, "--recipe", recipe, "--log", folder / (name + ".csv"), "--threads", threads]
    done = subprocess.run([str(word) for word in command + (["--resume"] if checkpoint.exists() else [])], capture_output=True, text=True,
                          check=False)
    return "" if done.returncode == 0 else f"{name}: {done.stderr.strip().splitlines()[-1]}"


def train_all(arguments):
    folder = pathlib.Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    names = arguments.rows.split(",") if arguments.rows else list(ROWS)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        failures = [message for message in pool.map(lambda n: train(arguments.adadiff, folder, n, arguments.threads), names) if message]
    sys.exit("\n".join(failures) or 0)


class Judge:
    def __init__(self, arguments):
        self.arguments, self.folder = arguments, pathlib.Path(arguments.out)
        self.reference, self.ask = self.folder / "reference.npz", Answers(arguments.adadiff, arguments.out)

    def evaluate(self, name, model, *flags):
        a = self.arguments
        self.ask("reference", "evaluate", BUNDLED_MODEL, "--samples", 2, "--steps", 1, "--paired", 0, "--reference", a.reference,
                 "--save-reference", self.reference, writes=[self.reference])
        return self.ask(name, "evaluate", model, "--class", "all", "--samples", a.samples, "--paired", 0, "--reference", self.reference,
                        *flags)

    def row(self, name):
        budget = self.arguments.budget
        model, plan = self.folder / (name + ".safetensors"), self.folder / f"{name}-{budget}.plan.json"
        full = self.evaluate(name + "-full", model, "--full-depth", "--steps", 20)
        short = self.evaluate(f"{name}-full-{budget}", model, "--full-depth", "--steps", budget)
        tuned = self.ask(f"{name}-tune-{budget}", "tune", model, "--class", "all", "--budget", budget, "--seed", 1, "--samples", 200,
                         "--one-threshold", "-o", plan, writes=[plan])["best"]
        adaptive = self.evaluate(f"{name}-adaptive-{budget}", model, "--plan", plan)
        three = lambda found: f"{1000 * found['kid']:.1f} | {found['frechet']:.2f} | {found['class_agreement']:.3f}"
        return (f"| {name} | {three(full)} | {1000 * short['kid']:.1f} | {tuned['steps']} | {tuned['psnr_db']:.2f} | {three(adaptive)} | "
                f"{adaptive['exit_spread']:.2f} | {' | '.join(self.guided(name, model))} |")

    def guided(self, name, model):
        """A cell of the table for each number of each guided run."""
        if blocks_of(ROWS[name.partition("@")[0]]["network"]) != blocks_of(json.dumps(BASE_NETWORK)):
            return ["–"] * 3 * len(GUIDED)
        cells = []
        for run, (_, plan, flags) in GUIDED.items():
            path = self.folder / (run + ".plan.json")
            path.write_text(json.dumps(plan), encoding="utf-8")
            found = self.evaluate(f"{name}-{run}", model, "--plan", path, *flags)
            cells += [f"{1000 * found['kid']:.1f}", f"{found['frechet']:.2f}", f"{found['recall']:.3f}"]
        return cells

    def report(self):
        b = self.arguments.budget
        print(f"| row | full depth, 20 steps: KID × 1000 | Fréchet | class agreement | {b} full steps: KID × 1000 | budget {b}: steps | "
              "PSNR to 50 full steps, dB | KID × 1000 | Fréchet | class agreement | spread of exits | "
              + " | ".join(f"{heading}: KID × 1000 | Fréchet | recall" for heading, _, _ in GUIDED.values()) + " |")
        print("|" + "---|" * (11 + 3 * len(GUIDED)))
        seeded = sorted(p.stem for p in self.folder.glob("*@*.safetensors") if p.stem.partition("@")[0] in ROWS)
        for name in self.arguments.rows.split(",") if self.arguments.rows else list(ROWS) + seeded:
            if is_trained(self.folder, name):
                print(self.row(name), flush=True)


def blocks_of(network):
    """A U-ViT has a block more than its depth says."""
    sizes = json.loads(network)
    return sizes["depth"] + (1 if sizes["kind"] == "uvit" else 0)


def is_trained(folder, name):
    """Whether the log reaches the recipe's last step."""
    log = folder / (name + ".csv")
    if not log.exists() or not (folder / (name + ".safetensors")).exists():
        return False
    lines = log.read_text(encoding="utf-8").splitlines()
    return len(lines) > 1 and int(lines[-1].split(",")[0]) >= ROWS[name.partition("@")[0]]["steps"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="show the recipes")
    verb = verbs.add_parser("train")
    verb.add_argument("adadiff", help="the program")
    verb.add_argument("out", help="folder for models, checkpoints and logs")
    verb.add_argument("--rows", help="some of them, by name; NAME@SEED for another seed than 0")
    verb.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    verb.add_argument("--threads", type=int, default=1, help="of each training")
    verb = verbs.add_parser("report")
    verb.add_argument("adadiff", help="the program")
    verb.add_argument("out", help="folder of the trained rows")
    verb.add_argument("--rows", help="some of them, by name")
    verb.add_argument("--samples", type=int, default=2000)
    verb.add_argument("--budget", type=int, default=6)
    verb.add_argument("--reference", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", help="real images")
    arguments = parser.parse_args()
    if arguments.verb == "list":
        print(json.dumps(ROWS, indent=1))
    elif arguments.verb == "report":
        Judge(arguments).report()
    else:
        train_all(arguments)


if __name__ == "__main__":
    main()
