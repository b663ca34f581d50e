#!/usr/bin/env python3
"""Kills `adadiff train` at random moments, resumes it each time, and compares model and log with those of a training left alone.

    kill_training.py build/release/bin/adadiff [--kills 50] [--steps 1500] [--seed 0]

A small network on Debian's dataset-fashion-mnist, a checkpoint every third step, so that many kills fall into writing. One line at the
end; exit code 1 where anything differs, a file is left that should not be, or a checkpoint cannot be resumed from.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

RECIPE = ["--width", "32", "--depth", "2", "--heads", "2", "--batch", "8", "--warmup", "20", "--checkpoint-every", "3", "--threads", "1"]
STARTS_AFTER = 0.5  # seconds until steps begin, roughly


def command(arguments, folder, name, resume):
    words = [arguments.adadiff, "train", "-o", folder / name, "--log", folder / (name + ".csv"), "--steps", arguments.steps] + RECIPE
    return [str(word) for word in words + (["--resume"] if resume else [])]


def run_until(words, seconds):
    """True where it ended by itself."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    if process.returncode != 0:
        sys.exit(f"{' '.join(words)}\nended with {process.returncode}: {process.stderr.read()}")
    return True


def numbers(path):
    """The log without its columns of time."""
    return [line.split(",")[:7] for line in path.read_text(encoding="utf-8").splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        begin = time.monotonic()
        run_until(command(arguments, folder, "whole", False), None)
        # Kills spread over a little more than the training's length, so that resumed runs are hit as well.
        longest = STARTS_AFTER + 3 * (time.monotonic() - begin) / arguments.kills
        kills, working, steps_before = 0, 0, 0
        while kills < arguments.kills:
            resume = (folder / "killed.checkpoint").exists()
            ended = run_until(command(arguments, folder, "killed", resume), draw.uniform(0.05, longest))
            kills += not ended
            steps = len(numbers(folder / "killed.csv")) if (folder / "killed.csv").exists() else 0
            working += not ended and steps != steps_before
            steps_before = steps
            if ended:
                for path in folder.glob("killed*"):
                    path.unlink()
                print(f"reached the end after {kills} kills; starting again", file=sys.stderr)
        run_until(command(arguments, folder, "killed", (folder / "killed.checkpoint").exists()), None)
        strays = sorted(p.name for p in folder.iterdir() if p.name not in {f"{n}{e}" for n in ("whole", "killed") for e in ("", ".csv", ".checkpoint")})
        same_model = (folder / "whole").read_bytes() == (folder / "killed").read_bytes()
        same_log = numbers(folder / "whole.csv") == numbers(folder / "killed.csv")
        print(f"{kills} kills, {working} of them in the middle of steps: model {'the same' if same_model else 'DIFFERS'}, log {'the same' if same_log else 'DIFFERS'}, stray files {strays}")
        sys.exit(0 if same_model and same_log and not strays else 1)


if __name__ == "__main__":
    main()
