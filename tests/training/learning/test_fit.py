"""The trainer: how long a log is learned from, and what becomes of its best epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch

from training.learning.fit import load_best, plan, refuse_diverged, refuse_machine
from training.settings.trainer import Precision, TrainerConfig


def test_batches_and_epochs_follow_from_the_size_of_the_log() -> None:
    """400 batches an epoch within bounds, 8 * (700,000 / targets) ** 0.4 epochs within bounds; what is given stays."""
    assert plan(700, TrainerConfig()) == (256, 60)  # 8 * 1000 ** 0.4 = 127, at most 60
    assert plan(7_000, TrainerConfig()) == (256, 50)  # 8 * 100 ** 0.4 = 8 * 6.310 = 50.5
    assert plan(700_000, TrainerConfig()) == (2048, 8)  # 700,000 / 400 = 1,750, nearest power of two 2,048
    assert plan(10**8, TrainerConfig()) == (2048, 3)
    assert plan(7_000, TrainerConfig(max_epochs=3, batch_events=64)) == (64, 3)


def test_a_warm_start_takes_a_third_of_the_epochs() -> None:
    assert plan(7_000, TrainerConfig(), warm=True)[1] == 17  # a third of 50
    assert plan(10**8, TrainerConfig(), warm=True)[1] == 2  # a third of 3 is 1, at least 2
    assert plan(7_000, TrainerConfig(max_epochs=5), warm=True)[1] == 5


@pytest.mark.parametrize("name", ["max_epochs", "batch_events", "patience", "devices", "nodes"])
def test_nothing_trains_on_less_than_one(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^trainer\.{name} must be at least 1, got 0$"):
        TrainerConfig(**{name: 0})


def test_a_resume_point_at_every_batch_is_allowed_and_one_in_the_past_is_not() -> None:
    assert TrainerConfig(checkpoint_minutes=0).checkpoint_minutes == 0
    for minutes in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=r"trainer\.checkpoint_minutes must be 0 or more"):
            TrainerConfig(checkpoint_minutes=minutes)


@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        ({"accelerator": "abacus"}, r"^trainer\.accelerator=abacus, trainer\.devices=1 cannot be had here: .*abacus"),
        ({"accelerator": "mps"}, r"^trainer\.accelerator=mps, trainer\.devices=1 cannot be had here: "),
        ({"nodes": 2}, r"^trainer\.nodes=2 needs torchrun .*--nnodes=2"),
    ],
)
def test_a_machine_that_is_not_there_is_refused_in_a_sentence(
    trainer: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines without a launcher would wait for each other for half an hour."""
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ValueError, match=sentence):
        refuse_machine(TrainerConfig(**trainer))


def test_a_machine_that_is_there_is_not_refused() -> None:
    for precision in Precision:
        refuse_machine(TrainerConfig(accelerator="cpu", devices=2, precision=precision))


def one_weight(value: float) -> Any:
    """The smallest module there is."""
    module = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(value)
    return module.train()


def test_the_best_epochs_weights_come_back_with_its_metric_and_their_number(tmp_path: Path) -> None:
    """Epochs are counted from 0 in the file, and from 1 outside."""
    callbacks = {"ModelCheckpoint{'monitor': 'val/mrr@20'}": {"best_model_score": torch.tensor(0.25)}, "Other": {}}
    document = {"state_dict": one_weight(3.0).state_dict(), "callbacks": callbacks, "epoch": 4}
    torch.save(document, tmp_path / "best.ckpt")
    module = one_weight(1.0)
    assert load_best(module, tmp_path) == (0.25, 5)
    assert module.weight.item() == 3.0
    assert not module.training


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_any_more_are_refused(value: float) -> None:
    refuse_diverged(one_weight(1.0))
    with pytest.raises(ValueError, match=r"training diverged: .*; lower optimizer\.learning_rate"):
        refuse_diverged(one_weight(value))
