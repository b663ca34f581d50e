#!/usr/bin/env python3
"""Records what the official DiT code and diffusers compute, for tests that compare ours with them. Run by hand, outside the build:

    record_dit.py --dit DIR --out tests/golden

DIR is a checkout of the pinned commit below; models.py is checked by its hash. One .safetensors comes out per case: a state dict with the
official names under `net.`, inputs and outputs under `golden.`, and under the metadata key `golden` a JSON object with the case's
`network` (docs/model_format.md), the generator and the source. All weights are redrawn: the official start, where blocks are the identity
and heads give 0, would tell nothing. Needs torch, torchvision, timm 1, diffusers 0.35.2, safetensors.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import pathlib
import sys

import diffusers
import torch
from safetensors.torch import save_file

COMMIT = "ed81ce2229091fd4ecc9a223645f95cf379d582b"
SHA256 = "1b8031a1340a3d1045c0bdb382334068f5f20e32edf67b3e6aba961ba91846ca"
OFFICIAL = f"github.com/facebookresearch/DiT at {COMMIT}"
DIFFUSERS = f"diffusers {diffusers.__version__}, DiTTransformer2DModel"

DEFAULTS = dict(kind="dit", mlp_ratio=4, frequency_shift=0, attention_norm_eps=1e-6, mlp_norm_eps=1e-6, learned_variance=False,
                uncertainty="none")
CASES = {
    "dit_plain": dict(source=OFFICIAL, seed=201, small_tokens=False,
                      network=dict(image_size=8, channels=3, patch_size=2, width=16, depth=4, heads=2, label_rows=5)),
    "dit_learned_variance": dict(source=OFFICIAL, seed=202, small_tokens=False,
                                 network=dict(image_size=16, channels=1, patch_size=4, width=24, depth=3, heads=3, mlp_ratio=2,
                                              label_rows=4, learned_variance=True)),
    # Tokens so small that a norm's eps is seen.
    "dit_diffusers": dict(source=DIFFUSERS, seed=203, small_tokens=True,
                          network=dict(image_size=8, channels=2, patch_size=2, width=16, depth=3, heads=2, label_rows=6,
                                       frequency_shift=1, mlp_norm_eps=1e-5)),
}
NETWORK_TIMES = [987.25, 431.0, 2.5]


def load_official(folder):
    path = pathlib.Path(folder) / "models.py"
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{path}: must be the file of {OFFICIAL}, but differs")
    spec = importlib.util.spec_from_file_location("official_dit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(module, network):
    return module.DiT(
        input_size=network["image_size"], patch_size=network["patch_size"], in_channels=network["channels"],
        hidden_size=network["width"], depth=network["depth"], num_heads=network["heads"], mlp_ratio=network["mlp_ratio"],
        class_dropout_prob=0.1, num_classes=network["label_rows"] - 1, learn_sigma=network["learned_variance"]).eval()


def redraw(net, generator, small_tokens):
    """Every block then moves the output. The position embedding stays as the official code computes it."""
    with torch.no_grad():
        for name, tensor in net.named_parameters():
            if name == "pos_embed":
                tensor.mul_(1e-3 if small_tokens else 1)
                continue
            normal = torch.randn(tensor.shape, generator=generator)
            if name.endswith("bias"):
                tensor.copy_(0.2 * normal)
            elif "embedding_table" in name:
                tensor.copy_(0.5 * normal)
            else:
                gain = 2.0 if ".fc1." in name or ".qkv." in name else 1.0
                tensor.copy_(normal * gain / math.sqrt(tensor[0].numel()))
            if small_tokens and name.startswith("x_embedder"):
                tensor.mul_(1e-3)
            if small_tokens and name.startswith("blocks.0.adaLN_modulation"):
                third = tensor.shape[0] // 6
                tensor[2 * third:3 * third].mul_(1e-3)  # attention's gate: tokens stay small up to the second norm


def run_official(net, x, time, labels):
    """The official final layer after every block of the official forward; with the channels of variance where there are any."""
    tokens = []
    hooks = [block.register_forward_hook(lambda module, inputs, output: tokens.append(output)) for block in net.blocks]
    last = net(x, time, labels)
    for hook in hooks:
        hook.remove()
    condition = net.t_embedder(time) + net.y_embedder(labels, False)
    outputs = [net.unpatchify(net.final_layer(t, condition)) for t in tokens]
    assert torch.equal(outputs[-1], last)
    return torch.stack(outputs)  # [blocks, B, C or 2 C, H, W]


def to_diffusers(net, network):
    """The same weights in diffusers' network (after its own converter's names)."""
    heads, width = network["heads"], network["width"]
    other = diffusers.DiTTransformer2DModel(
        num_attention_heads=heads, attention_head_dim=width // heads, in_channels=network["channels"], out_channels=network["channels"],
        num_layers=network["depth"], sample_size=network["image_size"], patch_size=network["patch_size"],
        num_embeds_ada_norm=network["label_rows"] - 1, norm_eps=network["mlp_norm_eps"]).eval()
    theirs, state = net.state_dict(), {}
    state["pos_embed.proj.weight"], state["pos_embed.proj.bias"] = theirs["x_embedder.proj.weight"], theirs["x_embedder.proj.bias"]
    for i in range(network["depth"]):
        block, official = f"transformer_blocks.{i}.", f"blocks.{i}."
        for end in ("weight", "bias"):
            for theirs_index, ours in ((0, "linear_1"), (2, "linear_2")):
                state[f"{block}norm1.emb.timestep_embedder.{ours}.{end}"] = theirs[f"t_embedder.mlp.{theirs_index}.{end}"]
            state[f"{block}norm1.linear.{end}"] = theirs[f"{official}adaLN_modulation.1.{end}"]
            for name, part in zip("qkv", theirs[f"{official}attn.qkv.{end}"].chunk(3)):
                state[f"{block}attn1.to_{name}.{end}"] = part
            state[f"{block}attn1.to_out.0.{end}"] = theirs[f"{official}attn.proj.{end}"]
            state[f"{block}ff.net.0.proj.{end}"] = theirs[f"{official}mlp.fc1.{end}"]
            state[f"{block}ff.net.2.{end}"] = theirs[f"{official}mlp.fc2.{end}"]
        state[f"{block}norm1.emb.class_embedder.embedding_table.weight"] = theirs["y_embedder.embedding_table.weight"]
    for end in ("weight", "bias"):
        state[f"proj_out_1.{end}"] = theirs[f"final_layer.adaLN_modulation.1.{end}"]
        state[f"proj_out_2.{end}"] = theirs[f"final_layer.linear.{end}"]
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert not unexpected and not [name for name in missing if name != "pos_embed.pos_embed"], (missing, unexpected)
    other.pos_embed.pos_embed.copy_(theirs["pos_embed"])
    return other


def run_diffusers(net, x, time, labels):
    """Its output after every block, by leaving the later blocks out."""
    blocks, outputs = net.transformer_blocks, []
    for depth in range(1, len(blocks) + 1):
        net.transformer_blocks = blocks[:depth]
        outputs.append(net(x, timestep=time, class_labels=labels).sample)
    return torch.stack(outputs)


def record(name, case, module, out):
    network = {**DEFAULTS, **case["network"]}
    generator = torch.Generator().manual_seed(case["seed"])
    net = build(module, network)
    redraw(net, generator, case["small_tokens"])
    side = network["image_size"]
    x = torch.randn((len(NETWORK_TIMES), network["channels"], side, side), generator=generator)
    time, labels = torch.tensor(NETWORK_TIMES), torch.tensor([network["label_rows"] - 1, 0, 2])
    with torch.no_grad():
        if case["source"] == DIFFUSERS:
            predictions = run_diffusers(to_diffusers(net, network), x, time, labels)
        else:
            predictions = run_official(net, x, time, labels)
    spread = predictions.std(dim=(1, 2, 3, 4))
    moves = (predictions[1:] - predictions[:-1]).abs().amax(dim=(1, 2, 3, 4))
    if spread.min() < 0.1 or moves.min() < 0.1:
        sys.exit(f"{name}: outputs must have a spread above 0.1 and every block must move them, but {spread} and {moves}")
    tensors = {f"net.{key}": value for key, value in net.state_dict().items()}
    tensors.update({"golden.x": x, "golden.network_time": time, "golden.labels": labels, "golden.predictions": predictions})
    description = {"generator": "tests/golden/record_dit.py", "source": case["source"], "case": name, "network": network}
    path = out / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, {"golden": json.dumps(description)})
    path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dit", required=True, help="checkout of the official DiT")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    module = load_official(arguments.dit)
    for name, case in CASES.items():
        record(name, case, module, arguments.out)


if __name__ == "__main__":
    main()
