#!/usr/bin/env python3
"""Writes model files as docs/model_format.md says, with weights and expected outputs from the official code, and checks a build with them:

    write_model_file.py --uvit DIR --adadiff DIR --out FOLDER [--seed N] [--adadiff-command build/release/bin/adadiff]

Sizes and options are drawn from the seed, so that every seed is a network nobody has seen. Each model gets a folder with model.safetensors,
x.npy, t.npy, y.npy, and after every block K eps_K.npy, u_K.npy. With a command, `adadiff forward` has to agree to 1e-4. DIR as in
record_uvit.py, whose needs this script shares.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys

import numpy
import torch
from safetensors.torch import save_file

import record_uvit

TOLERANCE = 1e-4  # of the largest expected value; absolute for uncertainties


def draw_network(choice, uncertainty):
    """A `network` object at random."""
    patch, heads = choice.choice([1, 2, 4]), choice.choice([1, 2, 3, 4])
    return {
        "kind": "uvit",
        "image_size": patch * choice.randint(2, 6), "channels": choice.choice([1, 2, 3, 4]), "patch_size": patch,
        "width": heads * choice.randint(3, 12), "depth": choice.choice([2, 4, 6]), "heads": heads,
        "mlp_ratio": choice.choice([1, 2, 2.5, 4]), "qkv_bias": choice.random() < 0.5, "label_rows": choice.choice([0, 0, 4, 11]),
        "time_mlp": choice.random() < 0.5, "final_conv": choice.random() < 0.7, "skip": choice.random() < 0.8,
        "heads_per_exit": False, "uncertainty": uncertainty,
    }


def describe(network):
    """The JSON object of a model file around a `network` object."""
    description = {
        "format": 1,
        "network": network,
        "exits": list(range(1, network["depth"] + 1)),
        "prediction": "noise",
        "schedule": {"name": "vp-linear", "beta_min": 0.1, "beta_max": 20},
        "time": {"scale": 999, "shift": 0},
        "image_range": [-1, 1],
        "data_std": 0.5,
        "guidance": 1,
        "solver": {"name": "ddim", "grid": "uniform", "steps": 20},
        "decoder": "none",
        "license": "MIT",
        "origin": "random weights of the official code, by tests/golden/write_model_file.py",
    }
    if network["label_rows"]:
        description["labels"] = {"null": network["label_rows"] - 1}
    return description


def to_model_tensors(state):
    """An official state dict under the names of a model file; AdaDiff's certainty becomes uncertainty by its sign."""
    tensors = {}
    for name, tensor in state.items():
        if name.startswith("lte_classifer."):
            _, layer, _, kind = name.split(".")
            tensors[f"uem.{layer}.{kind}"] = -tensor
        else:
            tensors[name] = tensor
    return {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}


def write_model(path, net, network):
    save_file(to_model_tensors(net.state_dict()), path, {"adadiff": json.dumps(describe(network))})


def write_case(folder, module, network, seed):
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    net = record_uvit.build(module, network)
    record_uvit.redraw(net, generator)
    x, time, labels = record_uvit.make_inputs(network, generator)
    with torch.no_grad():
        run = record_uvit.run_adadiff if network["uncertainty"] == "map" else record_uvit.run_plain
        results = run(net, x, time, labels)
    write_model(folder / "model.safetensors", net, network)
    arrays = {"x": x, "t": time, **({} if labels is None else {"y": labels})}
    for k, prediction in enumerate(results["golden.predictions"], start=1):
        arrays[f"eps_{k}"] = prediction
    for k, uncertainty in enumerate(results.get("golden.uncertainties", []), start=1):
        arrays[f"u_{k}"] = uncertainty
    for name, array in arrays.items():
        numpy.save(folder / f"{name}.npy", array.contiguous().numpy())


def worst_error(command, folder):
    """Largest error of `adadiff forward` over all exits: relative for predictions, absolute for uncertainties."""
    errors = []
    for expected in sorted(folder.glob("eps_*.npy")):
        k = expected.stem.split("_")[1]
        score = folder / f"u_{k}.npy"
        call = [command, "forward", folder / "model.safetensors", "--input", folder / "x.npy", "--network-time", folder / "t.npy",
                "--exit", k, "--output", folder / "found.npy"]
        call += ["--class", folder / "y.npy"] if (folder / "y.npy").exists() else []
        call += ["--uncertainty", folder / "found_u.npy"] if score.exists() else []
        subprocess.run([str(part) for part in call], check=True)
        exact = numpy.load(expected)
        errors.append(numpy.abs(numpy.load(folder / "found.npy") - exact).max() / numpy.abs(exact).max())
        if score.exists():
            errors.append(numpy.abs(numpy.load(folder / "found_u.npy") - numpy.load(score)).max())
    return numpy.max(errors)  # NaN if any is


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uvit", required=True, help="checkout of the official U-ViT")
    parser.add_argument("--adadiff", required=True, help="checkout of the official AdaDiff")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=4, help="models of each kind")
    parser.add_argument("--adadiff-command", help="the program to check")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    failed = False
    for source, uncertainty in (("uvit", "none"), ("adadiff", "map")):
        module = record_uvit.load_official(getattr(arguments, source), source)
        for number in range(arguments.count):
            seed = 1000 * arguments.seed + number
            network = draw_network(random.Random(f"{source} {seed}"), uncertainty)
            folder = arguments.out / f"{source}_{seed}"
            write_case(folder, module, network, seed)
            if arguments.adadiff_command:
                error = worst_error(arguments.adadiff_command, folder)
                failed |= not error <= TOLERANCE
                print(f"{folder.name}: {error:.1e} {'ok' if error <= TOLERANCE else 'WRONG'}  {json.dumps(network)}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
