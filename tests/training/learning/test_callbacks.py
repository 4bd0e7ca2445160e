"""Callbacks, called as Lightning calls them: an epoch's metrics, and the point that a killed run goes on from."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from training.inputs.datamodule import SessionData
from training.learning import callbacks
from training.learning.callbacks import RESUME_FILE, EpochMetrics, ResumePoint


class Tracker:
    """Notes the metrics."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, float]]] = []

    def metrics(self, values: dict[str, float], *, step: int) -> None:
        self.logged.append((step, values))


MODULE: Any = SimpleNamespace(
    device=torch.device("cpu"), model=SimpleNamespace(encoder=SimpleNamespace(log_temperature=torch.tensor(0.0)))
)
"""Its temperature is e ** 0 = 1."""


def one_epoch(metrics: EpochMetrics, monkeypatch: pytest.MonkeyPatch, rank: int = 0, **measured: float) -> None:
    """Two batches of 3 learned events each, on two processes; 4 s of training, then 2 s of validation."""
    now = iter([10.0, 14.0, 16.0])
    values = {name: torch.tensor(value) for name, value in measured.items()}
    trainer: Any = SimpleNamespace(
        world_size=2, is_global_zero=rank == 0, current_epoch=1, max_epochs=5, callback_metrics=values
    )
    batch: Any = SimpleNamespace(learn_BL=torch.tensor([[True, True], [True, False]]))
    with monkeypatch.context() as patched:
        patched.setattr(callbacks.time, "monotonic", lambda: next(now))
        metrics.on_train_epoch_start(trainer, MODULE)
        for number in range(2):
            metrics.on_train_batch_end(trainer, MODULE, None, batch, number)
        metrics.on_validation_start(trainer, MODULE)
        metrics.on_train_epoch_end(trainer, MODULE)


def test_an_epochs_metrics_by_hand(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """2 batches * 3 events * 2 processes = 12 events in the 4 s before validation: 3 a second."""
    tracker: Any = Tracker()
    metrics = EpochMetrics(tracker, padding_share=0.125)
    given = {"train/loss": 2.5, "val/recall@20": 0.5, "val/mrr@20": 0.25}
    one_epoch(metrics, monkeypatch, **given)
    expected = given | {
        "train/events_per_second": 3.0,
        "train/padding_share": 0.125,
        "train/epoch_seconds": 6.0,
        "train/temperature": 1.0,
    }
    assert tracker.logged == [(1, expected)]
    assert metrics.history == [{"epoch": 1, **expected}]
    said = "epoch 2 of 5: loss 2.500, val recall@20 0.5000, val mrr@20 0.2500, 3 events/s, 6 s\n"
    assert capsys.readouterr().out == said


def test_a_refit_has_names_of_its_own_in_the_store_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker: Any = Tracker()
    metrics = EpochMetrics(tracker, padding_share=0.0, stage="refit")
    one_epoch(metrics, monkeypatch, **{"train/loss": 2.5})
    ((_, logged),) = tracker.logged
    assert logged["refit/loss"] == metrics.history[0]["train/loss"] == 2.5
    assert not [name for name in logged if name.startswith("train/")]
    assert capsys.readouterr().out.startswith("refit, epoch 2 of 5: loss 2.500, 3 events/s")


def test_the_other_processes_keep_the_history_and_say_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker: Any = Tracker()
    metrics = EpochMetrics(tracker, padding_share=0.0)
    one_epoch(metrics, monkeypatch, rank=1, **{"train/loss": 2.5})
    assert tracker.logged == []
    assert len(metrics.history) == 1
    assert capsys.readouterr().out == ""
    resumed = EpochMetrics(tracker, padding_share=0.0)
    resumed.load_state_dict(metrics.state_dict())
    assert resumed.history == metrics.history


@pytest.mark.parametrize(
    ("batch", "minutes", "batches", "written"),
    [(0, 1.0, None, True), (1, 1.0, None, True), (1, 1.1, None, False), (4, 9.0, 4, True), (3, 9.0, 4, False)],
    ids=["an epoch begins", "its time has come", "not yet", "a batch that is counted", "one between"],
)
def test_when_a_resume_point_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    minutes: float,
    batches: int | None,
    written: bool,
) -> None:
    """The last one was written 61 s ago."""
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    saved: list[Path] = []
    strategy = SimpleNamespace(broadcast=lambda value: value)
    trainer: Any = SimpleNamespace(strategy=strategy, save_checkpoint=saved.append)
    point = ResumePoint(tmp_path, minutes=minutes, batches=batches)
    now[0] = 61.0
    point.on_train_batch_start(trainer, MODULE, None, batch)
    assert saved == ([tmp_path / RESUME_FILE] if written else [])


