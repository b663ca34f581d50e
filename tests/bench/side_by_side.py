#!/usr/bin/env python3
"""Draws the same noise in several ways, a row of images for each, as one PNG.

    side_by_side.py build/release/bin/adadiff OUT.png -- "--full-depth --solver dpmpp-2m --steps 6" "--guide-weight 1" ""

Each way is what stands behind `adadiff sample`; rows are in the order given, columns go through the classes. For models with labels and with
1 or 3 channels.
"""

import argparse
import pathlib
import shlex
import struct
import subprocess
import tempfile
import zlib

GAP = 2  # pixels between images


def read_npy(path):
    """Shape and bytes of a uint8 .npy [N, H, W, C]."""
    raw = path.read_bytes()
    begin, form = (10, "<H") if raw[6] == 1 else (12, "<I")
    length = struct.unpack(form, raw[8:begin])[0]
    header = raw[begin:begin + length].decode()
    shape = [int(word) for word in header.split("(")[1].split(")")[0].split(",") if word.strip()]
    return shape, raw[begin + length:]


def draw(program, model, flags, count, seed):
    with tempfile.TemporaryDirectory() as folder:
        images = pathlib.Path(folder) / "images.npy"
        subprocess.run([program, "sample", *model, "--class", "all", "--count", str(count), "--seed", str(seed), "--images", images,
                        *shlex.split(flags)], check=True, stdout=subprocess.DEVNULL)
        return read_npy(images)


def strip(shape, pixels, scale):
    """The rows of pixels of all images beside each other, each enlarged `scale` times."""
    count, height, width, channels = shape
    rows = []
    for y in range(height):
        line = bytearray()
        for i in range(count):
            begin = (i * height + y) * width * channels
            row = pixels[begin:begin + width * channels]
            for x in range(0, len(row), channels):
                line += row[x:x + channels] * scale
            line += b"\xff" * (GAP * scale * channels)
        rows += [bytes(line)] * scale
    return rows + [b"\xff" * len(rows[0])] * (GAP * scale)


def write_png(path, rows, channels):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    size = struct.pack(">IIBBBBB", len(rows[0]) // channels, len(rows), 8, 0 if channels == 1 else 2, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("out", help="PNG to write")
    parser.add_argument("ways", nargs="+", help="flags of `adadiff sample`, each in one word")
    parser.add_argument("--model", nargs="*", default=[], help="default: the bundled one")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=int, default=2)
    arguments = parser.parse_args()
    rows = []
    for flags in arguments.ways:
        shape, pixels = draw(arguments.adadiff, arguments.model, flags, arguments.count, arguments.seed)
        rows += strip(shape, pixels, arguments.scale)
    write_png(arguments.out, rows, shape[3])


if __name__ == "__main__":
    main()
