#!/usr/bin/env python3
"""Records what the official ADM code and diffusers compute, for tests that compare ours with them. Run by hand, outside the build:

    record_unet.py --adm DIR --out tests/golden

DIR is a checkout of the pinned commit below; unet.py is checked by its hash. One .safetensors comes out per case: inputs, the output and
every seventh value of the features after each block under `golden.`, and under the metadata key `golden` a JSON object with the case's
`network` (docs/model_format.md), the generator, the source and the shape of every tensor by its name in our model files. The weights
themselves are not stored: `weight()` gives them as a function of name and index, here and in tests/networks/unet_test.cpp. Needs torch,
diffusers 0.35.2, safetensors.
"""

import argparse
import hashlib
import json
import math
import pathlib
import sys

import diffusers
import numpy
import torch
from safetensors.torch import save_file

COMMIT = "22e0df8183507e13a7813f8d38d51b072ca1e67c"
SHA256 = "ab3ad40d70a551069f3e2d14698f7c6712e5738d0be1365def6cad78ca15eeda"
ADM = f"github.com/openai/guided-diffusion at {COMMIT}"
DIFFUSERS = f"diffusers {diffusers.__version__}, UNet2DModel"

DEFAULTS = dict(kind="unet", blocks_per_level=2, attention_levels=[], middle_attention=True, norm_groups=32, norm_eps=1e-5, scale_shift=False,
                resampling="convolution", label_rows=0, learned_variance=False, uncertainty="none")
CASES = {
    # Improved DDPM: the time is added; attention in the official "legacy" order of rows.
    "unet_adm_additive": dict(source=ADM, network=dict(
        image_size=8, channels=3, width=32, multipliers=[1, 2], blocks_per_level=1, attention_levels=[1], heads=2, heads_outermost=True,
        label_rows=5)),
    # ADM: the time scales and shifts, residual resampling, learned variances; an image that is not square.
    "unet_adm_scale_shift": dict(source=ADM, network=dict(
        image_size=[8, 16], channels=1, width=32, multipliers=[1, 2, 2], attention_levels=[1, 2], head_width=16, heads_outermost=False,
        scale_shift=True, resampling="residual", learned_variance=True)),
    # Resampling without convolutions; attention at every level, all heads one.
    "unet_adm_plain_resampling": dict(source=ADM, network=dict(
        image_size=8, channels=2, width=32, multipliers=[1, 1], blocks_per_level=1, attention_levels=[0, 1], heads=1,
        heads_outermost=True, resampling="plain")),
    # The networks of Ho et al. 2020 as diffusers runs them.
    "unet_diffusers_ddpm": dict(source=DIFFUSERS, network=dict(
        image_size=8, channels=3, width=16, multipliers=[1, 2, 2], attention_levels=[1], heads=1, norm_groups=8, norm_eps=1e-6,
        pads_one_side=True, frequency_shift=1, sine_first=True)),
    # Latent diffusion's unconditional networks, and diffusers' options that no other case has.
    "unet_diffusers_options": dict(source=DIFFUSERS, network=dict(
        image_size=8, channels=4, width=16, multipliers=[1, 3], blocks_per_level=1, attention_levels=[0, 1], head_width=8, norm_groups=4,
        label_rows=6, centers_input=True, middle_scale=1.5)),
    "unet_diffusers_no_middle_attention": dict(source=DIFFUSERS, network=dict(
        image_size=8, channels=2, width=16, multipliers=[1, 2], blocks_per_level=1, middle_attention=False, heads=1, norm_groups=8)),
    # Consistency models as diffusers runs them.
    "unet_diffusers_consistency": dict(source=DIFFUSERS, network=dict(
        image_size=8, channels=3, width=32, multipliers=[1, 2], attention_levels=[1], head_width=16, scale_shift=True,
        resampling="residual", label_rows=4)),
}
NETWORK_TIMES = [731.5, 12.25]
STRIDE = 7  # of the features that are recorded


def fnv32(text):
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def weight(name, shape):
    """Uniform in +-sqrt(3) times a deviation that depends on the layer, around 1 for the weights of norms."""
    count = math.prod(shape)
    x = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(2654435761) + numpy.uint32(fnv32(name))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> numpy.uint32(shift))) * numpy.uint32(factor)
    x ^= x >> numpy.uint32(16)
    uniform = x.astype(numpy.float64) / 2**31 - 1
    is_norm = len(shape) == 1 and name.endswith(".weight")
    deviation = 0.3 if len(shape) == 1 else 1 / math.sqrt(count / shape[0])
    values = uniform * (math.sqrt(3) * deviation) + (1 if is_norm else 0)
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def sides(network):
    size = network["image_size"]
    return size if isinstance(size, list) else [size, size]


