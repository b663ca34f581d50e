#!/usr/bin/env python3
"""Records where diffusers' schedulers lead, for a test that compares our solvers with them. Run by hand, outside the build:

    record_schedulers.py tests/golden/schedulers.json

Each case names a scheduler with its settings, and ours (docs/coming_from_diffusers.md). The network is a formula of the state and the
number that it embeds as its time, so that both sides evaluate the same one. Needs torch and diffusers 0.35.2.
"""

import ast
import json
import pathlib
import sys

import diffusers
import torch

LINEAR = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}
SCALED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
OURS_LINEAR = {"schedule": {"name": "ddpm-linear"}, "time": {"scale": 1000, "shift": -1}, "prediction": "noise"}
OURS_SCALED = {"schedule": {"name": "scaled-linear"}, "time": {"scale": 1000, "shift": -1}, "prediction": "noise"}
FLOW = {"schedule": {"name": "linear-flow"}, "time": {"scale": 1000}, "prediction": "flow"}
DYNAMIC = {"base_shift": 0.5, "max_shift": 1.15, "base_tokens": 256, "max_tokens": 4096, "token_size": 2}  # Flux
LINEAR_DYNAMIC = {"base_shift": 1.5, "max_shift": 4, "base_tokens": 256, "max_tokens": 4096, "token_size": 2, "type": "linear"}
EDM = {"schedule": {"name": "karras"}, "time": {"embeds": "log-sigma", "scale": 0.25}, "prediction": "preconditioned", "data_std": 0.5}



def shifted(time, shift):
    return shift * time / (1 + (shift - 1) * time)


def dynamic(rule):
    """The settings of diffusers that a rule of ours stands for."""
    return {"use_dynamic_shifting": True, "base_shift": rule["base_shift"], "max_shift": rule["max_shift"],
            "base_image_seq_len": rule["base_tokens"], "max_image_seq_len": rule["max_tokens"],
            "time_shift_type": rule.get("type", "exponential")}


# name: (scheduler, its settings, steps, our process, our solver settings)
CASES = {
    "ddim leading": ("DDIMScheduler", dict(LINEAR, clip_sample=False), 10, OURS_LINEAR, {"solver": "ddim", "grid": "leading"}),
    "ddim of stable diffusion": (
        "DDIMScheduler", dict(SCALED, clip_sample=False, steps_offset=1, set_alpha_to_one=False), 20, OURS_SCALED,
        {"solver": "ddim", "grid": "leading-1", "last": "min-time"}),
    "ddim trailing": (
        "DDIMScheduler", dict(LINEAR, clip_sample=False, timestep_spacing="trailing"), 10, OURS_LINEAR, {"solver": "ddim"}),
    "ddim velocity": (
        "DDIMScheduler", dict(LINEAR, clip_sample=False, timestep_spacing="trailing", prediction_type="v_prediction"), 10,
        dict(OURS_LINEAR, prediction="velocity"), {"solver": "ddim", "grid": "trailing"}),
    "ddim clean": (
        "DDIMScheduler", dict(LINEAR, clip_sample=False, timestep_spacing="trailing", prediction_type="sample"), 10,
        dict(OURS_LINEAR, prediction="clean"), {"solver": "ddim"}),
    "ddim clip_sample": (
        "DDIMScheduler", dict(LINEAR, timestep_spacing="trailing"), 10, OURS_LINEAR, {"solver": "ddim", "clamp": True, "keep_noise": True}),
    "ddim use_clipped_model_output": (
        "DDIMScheduler", dict(LINEAR, timestep_spacing="trailing"), 10, OURS_LINEAR, {"solver": "ddim", "clamp": True}),
    "euler discrete linspace": (
        "EulerDiscreteScheduler", dict(LINEAR, timestep_spacing="linspace"), 10, OURS_LINEAR, {"solver": "ddim", "grid": "linspace"}),
    "dpm-solver++ trailing": (
        "DPMSolverMultistepScheduler", dict(LINEAR, timestep_spacing="trailing"), 10, OURS_LINEAR, {"solver": "dpmpp-2m"}),
    "dpm-solver++ leading": (
        "DPMSolverMultistepScheduler", dict(LINEAR, timestep_spacing="leading"), 10, OURS_LINEAR,
        {"solver": "dpmpp-2m", "times": [i * 0.09 + 0.001 for i in range(10, 0, -1)] + [0]}),
    "dpm-solver++ first step": (
        "DPMSolverMultistepScheduler", dict(LINEAR, timestep_spacing="trailing", final_sigmas_type="sigma_min"), 20, OURS_LINEAR,
        {"solver": "dpmpp-2m", "last": "min-time"}),
    "heun": (
        "HeunDiscreteScheduler", dict(LINEAR, use_karras_sigmas=True), 10, OURS_LINEAR, {"solver": "heun-edm", "grid": "karras"}),
    "dpm-solver++ karras": (
        "DPMSolverMultistepScheduler", dict(LINEAR, use_karras_sigmas=True), 10, OURS_LINEAR, {"solver": "dpmpp-2m", "grid": "karras"}),
    "dpm-solver++ lu": (
        "DPMSolverMultistepScheduler", dict(LINEAR, use_lu_lambdas=True), 10, OURS_LINEAR, {"solver": "dpmpp-2m", "grid": "logsnr"}),
    "flow euler": ("FlowMatchEulerDiscreteScheduler", {"shift": 1.0}, 8, FLOW, {"solver": "ddim"}),
    "flow euler shifted": ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, 8, dict(FLOW, grid_shift=3), {"solver": "ddim"}),
    "flow euler of stable diffusion 3": (
        "FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, 8, FLOW,
        {"solver": "ddim", "times": [shifted(1 - i / 7 * (1 - shifted(0.001, 3)), 3) for i in range(8)] + [0]}),
    "flow euler dynamic": (
        "FlowMatchEulerDiscreteScheduler", dynamic(DYNAMIC), 8, dict(FLOW, grid_shift=DYNAMIC, image=[64, 48]), {"solver": "ddim"}),
    "flow euler dynamic odd": (
        "FlowMatchEulerDiscreteScheduler", dynamic(DYNAMIC), 8, dict(FLOW, grid_shift=DYNAMIC, image=[15, 31]), {"solver": "ddim"}),
    "flow euler dynamic beyond": (
        "FlowMatchEulerDiscreteScheduler", dynamic(DYNAMIC), 8, dict(FLOW, grid_shift=DYNAMIC, image=[256, 256]), {"solver": "ddim"}),
    "flow euler dynamic linear": (
        "FlowMatchEulerDiscreteScheduler", dynamic(LINEAR_DYNAMIC), 8, dict(FLOW, grid_shift=LINEAR_DYNAMIC, image=[64, 48]),
        {"solver": "ddim"}),
    "edm euler": ("EDMEulerScheduler", {}, 18, EDM, {"solver": "ddim"}),
    "edm dpm-solver++": ("EDMDPMSolverMultistepScheduler", {}, 18, EDM, {"solver": "dpmpp-2m"}),
}


