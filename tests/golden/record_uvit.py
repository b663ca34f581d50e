#!/usr/bin/env python3
"""Records what the official U-ViT and AdaDiff code computes, for tests that compare ours with it. Run by hand, outside the build:

    record_uvit.py --uvit DIR --adadiff DIR --out tests/golden

DIR is a checkout of the pinned commit below; the files that define the networks are checked by their hash. One .safetensors comes
out per case: the official state dict under `net.`, inputs and outputs under `golden.`, and under the metadata key `golden` a JSON object
with the case's `network` (docs/model_format.md), the generator and the source. Needs torch, einops, torchvision, numpy, safetensors.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import pathlib
import sys

import torch
from safetensors.torch import save_file

SOURCES = {
    "uvit": {
        "name": "github.com/baofff/U-ViT",
        "commit": "ce551708dc9cde9818d2af7d84dfadfeb7bd9034",
        "sha256": "6f4d10783ad9999e31ffea205d80761671991f7514d9a8e09e656518132a384e",
    },
    "adadiff": {
        "name": "github.com/Tangshengku/AdaDiff",
        "commit": "240f5b6347005cfac6ee1dd2363f0f0002ccf9f4",
        "sha256": "cd46bc185d67f68a71483040c33b49bc4c868926f435d24721a4932a02e2a9e0",
    },
}

TIMM_SHA256 = "f1e414e5060038baba231ba30959bb1274839ebb1ba7649d3564288731a6babd"  # the same in both

# Keys of `network` are those of a model file. small_tokens shrinks patch and position embedding, so that the norm's eps is seen.
CASES = {
    "uvit_plain": dict(
        source="uvit", seed=101, small_tokens=False,
        network=dict(image_size=16, channels=3, patch_size=4, width=16, depth=4, heads=2),
    ),
    "uvit_class_time_mlp": dict(
        source="uvit", seed=102, small_tokens=False,
        network=dict(image_size=8, channels=1, patch_size=2, width=24, depth=2, heads=3, label_rows=11, time_mlp=True),
    ),
    "uvit_small_tokens": dict(
        source="uvit", seed=103, small_tokens=True,
        network=dict(image_size=8, channels=2, patch_size=4, width=20, depth=4, heads=5, mlp_ratio=2, qkv_bias=True,
                     label_rows=5, final_conv=False),
    ),
    "uvit_no_skip_odd_width": dict(
        source="uvit", seed=104, small_tokens=False,
        network=dict(image_size=8, channels=3, patch_size=2, width=15, depth=4, heads=3, skip=False),
    ),
    "adadiff_map": dict(
        source="adadiff", seed=105, small_tokens=False,
        network=dict(image_size=8, channels=3, patch_size=2, width=16, depth=4, heads=4, label_rows=4, uncertainty="map"),
    ),
}

DEFAULTS = dict(kind="uvit", mlp_ratio=4, qkv_bias=False, label_rows=0, time_mlp=False, final_conv=True, skip=True,
                heads_per_exit=False, uncertainty="none")

NETWORK_TIMES = [987.25, 431.0, 2.5]


def load_official(folder, source):
    """The module libs.uvit of a checkout, under a name of its own."""
    libs = pathlib.Path(folder) / "libs"
    for file, expected in (("uvit.py", SOURCES[source]["sha256"]), ("timm.py", TIMM_SHA256)):
        if hashlib.sha256((libs / file).read_bytes()).hexdigest() != expected:
            sys.exit(f"{libs / file}: must be the file of {SOURCES[source]['name']} at {SOURCES[source]['commit']}, but differs")
    package = f"official_{source}"
    for name, path in ((package, "__init__"), (f"{package}.timm", "timm"), (f"{package}.uvit", "uvit")):
        spec = importlib.util.spec_from_file_location(
            name, libs / f"{path}.py", submodule_search_locations=[str(libs)] if name == package else None)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[f"{package}.uvit"]


def build(module, network):
    """The official network that a `network` object describes."""
    return module.UViT(
        img_size=network["image_size"], patch_size=network["patch_size"], in_chans=network["channels"],
        embed_dim=network["width"], depth=network["depth"], num_heads=network["heads"], mlp_ratio=network["mlp_ratio"],
        qkv_bias=network["qkv_bias"], mlp_time_embed=network["time_mlp"],
        num_classes=network["label_rows"] or -1, conv=network["final_conv"], skip=network["skip"]).eval()


def redraw(net, generator, small_tokens=False):
    """Weights at 1/sqrt(fan_in), norms around 1, biases around 0: every block then moves the output."""
    with torch.no_grad():
        for name, tensor in net.named_parameters():
            normal = torch.randn(tensor.shape, generator=generator)
            if "norm" in name:
                tensor.copy_(0.2 * normal + (1.0 if name.endswith("weight") else 0.0))
            elif name.endswith("bias"):
                tensor.copy_(0.2 * normal)
            elif name in ("pos_embed", "label_emb.weight"):
                tensor.copy_(0.5 * normal)
            else:
                fan_in = tensor[0].numel()
                gain = 2.0 if ".fc1." in name or ".qkv." in name else 1.0  # makes attention uneven and GELU's kind visible
                tensor.copy_(normal * gain / math.sqrt(fan_in))
            if small_tokens and (name == "pos_embed" or name.startswith(("patch_embed", "label_emb"))):
                tensor.mul_(0.02)


def run_plain(net, x, time, labels):
    """The official head after every block of the official forward."""
    tokens = []
    blocks = [*net.in_blocks, net.mid_block, *net.out_blocks]
    hooks = [block.register_forward_hook(lambda module, inputs, output: tokens.append(output)) for block in blocks]
    last = net(x, time, labels)
    for hook in hooks:
        hook.remove()
    module = sys.modules[type(net).__module__]
    outputs = [net.final_layer(module.unpatchify(net.decoder_pred(net.norm(t))[:, net.extras:], net.in_chans)) for t in tokens]
    assert torch.equal(outputs[-1], last)
    return {"golden.predictions": torch.stack(outputs)}  # [blocks, B, C, H, W]


def run_adadiff(net, x, time, labels):
    """AdaDiff's forward gives all predictions and certainty maps itself; certainty = 1 - uncertainty."""
    last, predictions, certainty = net(x, time, labels, is_train=True)
    assert torch.equal(predictions[-1], last)
    maps = 1 - torch.stack(certainty)
    return {
        "golden.predictions": torch.stack(predictions),
        "golden.uncertainty_maps": maps,                    # [blocks, B, C, H, W]
        "golden.uncertainties": maps.mean(dim=(2, 3, 4)),   # [blocks, B]
    }