def test_a_run_of_two_processes_is_not_resumed_by_one(tmp_path: Path) -> None:
    point = ResumePoint(tmp_path, minutes=5.0)
    point._loaded = {"random_states": [torch.get_rng_state()] * 2}
    trainer: Any = SimpleNamespace(world_size=1, global_rank=0)
    with pytest.raises(ValueError, match=r"^the run to resume had 2 process\(es\), this one has 1; use as many$"):
        point.on_train_start(trainer, MODULE)


def test_a_resumed_run_draws_what_the_unbroken_one_would_have_drawn(tmp_path: Path) -> None:
    torch.manual_seed(1)
    point, state = ResumePoint(tmp_path, minutes=5.0), torch.get_rng_state()
    expected = torch.rand(3)
    torch.manual_seed(2)
    point._loaded = {"random_states": [state]}
    trainer: Any = SimpleNamespace(world_size=1, global_rank=0)
    point.on_train_start(trainer, MODULE)
    assert torch.equal(torch.rand(3), expected)


class Generator:
    """In the place of a GPU's: its state is how many numbers it drew."""

    def __init__(self) -> None:
        self.drawn = torch.tensor(0)

    def get_rng_state(self, device: torch.device) -> torch.Tensor:
        return self.drawn.clone()

    def set_rng_state(self, state: torch.Tensor, device: torch.device) -> None:
        self.drawn = state


@pytest.mark.parametrize(("resumed_on", "drawn"), [("cuda:1", 7), ("xpu:0", 9)], ids=["its kind", "another"])
def test_a_resumed_run_draws_on_a_gpu_what_the_unbroken_one_would_have_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resumed_on: str, drawn: int
) -> None:
    """Another kind of device has other numbers anyway."""
    generator = Generator()
    monkeypatch.setattr(callbacks.torch, "get_device_module", lambda device: generator)
    progress = SimpleNamespace(current=SimpleNamespace(completed=7))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    trainer: Any = SimpleNamespace(world_size=1, global_rank=0, fit_loop=loop, current_epoch=3)
    point, checkpoint = ResumePoint(tmp_path, minutes=5.0), {}
    generator.drawn = torch.tensor(7)
    there: Any = SimpleNamespace(device=torch.device("cuda:1"))
    point.on_save_checkpoint(trainer, there, checkpoint)
    torch.save(checkpoint, tmp_path / "point")
    generator.drawn = torch.tensor(9)
    point._loaded = torch.load(tmp_path / "point", weights_only=True)["tillside"]
    there = SimpleNamespace(device=torch.device(resumed_on))
    point.on_train_start(trainer, there)
    assert generator.drawn == drawn


def test_a_resumed_run_computes_on_as_many_threads(tmp_path: Path, one_thread: None) -> None:
    data: Any = SessionData.__new__(SessionData)
    progress = SimpleNamespace(current=SimpleNamespace(completed=7))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    trainer: Any = SimpleNamespace(world_size=1, fit_loop=loop, current_epoch=3, datamodule=data)
    point, checkpoint = ResumePoint(tmp_path, minutes=5.0), {}
    torch.set_num_threads(2)
    point.on_save_checkpoint(trainer, MODULE, checkpoint)
    torch.set_num_threads(1)
    point.on_load_checkpoint(trainer, MODULE, checkpoint)
    assert torch.get_num_threads() == 2
    assert data.resume_at == (3, 7)


def test_an_epochs_losses_are_means_over_targets_also_when_it_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 3 and 1 targets with losses 2 and 6: (3 * 2 + 1 * 6) / 4 = 3; intent (3 * .5 + 1 * .1) / 4 = .4."""
    logged: dict[str, float] = {}
    module: Any = SimpleNamespace(model=MODULE.model, log=lambda name, value, prog_bar: logged.update({name: value}))
    trainer: Any = SimpleNamespace(
        world_size=1, is_global_zero=True, current_epoch=0, max_epochs=1, callback_metrics={}
    )
    batches: list[Any] = [
        SimpleNamespace(learn_BL=torch.tensor([[True, True, True]])),
        SimpleNamespace(learn_BL=torch.tensor([[True, False, False]])),
    ]
    steps = [{"next_item": torch.tensor(2.0), "intent": torch.tensor(0.5)}]
    steps += [{"next_item": torch.tensor(6.0), "intent": torch.tensor(0.1)}]
    tracker: Any = Tracker()
    killed, resumed = (EpochMetrics(tracker, padding_share=0.0) for _ in range(2))
    killed.on_train_epoch_start(trainer, module)
    killed.on_train_batch_end(trainer, module, steps[0], batches[0], 0)
    resumed.load_state_dict(killed.state_dict())
    resumed.on_train_batch_end(trainer, module, steps[1], batches[1], 1)
    resumed.on_train_epoch_end(trainer, module)
    assert logged == pytest.approx({"train/loss": 3.0, "train/intent_loss": 0.4})
    assert resumed.history[0]["train/loss"] == 3.0
    resumed.on_train_epoch_start(trainer, module)
    assert resumed.state_dict()["sums"] == {}
