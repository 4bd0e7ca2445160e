"""Where training computes, in which arithmetic, and the state of the generators there.

Surprising: what a machine has is not what a run uses. ``trainer.accelerator=cpu`` on a machine with a GPU trains in
fp32, since ``auto`` means bf16 only where a GPU computes.
"""

from typing import Any, Literal

import torch
from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator

from training.settings.trainer import Precision, TrainerConfig


def device_type(accelerator: str) -> str:
    """The kind of device, in torch's words, that Lightning takes for an accelerator: cpu, cuda, mps."""
    if accelerator not in ("auto", "gpu"):
        return accelerator
    if MPSAccelerator.is_available():
        return "mps"
    return "cuda" if CUDAAccelerator.is_available() or accelerator == "gpu" else "cpu"


def arithmetic(config: TrainerConfig) -> Precision:
    """The precision that the config comes to: fp32 or bf16."""
    if config.precision is not Precision.auto:
        return config.precision
    fast = device_type(config.accelerator) == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return Precision.bf16 if fast else Precision.fp32


def lightning_precision(config: TrainerConfig) -> Literal["bf16-mixed", "32-true"]:
    """Lightning's name for :func:`arithmetic`."""
    return "bf16-mixed" if arithmetic(config) is Precision.bf16 else "32-true"


def autocast(config: TrainerConfig) -> torch.autocast:
    """A context in which the trunk computes as in training."""
    return torch.autocast(device_type(config.accelerator), torch.bfloat16, enabled=arithmetic(config) is Precision.bf16)


GeneratorState = tuple[str, torch.Tensor] | None
"""Kind of device and the state of its generator; None for a CPU, whose state is torch's own."""


def generator_state(device: torch.device) -> GeneratorState:
    """State of the generator that ``device`` draws from, such as for dropout."""
    if device.type == "cpu":
        return None
    return device.type, _generators(device).get_rng_state(*_index(device)).cpu()


def set_generator_state(device: torch.device, kept: GeneratorState) -> None:
    """Continue the generator of ``device`` from there; a run that went on to another kind of device draws anew."""
    if kept is not None and kept[0] == device.type:
        _generators(device).set_rng_state(kept[1].cpu(), *_index(device))


def _generators(device: torch.device) -> Any:
    return torch.get_device_module(device)


def _index(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)  # there is one, so its functions take no device