def network(x, time):
    """The same formula stands in tests/diffusion/schedulers_test.cpp."""
    return torch.tanh(1.3 * x) * torch.cos(0.01 * time) + 0.3 * torch.sin(0.004 * time + x)


def calculate_shift():
    """The function of Flux's pipeline in diffusers, whose module cannot be imported without transformers."""
    path = pathlib.Path(diffusers.__file__).parent / "pipelines/flux/pipeline_flux.py"
    found = [node for node in ast.parse(path.read_text(encoding="utf-8")).body
             if isinstance(node, ast.FunctionDef) and node.name == "calculate_shift"]
    names = {}
    exec(compile(ast.Module(found, []), str(path), "exec"), names)
    return names["calculate_shift"]


def dynamic_shift(process):
    """mu as the pipelines of Flux and Stable Diffusion 3 compute it for an image; nothing for other processes."""
    if "image" not in process:
        return {}
    rule, (height, width) = process["grid_shift"], process["image"]
    tokens = (height // rule["token_size"]) * (width // rule["token_size"])
    return {"mu": calculate_shift()(tokens, rule["base_tokens"], rule["max_tokens"], rule["base_shift"], rule["max_shift"])}


def run(scheduler, steps, start, keywords, process, solver):
    """From unit noise to the last state; also what our side cannot take from the settings: the noise levels that were passed."""
    if type(scheduler).__name__ == "FlowMatchEulerDiscreteScheduler" and "times" not in solver:
        scheduler.set_timesteps(sigmas=[1 - i / steps for i in range(steps)], **dynamic_shift(process))  # as Flux's pipeline does
    else:
        scheduler.set_timesteps(steps)
    is_variance_exploding = hasattr(scheduler, "sigmas") and not isinstance(scheduler, diffusers.DPMSolverMultistepScheduler) \
        and not isinstance(scheduler, diffusers.FlowMatchEulerDiscreteScheduler)
    x = start * (scheduler.sigmas[0].double() if isinstance(scheduler, (diffusers.EDMEulerScheduler, diffusers.EDMDPMSolverMultistepScheduler))
                 else scheduler.init_noise_sigma if is_variance_exploding else 1)
    times = []
    for time in scheduler.timesteps:
        times.append(float(time))
        scaled = scheduler.scale_model_input(x, time) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(network(scaled, time.double()), time, x, return_dict=False, **keywords)[0]
    return x, times


def main(path):
    torch.set_default_dtype(torch.float64)
    start = torch.linspace(-2, 2, 9)
    cases = []
    for name, (kind, settings, steps, process, solver) in CASES.items():
        scheduler = getattr(diffusers, kind)(**settings)
        keywords = {"use_clipped_model_output": True} if "use_clipped" in name else {}
        final, times = run(scheduler, steps, start, keywords, process, solver)
        cases.append({"name": name, "scheduler": kind, "settings": settings, "process": process, "solver": dict(solver, steps=steps),
                      "start": start.tolist(), "times": times, "final": final.tolist()})
    text = json.dumps({"diffusers": diffusers.__version__, "cases": cases}, indent=1)
    pathlib.Path(path).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
