#!/usr/bin/env python3
"""Times our full-depth forward against the official U-ViT in PyTorch, eager and by torch.compile: same weights, same threads, turns taken.

    uvit_parity.py --uvit DIR --worker build/bench/bin/uvit_parity_worker [--threads 2] [--rounds 20]

Each round gives every side one turn per batch size, in alternating order; a turn is one forward that is not counted and a few that are.
Prints median and quartiles in milliseconds and the ratios of the medians, ours to theirs. DIR is a checkout of the official code
(tests/golden/record_uvit.py says which). Both sides should use the same LibTorch release, or the ratio tells of that.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import record_uvit  # noqa: E402
import write_model_file  # noqa: E402

REST_S = 0.02  # lets the other side's threads stop spinning

# Size of the bundled model, and of the official CIFAR-10 model.
SIZES = {
    "bundled": dict(image_size=28, channels=1, patch_size=4, width=128, depth=8, heads=4, label_rows=11),
    "cifar": dict(image_size=32, channels=3, patch_size=2, width=512, depth=12, heads=8),
}


class Theirs:
    """The official network, in this process; compiled, if so, for each number of rows by itself."""

    def __init__(self, net, network, compiled=False):
        self.net, self.network, self.inputs = torch.compile(net, dynamic=False) if compiled else net, network, {}

    def turn(self, rows, iterations):
        if rows not in self.inputs:
            shape = (rows, self.network["channels"], self.network["image_size"], self.network["image_size"])
            labels = torch.zeros(rows, dtype=torch.long) if self.network["label_rows"] else None
            self.inputs[rows] = (torch.randn(shape), torch.rand(rows) * 1000, labels)
        times = []
        with torch.inference_mode():
            self.net(*self.inputs[rows])
            for _ in range(iterations):
                start = time.perf_counter()
                self.net(*self.inputs[rows])
                times.append(1e3 * (time.perf_counter() - start))
        return times


class Ours:
    """The worker, in a process of its own."""

    def __init__(self, command, model, threads):
        self.process = subprocess.Popen([command, model, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self, rows, iterations):
        self.process.stdin.write(f"{rows} {iterations}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("uvit_parity: the worker ended early; its message is above")
        return [float(word) for word in line.split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def show(times):
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:9.2f} ms [{low:.2f}, {high:.2f}]"


def measure(name, sides, batches, rounds):
    times = {(side, rows): [] for side in sides for rows in batches}
    for number in range(rounds):
        for rows in batches:
            for side in sorted(sides, reverse=number % 2 == 1):
                time.sleep(REST_S)
                times[side, rows] += sides[side].turn(rows, 5 if rows == 1 else 1)
    for rows in batches:
        ours = times["ours", rows]
        print(f"{name} batch {rows:3}: ours {show(ours)}", flush=True)
        for side in ("eager", "compiled"):
            theirs = times[side, rows]
            print(f"    official {side:<8} {show(theirs)}  ratio {statistics.median(ours) / statistics.median(theirs):.3f}", flush=True)


def compare(name, module, arguments):
    network = {**record_uvit.DEFAULTS, **SIZES[name]}
    net = record_uvit.build(module, network)
    record_uvit.redraw(net, torch.Generator().manual_seed(1))
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.safetensors"
        write_model_file.write_model(model, net, network)
        ours = Ours(arguments.worker, model, arguments.threads)
        sides = {"ours": ours, "eager": Theirs(net, network), "compiled": Theirs(net, network, compiled=True)}
        measure(name, sides, arguments.batches, arguments.rounds)
        ours.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uvit", required=True, help="checkout of the official U-ViT")
    parser.add_argument("--worker", required=True, help="our program")
    parser.add_argument("--sizes", nargs="+", default=["bundled"], choices=SIZES)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    module = record_uvit.load_official(arguments.uvit, "uvit")
    for name in arguments.sizes:
        compare(name, module, arguments)


if __name__ == "__main__":
    main()
