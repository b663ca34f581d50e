#!/usr/bin/env python3
"""Writes small checkpoints as their own programs write them, and what their networks compute, for the tests of conversion. Run by hand,
outside the build:

    record_checkpoints.py --dit DIR --out tests/golden/checkpoints

DIR is a checkout of the official DiT as for record_dit.py. Needs torch, torchvision, timm 1, diffusers 0.35.2, safetensors, onnx.
"""

import argparse
import collections
import os
import pathlib
import pickle
import shutil
import sys
import zipfile

import diffusers
import onnx
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import record_dit  # noqa: E402

TIMES = torch.tensor([731.5, 12.25])


def redraw(net, generator):
    with torch.no_grad():
        for tensor in net.parameters():
            deviation = 0.3 if tensor.dim() == 1 else tensor[0].numel() ** -0.5
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation + (0.8 if tensor.dim() == 1 else 0))


def expected(out, name, x, labels, output):
    save_file({"x": x, "time": TIMES, "labels": labels, "output": output.contiguous()}, out / f"{name}.expected.safetensors")


def dit_training(module, out, generator):
    """A file as the official train.py writes it."""
    sizes = dict(input_size=8, patch_size=2, in_channels=4, hidden_size=16, depth=1, num_heads=1, num_classes=3, learn_sigma=True,
                 mlp_ratio=1)
    model, ema = module.DiT(**sizes), module.DiT(**sizes)
    for net in (model, ema):
        redraw(net, generator)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.5)
    arguments = argparse.Namespace(data_path="images", image_size=64, num_classes=3, global_batch_size=256, lr=1e-4)
    torch.save({"model": model.state_dict(), "ema": ema.state_dict(), "opt": optimiser.state_dict(), "args": arguments},
               out / "dit_training.pt")
    ema.eval()
    x, labels = torch.randn((2, 4, 8, 8), generator=generator), torch.tensor([3, 1])
    with torch.no_grad():
        expected(out, "dit_training", x, labels, ema(x, TIMES, labels))


def unet_pipeline(out, generator):
    """The folder of a pipeline, with the weights in shards."""
    net = diffusers.UNet2DModel(
        sample_size=8, in_channels=2, out_channels=2, down_block_types=["DownBlock2D", "AttnDownBlock2D"],
        up_block_types=["AttnUpBlock2D", "UpBlock2D"], block_out_channels=[8, 16], layers_per_block=1, norm_num_groups=4,
        attention_head_dim=8, num_class_embeds=4, downsample_padding=0, freq_shift=1, flip_sin_to_cos=False).eval()
    redraw(net, generator)
    scheduler = diffusers.DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.001, beta_end=0.015, prediction_type="v_prediction")
    folder = out / "unet_pipeline"
    shutil.rmtree(folder, ignore_errors=True)
    diffusers.DDIMPipeline(unet=net, scheduler=scheduler).save_pretrained(folder)
    shutil.rmtree(folder / "unet")
    net.save_pretrained(folder / "unet", max_shard_size="60KB")
    x, labels = torch.randn((2, 2, 8, 8), generator=generator), torch.tensor([3, 1])
    with torch.no_grad():
        expected(out, "unet_pipeline", x, labels, net(x, TIMES, class_labels=labels).sample)


def tensors(out):
    """Every type and way to lie in a storage."""
    base = torch.arange(24, dtype=torch.float32)
    state = collections.OrderedDict()
    state["plain"] = base.view(2, 3, 4)
    state["transposed"] = base.view(4, 6).t()
    state["window"] = base[5:17:3]
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.zeros((0, 3))
    for name, dtype in (("double", torch.float64), ("half", torch.float16), ("bfloat16", torch.bfloat16), ("long", torch.int64)):
        state[name] = torch.tensor([-1.5, 0.25, 3.0]).to(dtype)
    state["parameter"] = torch.nn.Parameter(torch.tensor([7.0]))
    torch.save({"state": {"net": state}, "step": 12, "loss": 0.25, "name": "x", "flags": [True, None, (1, 2)], "big": 2**70},
               out / "tensors.pt")


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/adadiff-evil",)


def evil(out):
    """What a hostile file looks like: it would run a command where a pickle may call functions."""
    with zipfile.ZipFile(out / "evil.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("evil/data.pkl", pickle.dumps({"weight": Evil()}, protocol=2))
        archive.writestr("evil/version", "3\n")


def compressed(out):
    """The same content as tensors.pt, but not stored as torch.save stores it."""
    with zipfile.ZipFile(out / "tensors.pt") as source, zipfile.ZipFile(out / "compressed.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))


def onnx_file(out):
    """Named weights of two types, a constant, and two norms as PyTorch's exporter writes them: with weights without names, the second
    applied before the first is listed."""
    def tensor(name, values, dtype):
        return onnx.helper.make_tensor(name, dtype, values.shape, values.numpy().tobytes(), raw=True)

    node, weights, nodes = onnx.helper.make_node, [], []
    floats, halves = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    weights.append(tensor("net.conv.weight", torch.arange(8.0).view(4, 2, 1, 1), floats))
    weights.append(tensor("net.conv.bias", torch.tensor([1.5, -2, 0, 4]).half(), halves))
    weights.append(tensor("val_1", torch.ones(2), floats))
    for number in (1, 0):
        for part in ("weight", "bias"):
            values = torch.arange(4.0).view(4, 1, 1) + 10 * number + (100 if part == "bias" else 0)
            weights.append(tensor(f"{part}_of_{number}", values, floats))
    value = "x"
    for number in (0, 1):
        names = [f"{step}{number}" for step in ("normed", "reshaped", "scaled", "shifted")]
        nodes.append(node("InstanceNormalization", [value, "val_1", "val_1"], [names[0]]))
        nodes.append(node("Reshape", [names[0], "shape"], [names[1]]))
        nodes.append(node("Mul", [names[1], f"weight_of_{number}"], [names[2]]))
        nodes.append(node("Add", [names[2], f"bias_of_{number}"], [names[3]]))
        value = names[3]
    nodes.append(node("Mul", [value, "net.conv.bias"], ["y"]))  # no norm: nothing normalises before it
    graph = onnx.helper.make_graph(
        nodes, "g", [onnx.helper.make_tensor_value_info("x", floats, [1, 4, 2, 2])],
        [onnx.helper.make_tensor_value_info("y", floats, [1, 4, 2, 2])], weights)
    onnx.save(onnx.helper.make_model(graph), out / "tensors.onnx")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dit", required=True, help="checkout of the official DiT")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(401)
    dit_training(record_dit.load_official(arguments.dit), arguments.out, generator)
    unet_pipeline(arguments.out, generator)
    tensors(arguments.out)
    evil(arguments.out)
    compressed(arguments.out)
    onnx_file(arguments.out)


if __name__ == "__main__":
    main()
