#!/usr/bin/env python3
"""Measures what blocks in bfloat16 save, and how far their images are from those of float32.

    precision.py build/release/bin/adadiff MODEL.safetensors [--rounds 15] [--threads 1]

Draws the same images by the same plan in both types, in turn, for a few batch sizes, at full depth and at one threshold. Prints a table:
medians of the wall times with quartiles, their ratio, and the PSNR of the bfloat16 images against the others (the largest over an image is 255).
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

TYPES = ("float32", "bfloat16")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("model", help="model file")
    parser.add_argument("--rounds", type=int, default=15, help="pairs per row (default 15)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.05)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64])
    return parser.parse_args()


def pixels_of(path):
    """The bytes of an .npy file of uint8 behind its header."""
    data = path.read_bytes()
    return data[10 + int.from_bytes(data[8:10], "little"):]


def psnr(one, other):
    error = sum((a - b) ** 2 for a, b in zip(one, other)) / len(one)
    return 10 * math.log10(255 ** 2 / error) if error else math.inf


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, pathlib.Path(folder)

    def draw(self, precision, below, batch):
        """Wall time in ms; leaves the images in the folder."""
        a, plan = self.arguments, self.folder / "plan.json"
        plan.write_text(json.dumps({"format": 1, "below": below, "precision": precision}), encoding="utf-8")
        command = [a.adadiff, "sample", a.model, "--plan", plan, "--class", "all", "--steps", a.steps, "--count", max(batch, 4), "--batch", batch,
                   "--threads", a.threads, "--images", self.folder / f"{precision}.npy", "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stderr.strip())
        return json.loads(done.stdout)["wall_ms"]

    def row(self, name, below, batch):
        times = {precision: [] for precision in TYPES}
        for turn in range(self.arguments.rounds):
            for precision in TYPES if turn % 2 else reversed(TYPES):
                times[precision].append(self.draw(precision, below, batch))
        ratio = statistics.median(times["float32"]) / statistics.median(times["bfloat16"])
        likeness = psnr(*(pixels_of(self.folder / f"{precision}.npy") for precision in TYPES))
        print(f"| {name} | {batch} | {' | '.join(spread(times[precision]) for precision in TYPES)} | {ratio:.2f} | {likeness:.1f} |", flush=True)


def spread(times):
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:.0f} ({low:.0f} .. {high:.0f})"


def main():
    arguments = parse_arguments()
    print("| plan | batch | float32, ms | bfloat16, ms | ratio | PSNR, dB |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        for name, below in (("full depth", "never"), (f"threshold {arguments.threshold}", arguments.threshold)):
            for batch in arguments.batches:
                bench.row(name, below, batch)


if __name__ == "__main__":
    main()