def out_channels(network):
    return network["channels"] * (2 if network["learned_variance"] else 1)


class Adm:
    """Its blocks are ours, and so are its names; the products of attention are convolutions of one cell there."""

    def __init__(self, folder, network):
        sys.path.insert(0, folder)
        from guided_diffusion.unet import UNetModel

        self.net = UNetModel(
            image_size=sides(network)[0], in_channels=network["channels"], model_channels=network["width"],
            out_channels=out_channels(network), num_res_blocks=network["blocks_per_level"],
            attention_resolutions=[2**level for level in network["attention_levels"]], channel_mult=network["multipliers"],
            conv_resample=network["resampling"] == "convolution", num_classes=network["label_rows"] or None,
            num_heads=network.get("heads", 1), num_head_channels=network.get("head_width", -1),
            use_scale_shift_norm=network["scale_shift"], resblock_updown=network["resampling"] == "residual",
            use_new_attention_order=not network["heads_outermost"]).eval()

    def tensors(self):
        for name, tensor in self.net.named_parameters():
            is_cell = tensor.dim() == 3
            yield name, tensor.shape[:2] if is_cell else tensor.shape, tensor

    def run(self, x, time, labels):
        net, features = self.net, []
        hooks = [block.register_forward_hook(lambda module, inputs, output: features.append(output))
                 for block in [*net.input_blocks[1:], net.middle_block, *net.output_blocks]]
        output = net(x, time, labels)
        for hook in hooks:
            hook.remove()
        return features, output


class Diffusers:
    def __init__(self, _, network):
        c, levels, labels = network, len(network["multipliers"]), network["label_rows"]
        residual = network["resampling"] == "residual"
        down = ["AttnDownBlock2D" if level in c["attention_levels"] else "ResnetDownsampleBlock2D" if residual else "DownBlock2D"
                for level in range(levels)]
        up = ["AttnUpBlock2D" if level in c["attention_levels"] else "ResnetUpsampleBlock2D" if residual else "UpBlock2D"
              for level in reversed(range(levels))]
        self.net = diffusers.UNet2DModel(
            sample_size=c["image_size"], in_channels=c["channels"], out_channels=out_channels(c),
            center_input_sample=c.get("centers_input", False), freq_shift=c.get("frequency_shift", 0),
            flip_sin_to_cos=not c.get("sine_first", False), down_block_types=down, up_block_types=up,
            block_out_channels=[c["width"] * m for m in c["multipliers"]], layers_per_block=c["blocks_per_level"],
            mid_block_scale_factor=c.get("middle_scale", 1), downsample_padding=0 if c.get("pads_one_side") else 1,
            downsample_type="resnet" if residual else "conv", upsample_type="resnet" if residual else "conv",
            attention_head_dim=c.get("head_width"), norm_num_groups=c["norm_groups"], norm_eps=c["norm_eps"],
            attn_norm_num_groups=c["norm_groups"],  # without it, the middle's attention has no norm beside "scale_shift"
            resnet_time_scale_shift="scale_shift" if c["scale_shift"] else "default", add_attention=c["middle_attention"],
            num_class_embeds=labels or None).eval()
        self.blocks = list(self.pair_blocks())

    def pair_blocks(self):
        """(our name, its modules in order) for every block."""
        net, number = self.net, 0
        for block in net.down_blocks:
            attentions = getattr(block, "attentions", None)
            for i, resnet in enumerate(block.resnets):
                number += 1
                yield f"input_blocks.{number}", [resnet] + ([attentions[i]] if attentions else [])
            if block.downsamplers:
                number += 1
                yield f"input_blocks.{number}", [block.downsamplers[0]]
        middle = net.mid_block
        attention = [middle.attentions[0]] if middle.attentions and middle.attentions[0] is not None else []
        yield "middle_block", [middle.resnets[0], *attention, middle.resnets[1]]
        number = 0
        for block in net.up_blocks:
            attentions = getattr(block, "attentions", None)
            for i, resnet in enumerate(block.resnets):
                modules = [resnet] + ([attentions[i]] if attentions else [])
                if i + 1 == len(block.resnets) and block.upsamplers:
                    modules.append(block.upsamplers[0])
                yield f"output_blocks.{number}", modules
                number += 1

    def tensors(self):
        for name, module in self.named_layers():
            for end in ("weight", "bias"):
                if isinstance(module, list):
                    tensors = [getattr(part, end) for part in module]
                    yield f"{name}.{end}", [sum(t.shape[0] for t in tensors), *tensors[0].shape[1:]], tensors
                elif getattr(module, end, None) is not None:
                    yield f"{name}.{end}", getattr(module, end).shape, getattr(module, end)

    def named_layers(self):
        net = self.net
        yield "time_embed.0", net.time_embedding.linear_1
        yield "time_embed.2", net.time_embedding.linear_2
        if net.class_embedding is not None:
            yield "label_emb", net.class_embedding
        yield "input_blocks.0.0", net.conv_in
        for name, modules in self.blocks:
            for i, module in enumerate(modules):
                yield from self.layers_of(f"{name}.{i}", module)
        yield "out.0", net.conv_norm_out
        yield "out.2", net.conv_out

    @staticmethod
    def layers_of(name, module):
        kind = type(module).__name__
        if kind == "ResnetBlock2D":
            yield f"{name}.in_layers.0", module.norm1
            yield f"{name}.in_layers.2", module.conv1
            yield f"{name}.emb_layers.1", module.time_emb_proj
            yield f"{name}.out_layers.0", module.norm2
            yield f"{name}.out_layers.3", module.conv2
            if module.conv_shortcut is not None:
                yield f"{name}.skip_connection", module.conv_shortcut
        elif kind == "Attention":
            yield f"{name}.norm", module.group_norm
            yield f"{name}.qkv", [module.to_q, module.to_k, module.to_v]
            yield f"{name}.proj_out", module.to_out[0]
        elif kind == "Downsample2D":
            yield f"{name}.op", module.conv
        elif kind == "Upsample2D":
            yield f"{name}.conv", module.conv
        else:
            sys.exit(f"{name}: no names for {kind}")

    def run(self, x, time, labels):
        features = []
        hooks = [modules[-1].register_forward_hook(lambda module, inputs, output: features.append(output)) for _, modules in self.blocks]
        output = self.net(x, time, class_labels=labels).sample
        for hook in hooks:
            hook.remove()
        return features, output


