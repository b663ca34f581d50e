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


def differences(folder):
    """Between the training that was left alone and the one that was killed, when both are at their end."""
    found = []
    if (folder / "whole").read_bytes() != (folder / "killed").read_bytes():
        found.append("the model differs")
    if numbers(folder / "whole.csv") != numbers(folder / "killed.csv"):
        found.append("the log differs")
    known = {name + end for name in ("whole", "killed") for end in ("", ".csv", ".checkpoint")}
    return found + [f"{path.name} is left over" for path in sorted(folder.iterdir()) if path.name not in known]


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
        # So that one training takes most of the kills.
        longest = STARTS_AFTER + 1.5 * (time.monotonic() - begin) / arguments.kills
        kills, working, steps_before, trainings, kills_of_this = 0, 0, 0, 1, 0
        while kills < arguments.kills:
            resume = (folder / "killed.checkpoint").exists()
            ended = run_until(command(arguments, folder, "killed", resume), draw.uniform(0.05, longest))
            kills += not ended
            kills_of_this += not ended
            steps = len(numbers(folder / "killed.csv")) if (folder / "killed.csv").exists() else 0
            working += not ended and steps != steps_before
            steps_before = steps
            if ended and differences(folder):
                break
            if ended and kills < arguments.kills:
                print(f"at the end after {kills_of_this} kills, the same; once more", file=sys.stderr)
                trainings, kills_of_this = trainings + 1, 0
                for path in folder.glob("killed*"):
                    path.unlink()
        run_until(command(arguments, folder, "killed", (folder / "killed.checkpoint").exists()), None)
        found = differences(folder)
        print(f"{kills} kills of {trainings} trainings, {kills_of_this} of the last, {working} in the middle of steps: "
              f"{', '.join(found) or 'model and log are the same'}")
        sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
