"""Records metrics.json: features and what NumPy and SciPy say of them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/golden/record_metrics.py

The Fréchet distance of the full-rank pair goes through scipy.linalg.sqrtm as in pytorch-fid; that of the singular pair (fewer samples
than features, where sqrtm is noise) through the singular values of the product of the centred samples.
"""

import json
import math
import pathlib

import numpy as np
import scipy.linalg
import scipy.signal
import scipy.spatial.distance


def frechet_by_root(x, y):
    c1, c2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2)
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(c1) + np.trace(c2) - 2 * np.trace(root.real))


def frechet_by_samples(x, y):
    a = (x - x.mean(0)) / np.sqrt(len(x) - 1)
    b = (y - y.mean(0)) / np.sqrt(len(y) - 1)
    nuclear = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.sum(a**2) + np.sum(b**2) - 2 * nuclear)


def discrepancy(x, y):
    m, d = len(x), x.shape[1]
    k = lambda a, b: (a @ b.T / d + 1) ** 3
    within = lambda a: (k(a, a).sum() - np.trace(k(a, a))) / (m * (m - 1))
    return within(x) + within(y) - 2 * k(x, y).mean()


def covered(samples, centres, neighbours):
    radii = np.sort(scipy.spatial.distance.cdist(centres, centres), axis=1)[:, neighbours]
    return float((scipy.spatial.distance.cdist(samples, centres) <= radii).any(1).mean())


def similarity(x, y):
    """SSIM with the 11 x 11 Gaussian window of the paper, over whole windows."""
    line = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    window = np.outer(line, line) / line.sum() ** 2
    blur = lambda a: scipy.signal.convolve2d(a, window, mode="valid")
    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    return float(np.mean((2 * mx * my + 1e-4) * (2 * vxy + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))))


def ring_of(u, v, h, w, rings):
    """The smallest b with (u / h)^2 + (v / w)^2 <= (b / (2 rings))^2, in whole numbers."""
    least_square = -(-4 * rings**2 * (u * u * w * w + v * v * h * h) // (h * h * w * w))
    return math.isqrt(least_square - 1) + 1 if least_square > 0 else 0


def band_powers(x):
    """Of an image [H, W, C] in [0, 1]: mean power of each ring from 1 on, and of the corners behind them."""
    h, w = x.shape[:2]
    rings = min(15, max(1, min(h, w) // 2))
    power = (np.abs(np.fft.fft2(x, axes=(0, 1))) ** 2).mean(2) / (h * w)
    ring = np.array([[ring_of(min(u, h - u), min(v, w - v), h, w, rings) for v in range(w)] for u in range(h)])
    bands = [ring == b for b in range(1, rings + 1)] + [ring > rings]
    return np.array([power[band].mean() if band.any() else 0 for band in bands])


def total_variation(x):
    return np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=0)).mean()


def texture(image):
    """docs/evaluation.md, "Texture", of one image uint8 [H, W, C]."""
    x, rounding = image / 255.0, 1 / (12 * 255**2)
    mask = np.outer([1, -2, 1], [1, -2, 1])
    r = np.stack([scipy.signal.convolve2d(x[:, :, c], mask, mode="valid") for c in range(x.shape[2])])
    noise = math.sqrt(math.pi / 2) / 6 * np.abs(r).mean()
    peakedness = (np.mean(r**4) + 3 * (36 * rounding) ** 2) / (3 * (np.mean(r**2) + 36 * rounding) ** 2)
    level = lambda values, least: np.log(1 + values / least) / math.log(1 + 1 / least)
    amplitudes = level(np.array([total_variation(x), noise]), math.sqrt(rounding))
    return np.concatenate([level(band_powers(x), rounding), amplitudes, [math.log(peakedness) / math.log(1 + 1 / rounding)]])


def grainy_image(rng, h, w, channels):
    """A slope with an edge, grain, and a speck."""
    x = 0.2 + 0.3 * np.add.outer(np.arange(h) / h, np.arange(w) / w)[:, :, None] + np.zeros(channels)
    x[h // 3 :, w // 2 :] += 0.2
    x += 0.03 * rng.normal(size=x.shape)
    x[h // 4, w // 4] = 1
    return np.round(255 * np.clip(x, 0, 1)).astype(np.uint8)


def main():
    rng = np.random.default_rng(7)
    mix = rng.normal(size=(6, 6))
    reference = rng.normal(size=(60, 6)) @ mix
    generated = 0.9 * rng.normal(size=(50, 6)) @ mix + 0.3
    few_reference, few_generated = rng.normal(size=(12, 40)), rng.normal(size=(10, 40)) + 0.2
    subsets = [(rng.permutation(60)[:20].tolist(), rng.permutation(50)[:20].tolist()) for _ in range(5)]
    estimates = [discrepancy(reference[a], generated[b]) for a, b in subsets]
    first = rng.uniform(size=(13, 17))
    second = np.clip(first + 0.2 * rng.normal(size=first.shape), 0, 1)
    grainy = grainy_image(rng, 9, 12, 1), grainy_image(rng, 35, 32, 3)
    record = {
        "reference": reference.tolist(),
        "generated": generated.tolist(),
        "frechet": frechet_by_root(reference, generated),
        "few_reference": few_reference.tolist(),
        "few_generated": few_generated.tolist(),
        "few_frechet": frechet_by_samples(few_reference, few_generated),
        "subsets": [{"reference": a, "generated": b} for a, b in subsets],
        "kernel_mean": float(np.mean(estimates)),
        "kernel_deviation": float(np.std(estimates)),
        "precision": covered(generated, reference, 3),
        "recall": covered(reference, generated, 3),
        "first_plane": first.ravel().tolist(),
        "second_plane": second.ravel().tolist(),
        "similarity": similarity(first, second),
        "texture": [{"image": image.tolist(), "numbers": texture(image).tolist()} for image in grainy],
    }
    path = pathlib.Path(__file__).parent / "metrics.json"
    path.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
