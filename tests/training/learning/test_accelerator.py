"""Where training computes: what is asked is the accelerator that a run uses, not what the machine has besides."""

from types import SimpleNamespace

import pytest
import torch

from training.learning import accelerator
from training.learning.accelerator import (
    arithmetic,
    autocast,
    device_type,
    generator_state,
    lightning_precision,
    set_generator_state,
)
from training.settings.trainer import Precision, TrainerConfig


def present(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool = False, bf16: bool = True) -> None:
    monkeypatch.setattr(accelerator.CUDAAccelerator, "is_available", staticmethod(lambda: cuda))
    monkeypatch.setattr(accelerator.MPSAccelerator, "is_available", staticmethod(lambda: mps))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation)


@pytest.mark.parametrize(
    ("asked", "cuda", "mps", "kind"),
    [
        ("auto", True, False, "cuda"),
        ("auto", False, False, "cpu"),
        ("auto", False, True, "mps"),
        ("cpu", True, False, "cpu"),
        ("gpu", True, False, "cuda"),
        ("gpu", False, True, "mps"),
        ("cuda", True, False, "cuda"),
    ],
)
def test_the_kind_of_device_is_of_the_accelerator_that_is_used(
    asked: str, cuda: bool, mps: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    present(monkeypatch, cuda=cuda, mps=mps)
    assert device_type(asked) == kind


@pytest.mark.parametrize(
    ("precision", "asked", "cuda", "bf16", "name"),
    [
        (Precision.auto, "auto", True, True, "bf16-mixed"),
        (Precision.auto, "gpu", True, True, "bf16-mixed"),
        (Precision.auto, "auto", True, False, "32-true"),  # a GPU that only emulates it
        (Precision.auto, "auto", False, True, "32-true"),
        (Precision.auto, "cpu", True, True, "32-true"),  # the GPU beside it is not asked
        (Precision.bf16, "cpu", False, False, "bf16-mixed"),
        (Precision.fp32, "gpu", True, True, "32-true"),
    ],
)
def test_half_precision_is_taken_where_it_is_faster_or_asked_for(
    precision: Precision, asked: str, cuda: bool, bf16: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    present(monkeypatch, cuda=cuda, bf16=bf16)
    config = TrainerConfig(precision=precision, accelerator=asked)
    assert lightning_precision(config) == name
    assert arithmetic(config) is (Precision.bf16 if name == "bf16-mixed" else Precision.fp32)


@pytest.mark.parametrize(
    ("precision", "kept"), [(Precision.bf16, 256.0), (Precision.fp32, 257.0), (Precision.auto, 257.0)]
)
def test_the_trunks_products_are_in_the_runs_arithmetic(precision: Precision, kept: float) -> None:
    """257 needs nine bits, bf16 has eight: the nearest even is 256."""
    with autocast(TrainerConfig(precision=precision, accelerator="cpu")):
        product = torch.tensor([[257.0]]) @ torch.tensor([[1.0]])
    assert product.item() == kept


def test_a_devices_generator_goes_on_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout draws on the device, so a resumed run needs the state of the generator there; a CPU's is torch's own."""
    states = {0: torch.tensor([1, 2], dtype=torch.uint8), 1: torch.tensor([3, 4], dtype=torch.uint8)}
    gpu = SimpleNamespace(
        get_rng_state=lambda device: states[device.index],
        set_rng_state=lambda state, device: states.__setitem__(device.index, state),
    )
    monkeypatch.setattr(torch, "get_device_module", lambda device: gpu)
    second = torch.device("cuda", 1)
    before = generator_state(second)
    assert before is not None
    assert (before[0], before[1].tolist()) == ("cuda", [3, 4])
    states[1] = torch.tensor([9, 9], dtype=torch.uint8)
    set_generator_state(second, before)
    assert [state.tolist() for state in states.values()] == [[1, 2], [3, 4]]
    set_generator_state(second, None)  # of a run that was made before, or on a CPU
    assert states[1].tolist() == [3, 4]
    assert generator_state(torch.device("cpu")) is None
