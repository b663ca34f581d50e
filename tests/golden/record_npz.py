"""Records statistics.npz (stored) and images.npz (compressed), as NumPy writes them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6
    venv/bin/python tests/golden/record_npz.py
"""

import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent


def main():
    sigma = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.25], [0.0, -0.25, 3.0]])
    feats = np.arange(12, dtype=np.float32).reshape(4, 3) / 8
    np.savez(FOLDER / "statistics.npz", mu=np.array([1.0, -2.0, 0.5]), sigma=sigma, feats=feats, half=feats.astype(np.float16),
             turned=np.asfortranarray(sigma[:2]), whole=np.arange(5))
    np.savez_compressed(FOLDER / "images.npz", np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3))


if __name__ == "__main__":
    main()
