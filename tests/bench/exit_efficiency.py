#!/usr/bin/env python3
"""Measures how much of the compute that early exits skip is saved as time, at a threshold where about a third is skipped.

    exit_efficiency.py build/release/bin/adadiff MODEL.safetensors [--steps 50] [--runs 3]

Finds the threshold by bisection over short runs, refines it at the full number of steps, then compares with full depth several times
at two batch sizes. Each comparison is `adadiff sample --compare`: both sides in turn, medians over its pairs. Spread is the smallest
and the largest of the runs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

MOST_SEARCHES = 12  # halves [0, 1] down to 0.0003


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("model", help="model file")
    parser.add_argument("--threshold", type=float, help="measure there and search no other")
    parser.add_argument("--skip", type=float, default=1 / 3, help="share of the compute to skip (default 1/3)")
    parser.add_argument("--tolerance", type=float, default=0.02, help="of that share (default 0.02)")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--search-steps", type=int, default=10, help="steps of the runs that search first (default 10)")
    parser.add_argument("--runs", type=int, default=3, help="comparisons per row of the table (default 3)")
    parser.add_argument("--repeats", type=int, help="pairs per comparison (default: the program's)")
    parser.add_argument("--threads", type=int, help="within the network (default: the program's)")
    parser.add_argument("--count", type=int, default=64, help="images of the first row, drawn in one batch (default 64)")
    parser.add_argument("--single-count", type=int, default=16, help="images of the second row, drawn one by one (default 16)")
    return parser.parse_args()


class Sampler:
    """Runs `adadiff sample` and reads its report."""

    def __init__(self, arguments, picture):
        self.start = [arguments.adadiff, "sample", arguments.model, "--class", "all", "--json", "--out", picture]
        self.start += [] if arguments.threads is None else ["--threads", str(arguments.threads)]

    def __call__(self, **options):
        command = self.start + ["--" + name for name, value in options.items() if value is True]
        for name, value in options.items():
            if value is not True and value is not None:
                command += ["--" + name, str(value)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: must succeed, but ended with {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)


def find_threshold(skipped, share, tolerance, low=0.0, high=1.0):
    """Bisects for the threshold in [low, high] at which skipped(threshold), never falling, is the share; the closest one tried."""
    closest = None
    for _ in range(MOST_SEARCHES):
        middle = (low + high) / 2
        miss = skipped(middle) - share
        if closest is None or abs(miss) < closest[0]:
            closest = (abs(miss), middle)
        if abs(miss) <= tolerance:
            break
        low, high = (middle, high) if miss < 0 else (low, middle)
    return closest[1]


def search(sample, arguments):
    def skipped_at(steps):
        def skipped(threshold):
            share = sample(count=arguments.count, batch=arguments.count, steps=steps, threshold=threshold)["compute_skipped"]
            print(f"{steps} steps, threshold {threshold:.4f}: skips {share:.3f}", file=sys.stderr)
            return share
        return skipped

    first = find_threshold(skipped_at(min(arguments.search_steps, arguments.steps)), arguments.skip, arguments.tolerance)
    if arguments.search_steps >= arguments.steps:
        return first
    full = skipped_at(arguments.steps)
    miss = full(first) - arguments.skip
    if abs(miss) <= arguments.tolerance:
        return first
    return find_threshold(full, arguments.skip, arguments.tolerance, *((first, 1.0) if miss < 0 else (0.0, first)))


def row(name, threshold, reports):
    def median(key):
        known = [report[key] for report in reports if report[key] is not None]
        return statistics.median(known) if known else None

    def shown(value, digits=3):
        return "-" if value is None else f"{value:.{digits}f}"

    efficiency = [report["exit_efficiency"] for report in reports if report["exit_efficiency"] is not None]
    spread = f"{min(efficiency):.3f} .. {max(efficiency):.3f}" if efficiency else "-"
    return [name, shown(threshold, 4), shown(median("compute_skipped")), shown(median("time_saved")), shown(median("exit_efficiency")),
            spread, shown(median("psnr_db"), 1)]


def print_table(rows):
    header = ["batch", "threshold", "compute_skipped", "time_saved", "exit_efficiency", "spread", "psnr_db"]
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    for line in [header, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        sample = Sampler(arguments, f"{folder}/samples.png")
        threshold = search(sample, arguments) if arguments.threshold is None else arguments.threshold
        cases = [(arguments.count, arguments.count), (arguments.single_count, 1)]
        reports = {case: [] for case in cases}
        for turn in range(arguments.runs):  # turns taken, so that a slow spell of the machine does not fall on one row
            for count, batch in cases:
                report = sample(count=count, batch=batch, steps=arguments.steps, threshold=threshold, compare=True,
                                repeats=arguments.repeats)
                reports[count, batch].append(report)
                print(f"run {turn + 1} of {arguments.runs}, batch {batch}: exit efficiency {report['exit_efficiency']}", file=sys.stderr)
    print_table([row(str(case[1]), threshold, reports[case]) for case in cases])


if __name__ == "__main__":
    main()
