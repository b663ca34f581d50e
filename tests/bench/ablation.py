#!/usr/bin/env python3
"""Trains the rows of the ablation table in docs/results.md: the same compute for all, each row one change of the first.

    ablation.py train build/release/bin/adadiff OUT [--rows base,noise] [--jobs 2] [--threads 1]
    ablation.py list

Rows already trained are left alone and interrupted ones resumed, so the command can be repeated. Steps are those that take as long as
3,300 of the first row (15 minutes on the two cores that docs/results.md names).
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

BASE_NETWORK = {"kind": "uvit", "image_size": 28, "channels": 1, "patch_size": 4, "width": 128, "depth": 8, "heads": 4, "label_rows": 11,
                "time_mlp": True, "heads_per_exit": True, "uncertainty": "timed-map"}
BASE = {"weights": "plain", "beta": 0.5, "steps": 3300}


def row(recipe=None, network=None):
    return BASE | (recipe or {}) | {"network": json.dumps(BASE_NETWORK | (network or {}))}


ROWS = {
    "base": row(),
    "noise": row({"prediction": "noise"}),
    "clean": row({"prediction": "clean"}),
    "patch-2-width-64": row({"steps": 1770}, {"patch_size": 2, "width": 64, "heads": 2}),
    "patch-2-width-64-depth-4": row({"steps": 3050}, {"patch_size": 2, "width": 64, "heads": 2, "depth": 4}),
    "patch-2-width-96-depth-4": row({"steps": 2020}, {"patch_size": 2, "width": 96, "heads": 3, "depth": 4}),
    "overlap": row(network={"patch_overlap": 2}),
    "absolute": row({"target": "truth"}),
    "log-excess": row({"target": "log-excess", "lambda": 0.1}, {"uncertainty": "pooled"}),
    "head-shared": row(network={"heads_per_exit": False}),
    "head-own-norm": row(network={"heads_per_exit": False, "norm_per_exit": True}),
    "distilled-half": row({"distillation": 0.5}),
    "distilled": row({"distillation": 1}),
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
    arguments = parser.parse_args()
    if arguments.verb == "list":
        print(json.dumps(ROWS, indent=1))
    else:
        train_all(arguments)


if __name__ == "__main__":
    main()
