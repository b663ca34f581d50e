#!/usr/bin/env python3
"""Computes what `adadiff evaluate` reports a second time, in NumPy and SciPy, from the images that it wrote.

    check_evaluate.py build/release/bin/adadiff

Features are mean grey values, by a TorchScript file, so that they are known on both sides. KID's subsets are drawn again as
docs/evaluation.md describes them; texture comes from record_metrics.py. Prints the largest difference of each number; exit code 1 where
one is beyond rounding. Needs torch, numpy, scipy, and Debian's dataset-fashion-mnist.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import scipy.linalg
import torch

from record_metrics import band_powers, texture, total_variation

DATA = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
SAMPLES, REFERENCES, SUBSETS, SUBSET_SIZE, SEED = 150, 400, 7, 40, 5
REAL_ROWS, GENERATED_ROWS = 96, 97


class MeanGreys(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.avg_pool2d(x[:, :1], 7).flatten(1) / 255.0


def philox(counter, key):
    """Philox4x32-10, written from Salmon et al. 2011."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        low, high = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(high >> 32) ^ counter[1] ^ key[0], high & 0xFFFFFFFF, (low >> 32) ^ counter[3] ^ key[1], low & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def subset(rows, index, purpose):
    words = [word for block in range(-(-SUBSET_SIZE // 4)) for word in philox((block, index, purpose, 0), (SEED & 0xFFFFFFFF, SEED >> 32))]
    order = list(range(rows))
    for place in range(SUBSET_SIZE):
        other = place + (words[place] * (rows - place) >> 32)
        order[place], order[other] = order[other], order[place]
    return order[:SUBSET_SIZE]


def kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def discrepancy(a, b):
    within = lambda set_: (kernel(set_, set_).sum() - numpy.trace(kernel(set_, set_))) / len(set_) / (len(set_) - 1)
    return within(a) + within(b) - 2 * kernel(a, b).mean()


def frechet(a, b):
    covariances = numpy.cov(a.T), numpy.cov(b.T)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + numpy.trace(covariances[0] + covariances[1] - 2 * root)


def covered(of, by):
    """Share of `of` that lies within the 3rd nearest neighbour of some row of `by`."""
    distances = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(-1)
    return (distances(of, by) <= numpy.sort(distances(by, by), 1)[:, 3]).any(1).mean()


def texture_checks(real, generated, found):
    """Of images uint8 [N, H, W, 1]."""
    numbers = [numpy.array([texture(image) for image in images]) for images in (real, generated)]
    estimates = [discrepancy(numbers[0][subset(REFERENCES, i, REAL_ROWS)], numbers[1][subset(SAMPLES, i, GENERATED_ROWS)]) for i in range(SUBSETS)]
    powers = [numpy.mean([band_powers(image / 255.0) for image in images], 0) for images in (real, generated)]
    variations = [numpy.mean([total_variation(image / 255.0) for image in images]) for images in (real, generated)]
    spectrum = 10 * numpy.log10(powers[1] / powers[0])
    return [("texture frechet", frechet(*numbers), found["frechet"], 1e-9),
            ("texture kid", numpy.mean(estimates), found["kid"], 1e-9 * abs(numpy.mean(estimates))),
            ("texture recall", covered(*numbers), found["recall"], 0),
            ("total variation ratio", variations[1] / variations[0], found["total_variation_ratio"], 1e-12),
            ("spectrum, farthest", 0, numpy.abs(spectrum - found["spectrum_db"]).max(), 1e-9)]


def evaluate(adadiff, folder):
    torch.jit.script(MeanGreys()).save(str(folder / "greys.pt"))
    words = [adadiff, "evaluate", "--samples", SAMPLES, "--steps", 4, "--paired", 0, "--seed", SEED, "--reference", DATA, "--references", REFERENCES,
             "--features", folder / "greys.pt", "--subsets", SUBSETS, "--subset-size", SUBSET_SIZE, "--groups", 5, "--images", folder / "images.npy",
             "--json"]
    return json.loads(subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    with tempfile.TemporaryDirectory() as name:
        found = evaluate(parser.parse_args().adadiff, pathlib.Path(name))
        images = numpy.load(pathlib.Path(name) / "images.npy")
    raw = numpy.frombuffer(gzip.open(DATA).read(), numpy.uint8, offset=16).reshape(-1, 28, 28)
    features = lambda pixels: MeanGreys()(torch.from_numpy(pixels.copy()).float().reshape(-1, 1, 28, 28)).double().numpy()
    pictures = raw[[i * len(raw) // REFERENCES for i in range(REFERENCES)]]
    real, generated = features(pictures), features(images)
    estimates = [discrepancy(real[subset(REFERENCES, i, REAL_ROWS)], generated[subset(SAMPLES, i, GENERATED_ROWS)]) for i in range(SUBSETS)]
    without_last = generated[:SAMPLES * 4 // 5]
    checks = [("frechet", frechet(real, generated), found["frechet"], 1e-9), ("kid", numpy.mean(estimates), found["kid"], 1e-12),
              ("kid_deviation", numpy.std(estimates), found["kid_deviation"], 1e-12),
              ("kid of all", discrepancy(real, generated), found["kid_groups"]["all"], 1e-12),
              ("kid without the last group", discrepancy(real, without_last), found["kid_groups"]["without_group"][-1], 1e-12),
              ("frechet without the last group", frechet(real, without_last), found["frechet_groups"]["without_group"][-1], 1e-9),
              ("precision", covered(generated, real), found["precision"], 0), ("recall", covered(real, generated), found["recall"], 0)]
    checks += texture_checks(pictures[..., None], images.reshape(-1, 28, 28, 1), found["texture"])
    for what, ours, theirs, tolerance in checks:
        print(f"{what}: {theirs:.6g}, difference {abs(ours - theirs):.1e}")
    sys.exit(any(abs(ours - theirs) > tolerance for _, ours, theirs, tolerance in checks))


if __name__ == "__main__":
    main()
