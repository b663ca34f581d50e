#!/usr/bin/env python3
"""Compares a training step of `adadiff train` with the same step as a plain PyTorch loop: network, losses, clipping, optimiser, average.

    train_step.py build/release/bin/adadiff [--rounds 5] [--steps 30] [--threads 2] [--data DIR] [--frozen MODEL]

Rounds take turns: some steps of ours in a process of its own, then as many in PyTorch. Medians are over all steps but the first of each
round. AdamW is compared with torch.optim.AdamW, Muon with torch.optim.Muon, both eager and with network and losses through torch.compile;
steps in bfloat16 are measured beside them; --frozen also measures one that trains the exits of MODEL, a model of the default sizes, on
its frozen backbone. Needs torch and numpy, Debian's dataset-fashion-mnist and, for torch.compile, a C++ compiler and Python's headers.
"""

import argparse
import copy
import csv
import gzip
import math
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, PATCH, BLOCKS, SIDE, NO_LABEL, BATCH = 128, 4, 4, 9, 7, 10, 64
WARM_UP = 5  # steps of each round that do not count
PARTS = "data", "forward", "backward", "update"
SAME = ["--optimiser", "adamw"]  # what the eager loop does
BFLOAT16 = ["--precision", "bfloat16"]


class Block(nn.Module):
    def __init__(self, takes_skip):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.skip = nn.Linear(2 * WIDTH, WIDTH) if takes_skip else None

    def forward(self, tokens, kept):
        if self.skip:
            tokens = self.skip(torch.cat([tokens, kept], -1))
        q, k, v = self.qkv(self.norm1(tokens)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        tokens = tokens + self.proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return tokens + self.fc2(functional.gelu(self.fc1(self.norm2(tokens))))


def per_exit(make):
    return nn.ModuleList([make() for _ in range(BLOCKS)])


class Network(nn.Module):
    """The network that `adadiff train` makes by default: a head per exit, the timed map as UEM."""

    def __init__(self):
        super().__init__()
        self.patches, self.labels = nn.Conv2d(1, WIDTH, PATCH, PATCH), nn.Embedding(11, WIDTH)
        self.position = nn.Parameter(torch.randn(1, SIDE * SIDE + 2, WIDTH) * 0.02)
        self.time = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.SiLU(), nn.Linear(4 * WIDTH, WIDTH))
        self.blocks = nn.ModuleList([Block(i > BLOCKS // 2) for i in range(BLOCKS)])
        self.heads = per_exit(lambda: nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, PATCH * PATCH)))
        self.finals = per_exit(lambda: nn.Conv2d(1, 1, 3, padding=1))
        self.uem = per_exit(lambda: nn.Linear(WIDTH, PATCH * PATCH))
        self.uem_time = per_exit(lambda: nn.Linear(WIDTH, PATCH * PATCH, bias=False))

    @staticmethod
    def image(tokens):
        return tokens.view(-1, SIDE, SIDE, PATCH, PATCH).permute(0, 1, 3, 2, 4).reshape(-1, 1, SIDE * PATCH, SIDE * PATCH)

    def forward(self, x, time_, label):
        angle = 1000 * time_[:, None] * torch.exp(-math.log(10000) * torch.arange(WIDTH // 2) / (WIDTH // 2))
        embedding = self.time(torch.cat([angle.cos(), angle.sin()], 1))
        patches = self.patches(x).flatten(2).mT
        tokens = torch.cat([self.labels(label)[:, None], embedding[:, None], patches], 1) + self.position
        kept, predictions, uncertainties = [], [], []
        for i, block in enumerate(self.blocks):
            tokens = block(tokens, kept.pop() if i > BLOCKS // 2 else None)
            if i < BLOCKS // 2:
                kept.append(tokens)
            own = tokens[:, 2:]
            predictions.append(self.finals[i](self.image(self.heads[i](own))))
            logits = self.uem[i](own.detach()) + self.uem_time[i](embedding.detach())[:, None]
            uncertainties.append(torch.sigmoid(self.image(logits)))
        return predictions, uncertainties


def total_loss(network, images, labels):
    alpha_angle = ((torch.rand(1) + torch.arange(BATCH) / BATCH) % 1)
    alpha, sigma = (f(alpha_angle * math.pi / 2)[:, None, None, None] for f in (torch.cos, torch.sin))
    noise = torch.randn_like(images)
    truth = alpha * noise - sigma * images
    predictions, uncertainties = network(alpha * images + sigma * noise, alpha_angle, labels)
    simple = functional.mse_loss(predictions[-1], truth)
    full = predictions[-1].detach()
    layers = sum(functional.mse_loss(p, truth) for p in predictions[:-1]) / (BLOCKS - 1)
    uem = sum(functional.mse_loss(u, (p.detach() - full).abs().tanh()) for p, u in zip(predictions, uncertainties)) / BLOCKS
    return simple + uem + 0.5 * layers


class Loop:
    """The loop that a user would write with PyTorch."""

    def __init__(self, data, muon, compiled):
        self.images = self.read(data, "train-images-idx3-ubyte").float()[:, None] / 127.5 - 1
        self.labels = self.read(data, "train-labels-idx1-ubyte").long()
        self.network = Network()
        self.total_loss = torch.compile(total_loss) if compiled else total_loss
        self.average = copy.deepcopy(self.network)
        matrices = [p for name, p in self.network.named_parameters() if muon and self.is_hidden_matrix(name, p)]
        others = [p for p in self.network.parameters() if all(p is not matrix for matrix in matrices)]
        self.optimisers = [torch.optim.AdamW(others, 2e-3, betas=(0.9, 0.99), weight_decay=0.01)]
        if muon:
            self.optimisers.append(torch.optim.Muon(matrices, lr=0.02, momentum=0.95, weight_decay=0.01))

    @staticmethod
    def is_hidden_matrix(name, parameter):
        return parameter.dim() == 2 and name.startswith("blocks.")

    @staticmethod
    def read(data, stem):
        path = next(p for p in (pathlib.Path(data) / stem, pathlib.Path(data) / (stem + ".gz")) if p.exists())
        raw = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
        shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
        return torch.from_numpy(numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy())

    def step(self):
        chosen = torch.randint(0, len(self.images), (BATCH,))
        labels = torch.where(torch.rand(BATCH) < 0.1, NO_LABEL, self.labels[chosen])
        loss = self.total_loss(self.network, self.images[chosen], labels)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 0.002)
        return loss.item()

    def milliseconds(self, steps):
        times = []
        for _ in range(steps):
            begin = time.perf_counter()
            self.step()
            times.append(1e3 * (time.perf_counter() - begin))
        return times[WARM_UP:]


def our_milliseconds(arguments, folder, extra):
    log, model = folder / "log.csv", folder / "model"
    for old in folder.iterdir():
        old.unlink()
    command = [arguments.adadiff, "train", "-o", model, "--log", log, "--steps", arguments.steps, "--data", arguments.data,
               "--threads", arguments.threads] + extra
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    with open(log, encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)][WARM_UP:]


def quartiles(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.0f} ({low:.0f} .. {high:.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adadiff", help="the program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30, help="per round and side (default 30)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frozen", help="a model")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    kinds = {"adadiff, AdamW": SAME, "adadiff, Muon": ["--optimiser", "muon"]}
    if "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        kinds |= {"adadiff, AdamW, bfloat16": SAME + BFLOAT16, "adadiff, Muon, bfloat16": ["--optimiser", "muon"] + BFLOAT16}
    if arguments.frozen:
        kinds["adadiff, AdamW, frozen"] = SAME + ["--from", arguments.frozen, "--trained", "exits"]
    loops = {f"PyTorch {how}, {optimiser}": Loop(arguments.data, muon=optimiser == "Muon", compiled=how == "compiled")
             for how in ("eager", "compiled") for optimiser in ("AdamW", "Muon")}
    for loop in loops.values():
        loop.step()  # compiles
    ours, theirs = {kind: [] for kind in kinds}, {name: [] for name in loops}
    with tempfile.TemporaryDirectory() as name:
        for _ in range(arguments.rounds):
            for kind, extra in kinds.items():
                ours[kind] += our_milliseconds(arguments, pathlib.Path(name), extra)
            for name_of_theirs, loop in loops.items():
                theirs[name_of_theirs] += loop.milliseconds(arguments.steps)
    print("median ms of a step (quartiles), ratio to PyTorch eager and compiled with the same optimiser:")
    for kind, rows in ours.items():
        median = statistics.median(row["ms"] for row in rows)
        ratios = [median / statistics.median(theirs[f"PyTorch {how}, {kind.split(', ')[1]}"]) for how in ("eager", "compiled")]
        print(f"  {kind:<26} {quartiles([row['ms'] for row in rows])}, {ratios[0]:.2f} and {ratios[1]:.2f}; "
              + ", ".join(f"{part} {statistics.median(row[part + '_ms'] for row in rows):.0f}" for part in PARTS))
    for kind, times in theirs.items():
        print(f"  {kind:<26} {quartiles(times)}")


if __name__ == "__main__":
    main()