def make_inputs(network, generator):
    side = network["image_size"]
    x = torch.randn((len(NETWORK_TIMES), network["channels"], side, side), generator=generator)
    rows = network["label_rows"]
    labels = torch.tensor([rows - 1, 0, rows // 2]) if rows else None  # the last row, null by custom, is among them
    return x, torch.tensor(NETWORK_TIMES), labels


def check_sensitivity(name, predictions):
    spread = predictions.std(dim=(1, 2, 3, 4))
    moves = (predictions[1:] - predictions[:-1]).abs().amax(dim=(1, 2, 3, 4))
    if spread.min() < 0.1 or moves.min() < 0.1:
        sys.exit(f"{name}: outputs must have a spread above 0.1 and every block must move them, but {spread} and {moves}")


def record(name, case, module, out):
    network = {**DEFAULTS, **case["network"]}
    generator = torch.Generator().manual_seed(case["seed"])
    net = build(module, network)
    redraw(net, generator, case["small_tokens"])
    x, time, labels = make_inputs(network, generator)
    with torch.no_grad():
        results = (run_adadiff if case["source"] == "adadiff" else run_plain)(net, x, time, labels)
    check_sensitivity(name, results["golden.predictions"])
    tensors = {f"net.{key}": value for key, value in net.state_dict().items()}
    tensors.update(results, **{"golden.x": x, "golden.network_time": time})
    if labels is not None:
        tensors["golden.labels"] = labels
    source = SOURCES[case["source"]]
    description = {
        "generator": "tests/golden/record_uvit.py",
        "source": f"{source['name']} at {source['commit']}, MIT licence",
        "case": name,
        "network": network,
    }
    path = out / f"{name}.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, {"golden": json.dumps(description)})
    path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uvit", required=True, help="checkout of the official U-ViT")
    parser.add_argument("--adadiff", required=True, help="checkout of the official AdaDiff")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    modules = {source: load_official(getattr(arguments, source), source) for source in SOURCES}
    for name, case in CASES.items():
        record(name, case, modules[case["source"]], arguments.out)


if __name__ == "__main__":
    main()
