#!/usr/bin/env python3
"""Records what ONNX Runtime computes with the weights of the wheel adaptive-terrain-diffusion 0.4.2, for tests/convert/terrain_test.cpp. Run
by hand, outside the build:

    record_terrain.py --onnx terrain_consistency_unet_difficulty100.onnx --out tests/golden

Every seventh value of the height maps of three difficulties, from noise that record_unet.py's weight() gives. Needs onnxruntime, torch,
diffusers, safetensors.
"""

import argparse
import hashlib
import pathlib
import sys

import numpy
import onnxruntime
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import record_unet  # noqa: E402

SHA256 = "95be54b4a39d58320e187a7ec533351c957f16a00be58773c86074828ee67887"
SIDE, SIGMA = 128, 80.0
DIFFICULTIES = (1, 60, 100)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    if hashlib.sha256(arguments.onnx.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{arguments.onnx}: must be the file of adaptive-terrain-diffusion 0.4.2, but differs")
    session = onnxruntime.InferenceSession(str(arguments.onnx), providers=["CPUExecutionProvider"])
    maps = []
    for difficulty in DIFFICULTIES:
        # weight() has a deviation of 1 / SIDE for this shape.
        noise = record_unet.weight(f"noise.{difficulty}", [1, 1, SIDE, SIDE]).numpy() * numpy.float32(SIDE)
        feeds = {"noisy": noise * numpy.float32(SIGMA), "sigma": numpy.float32([SIGMA]),
                 "difficulty": numpy.float32([(difficulty - 1) / 99])}
        maps.append(torch.from_numpy(session.run(["denoised"], feeds)[0]).flatten()[::record_unet.STRIDE].clone())
    save_file({"golden.maps": torch.stack(maps)}, arguments.out / "terrain.safetensors",
              {"source": f"ONNX Runtime {onnxruntime.__version__}, adaptive-terrain-diffusion 0.4.2"})
    (arguments.out / "terrain.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