def set_weights(net):
    shapes = {}
    with torch.no_grad():
        for name, shape, tensors in net.tensors():
            shapes[name] = list(shape)
            values = weight(name, list(shape))
            if isinstance(tensors, list):
                for tensor, part in zip(tensors, values.chunk(len(tensors))):
                    tensor.copy_(part)
            else:
                tensors.copy_(values.view(tensors.shape))
    return shapes


def record(name, case, adm, out):
    network = {**DEFAULTS, **case["network"]}
    net = (Adm if case["source"] == ADM else Diffusers)(adm, network)
    shapes = set_weights(net)
    if sum(math.prod(shape) for shape in shapes.values()) != sum(p.numel() for p in net.net.parameters()):
        sys.exit(f"{name}: some parameters of the network have no name here")
    generator = torch.Generator().manual_seed(301)
    x = torch.randn((len(NETWORK_TIMES), network["channels"], *sides(network)), generator=generator)
    time = torch.tensor(NETWORK_TIMES)
    labels = torch.tensor([network["label_rows"] - 1, 1]) if network["label_rows"] else None
    with torch.no_grad():
        features, output = net.run(x, time, labels)
    spreads = [f.std().item() for f in features] + [output.std().item()]
    if min(spreads) < 0.1 or max(spreads) > 100:
        sys.exit(f"{name}: features must have a spread between 0.1 and 100, but have {spreads}")
    tensors = {"golden.x": x, "golden.network_time": time, "golden.output": output}
    if labels is not None:
        tensors["golden.labels"] = labels
    for i, feature in enumerate(features):
        tensors[f"golden.features.{i}"] = feature.flatten()[::STRIDE]
    description = {"generator": "tests/golden/record_unet.py", "source": case["source"], "case": name, "network": network, "shapes": shapes}
    path = out / f"{name}.safetensors"
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, path, {"golden": json.dumps(description)})
    path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adm", required=True, help="checkout of the official guided-diffusion")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    source = pathlib.Path(arguments.adm) / "guided_diffusion" / "unet.py"
    if hashlib.sha256(source.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{source}: must be the file of {ADM}, but differs")
    torch.set_num_threads(1)
    for name, case in CASES.items():
        record(name, case, arguments.adm, arguments.out)


if __name__ == "__main__":
    main()
