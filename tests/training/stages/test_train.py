"""Training as a whole: it learns, the same seed gives the same numbers, and a stopped run resumes exactly."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

import training.evaluate
import training.export  # noqa: F401  their schemas
from tests.datasets import make_dataset
from tillside.atomic import atomic_directory
from tillside.bundle import open_bundle
from tillside.catalogue import Catalogue
from tillside.dataset import PARTS, Sessions, write_dataset
from tillside.events import Behaviours
from tillside.recommenders import Neighbourhood
from training.bundle.parity import TOLERANCE
from training.cli.command import compose_typed
from training.cli.command_lines import interpreter
from training.learning import fit, recipe
from training.learning.callbacks import RESUME_FILE, EpochMetrics
from training.learning.processes import ALONE, Processes
from training.learning.recipe import REFIT
from training.settings.loss import LossConfig, Softmax
from training.settings.model import ModelConfig, Network
from training.settings.tracking import TrackingConfig
from training.settings.train import TrainConfig
from training.settings.trainer import Precision, TrainerConfig
from training.stages import train as training_command
from training.stages.train import train
from training.sweeps.trial import Trial
from training.tracking.store import open_store
from training.tracking.unrecorded import Unrecorded

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread", "without_figures")]

ITEMS, SESSIONS, LENGTH = 12, 160, 5


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions that walk the catalogue in a circle, two steps at a time; the third event is a cart, the last a
    purchase when the first item is even. What comes next follows from what came before."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, ITEMS, SESSIONS)
    items_SL = (first[:, None] + 2 * np.arange(LENGTH)) % ITEMS
    behaviours_SL = np.zeros((SESSIONS, LENGTH), np.uint8)
    behaviours_SL[:, 2] = 1
    behaviours_SL[first % 2 == 0, LENGTH - 1] = 2
    times_SL = np.arange(SESSIONS)[:, None] * 3_600_000 + np.arange(LENGTH) * 5_000
    sessions = Sessions(
        items_SL.ravel().astype(np.int32),
        behaviours_SL.ravel(),
        times_SL.ravel(),
        np.arange(SESSIONS + 1) * LENGTH,
        {},
    )
    parts = {"train": (0, 120), "validation": (120, 140), "test": (140, SESSIONS)}
    counts = np.zeros((ITEMS, 3), np.int64)
    np.add.at(counts, (items_SL[:120].ravel(), behaviours_SL[:120].ravel()), 1)
    catalogue = Catalogue([f"i{n:02d}" for n in range(ITEMS)], ITEMS, counts, np.full(ITEMS, np.nan, np.float32))
    path = tmp_path_factory.mktemp("circle") / "dataset"
    with atomic_directory(path) as folder:
        write_dataset(
            folder,
            sessions=sessions,
            catalogue=catalogue,
            behaviours=Behaviours(),
            parts=parts,
            test_cases="every",
            about={"name": "circle", "config": {"repeats": "keep"}, "counts": {}},
        )
    return path


def config(dataset: Path, runs: Path, **trainer: Any) -> TrainConfig:
    settings = {"max_epochs": 6, "batch_events": 64, "patience": 6, "progress_bar": False, **trainer}
    return TrainConfig(
        dataset=str(dataset),
        export=False,
        model=ModelConfig(dim=16, layers=2, heads=2, max_length=8, dropout=0.1, item_dropout=0.1),
        trainer=TrainerConfig(**settings),
        tracking=TrackingConfig(runs=str(runs), uri=f"sqlite:///{runs.parent}/mlflow.db"),
    )


@pytest.fixture(scope="module")
def unbroken(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed, with its bundle."""
    runs = tmp_path_factory.mktemp("unbroken") / "runs"
    settings = config(dataset, runs)
    settings.export = True
    torch.set_num_threads(1)
    train(settings)
    return (runs / "latest").resolve()


def test_it_learns_what_the_baselines_cannot(unbroken: Path) -> None:
    """The next item is two steps on: co-visitation cannot tell before from after, popularity knows nothing."""
    metrics = json.loads((unbroken / "metrics.json").read_text())
    recall = {name: system["all"]["recall@5"]["value"] for name, system in metrics["systems"].items()}
    assert recall["tillside"] > 0.9
    assert recall["tillside"] > recall["popularity"] + 0.2
    assert set(metrics["systems"]["tillside"]["by_behaviour"]) == {"click", "cart", "purchase"}
    assert 0 <= metrics["intent"]["auc"] <= 1


def test_bf16_learns_as_much_and_is_judged_and_shipped_in_fp32(unbroken: Path, dataset: Path, tmp_path: Path) -> None:
    settings = config(dataset, tmp_path / "runs", precision=Precision.bf16)
    settings.export = True
    train(settings)
    made = tmp_path / "runs" / "latest"
    found = [json.loads((folder / "metrics.json").read_text())["systems"]["tillside"] for folder in (unbroken, made)]
    fp32, bf16 = (each["all"]["recall@5"]["value"] for each in found)
    assert abs(bf16 - fp32) <= 0.05
    full, half = (torch.load(folder / "model.pt", weights_only=True)["state"] for folder in (unbroken, made))
    assert not torch.equal(full["items.item.weight"], half["items.item.weight"])  # rounded otherwise on the way
    assert {each.dtype for each in half.values() if each.is_floating_point()} == {torch.float32}
    assert open_bundle(made / "bundle").manifest["parity"]["max_difference"] < TOLERANCE
    client, _ = open_store(settings.tracking, create=False)
    assert client.get_run(made.resolve().name).data.params["derived.trainer.precision"] == "bf16"


def test_a_gru_is_learned_judged_and_shipped_by_the_same_code(dataset: Path, tmp_path: Path) -> None:
    settings = config(dataset, tmp_path / "runs")
    settings.model.network, settings.export = Network.gru, True
    train(settings)
    made = tmp_path / "runs" / "latest"
    systems = json.loads((made / "metrics.json").read_text())["systems"]
    assert {"tillside", "gru"} <= set(systems)
    assert "transformer" not in systems
    assert systems["gru"]["all"]["recall@5"]["value"] > systems["popularity"]["all"]["recall@5"]["value"] + 0.2
    assert open_bundle(made / "bundle").manifest["parity"]["max_difference"] < TOLERANCE
    client, _ = open_store(settings.tracking, create=False)
    run = client.get_run(made.resolve().name)
    assert run.data.tags["model.network"] == "gru"
    assert run.data.tags["mlflow.runName"].startswith("circle gru ")
    assert "GRU of 2 layers" in run.data.tags["mlflow.note.content"]


def test_a_run_leaves_everything_a_reviewer_needs(unbroken: Path, dataset: Path) -> None:
    """Config, metrics by epoch, the data set as input, figures, metrics.json and a bundle that verifies."""
    client, _ = open_store(TrackingConfig(uri=f"sqlite:///{unbroken.parent.parent}/mlflow.db"))
    run = client.get_run(unbroken.name)
    assert run.info.status == "FINISHED"
    assert run.data.params["model.dim"] == "16"
    assert run.data.tags["dataset.digest"] == json.loads((dataset / "dataset.json").read_text())["digest"]
    assert {each.dataset.name for each in run.inputs.dataset_inputs} == {f"circle/{part}" for part in PARTS}
    assert (run.data.tags["softmax"], run.data.tags["seed"]) == ("full", "0")
    assert run.data.tags["behaviours"] == "click, cart, purchase"
    assert run.data.tags["mlflow.note.content"].startswith(
        "Trained on circle (120 sessions, 12 items that can be ranked): recall@20 is "
    )
    assert run.data.tags["bundle.version"] == open_bundle(unbroken / "bundle").version
    assert {"train/loss", "val/mrr_at_20", "test/recall_at_20", "test/intent_auc"} <= run.data.metrics.keys()
    assert len(client.get_metric_history(unbroken.name, "val/mrr_at_20")) == 6
    top = {artifact.path for artifact in client.list_artifacts(unbroken.name)}
    assert top == {
        "bundle",
        "figures",
        "latency.json",
        "metrics.json",
        "model.pt",
        "ranks.npz",
        "sessions.html",
        "sessions.json",
    }
    assert open_bundle(unbroken / "bundle").manifest["run"] == unbroken.name
    version = client.get_model_version_by_alias("dataset", "challenger")
    assert (version.run_id, version.source.rpartition("/")[2]) == (unbroken.name, "bundle")


def test_the_same_seed_gives_the_same_metrics_to_the_last_digit(unbroken: Path, dataset: Path, tmp_path: Path) -> None:
    train(config(dataset, tmp_path / "runs"))
    assert (tmp_path / "runs/latest/metrics.json").read_text() == (unbroken / "metrics.json").read_text()


class Killed(BaseException):
    """What a kill is to the run."""


def kill(*arguments: Any, **named: Any) -> None:
    raise Killed


def stopping(at: int, stage: str) -> type[pl.Callback]:
    """A callback that kills the run after so many batches of a step."""

    class Stop(pl.Callback):
        def __init__(self, step: object) -> None: ...

        def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
            (figures,) = [callback for callback in trainer.callbacks if isinstance(callback, EpochMetrics)]
            if (figures.stage, trainer.global_step) == (stage, at):
                raise Killed

    return Stop


@pytest.mark.parametrize(
    ("room", "name", "death"),
    [
        pytest.param(fit, "TrainingProgress", stopping(3, "train"), id="in the first epoch"),
        pytest.param(fit, "TrainingProgress", stopping(8, "train"), id="at the start of an epoch"),
        pytest.param(fit, "TrainingProgress", stopping(16, "train"), id="within an epoch"),
        pytest.param(recipe, "write_text_atomically", kill, id="when it was fitted"),
        pytest.param(recipe, "choose", kill, id="before validation chose"),
        pytest.param(fit, "TrainingProgress", stopping(3, REFIT), id="in the first epoch of the refit"),
        pytest.param(fit, "TrainingProgress", stopping(13, REFIT), id="within an epoch of the refit"),
        pytest.param(training_command, "save_model", kill, id="when it was refitted"),
    ],
)
def test_a_run_stopped_anywhere_ends_where_the_unbroken_one_does(
    unbroken: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Any, name: str, death: Any
) -> None:
    """8 or 9 batches an epoch, a resume point every 2; within each step and between them."""
    settings = config(dataset, tmp_path / "runs", checkpoint_batches=2)
    assert_same_end(killed_and_resumed(settings, monkeypatch, room, name, death), unbroken)


def killed_and_resumed(
    settings: TrainConfig, monkeypatch: pytest.MonkeyPatch, room: Any, name: str, death: Any
) -> Path:
    """The folder of a run that went on after its death."""
    with monkeypatch.context() as patched:
        patched.setattr(room, name, death)
        settings.trainer.progress_bar = room is fit
        with pytest.raises(Killed):
            train(settings)
    (folder,) = [path for path in Path(settings.tracking.runs).iterdir() if (path / RESUME_FILE).exists()]
    stored = (folder / "config.yaml").read_text().replace("progress_bar: true", "progress_bar: false")
    (folder / "config.yaml").write_text(stored)
    train(TrainConfig(resume=folder.name, tracking=settings.tracking))
    return folder


def assert_same_end(resumed: Path, unbroken: Path) -> None:
    """Metrics to the last digit, weights to the last bit."""
    assert (resumed / "metrics.json").read_text() == (unbroken / "metrics.json").read_text()
    found, whole = (torch.load(path / "model.pt", weights_only=True) for path in (resumed, unbroken))
    assert all(torch.equal(found["state"][name], whole["state"][name]) for name in whole["state"])
    assert found["memory"] == whole["memory"]
    assert found["refitted"]


def test_a_run_with_sparse_rows_learns_and_resumes_exactly(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a sampled softmax's step the item table sees only the batch's rows; stopped within the second epoch."""

    def settings(runs: Path) -> TrainConfig:
        made = config(dataset, runs, checkpoint_batches=2)
        made.loss = LossConfig(softmax=Softmax.sampled, pool=8, sparse_from_items=1)
        return made

    train(settings(tmp_path / "unbroken"))
    unbroken = (tmp_path / "unbroken/latest").resolve()
    metrics = json.loads((unbroken / "metrics.json").read_text())
    assert metrics["systems"]["tillside"]["all"]["recall@5"]["value"] > 0.9
    stop = stopping(11, "train")
    assert_same_end(
        killed_and_resumed(settings(tmp_path / "runs"), monkeypatch, fit, "TrainingProgress", stop), unbroken
    )


def test_resuming_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"resume=nothing: .*config\.yaml is missing, so there is nothing to go on"):
        train(TrainConfig(resume="nothing", tracking=TrackingConfig(runs=str(tmp_path))))


def test_a_data_set_that_forgets_short_sessions_is_not_trained_on(tmp_path: Path) -> None:
    """Format 1 does not say which sessions were too short to leave one out of."""
    place = make_dataset(
        tmp_path / "old", train=[[0, 1]], validation=[[0, 1]], test=[[0, 1]], trained=2, validation_cases="last"
    ).path
    about = place / "dataset.json"
    about.write_text(about.read_text().replace('"format_version": 2', '"format_version": 1'))
    with pytest.raises(ValueError, match=r"parted by leaving one out by an older tillside.*; prepare it again"):
        train(TrainConfig(dataset=str(place), tracking=TrackingConfig(runs=str(tmp_path / "runs"))))
    assert not (tmp_path / "runs").exists()


class Told:
    """A tracker that only notes how its run ended."""

    run_id = "r"

    def __init__(self, happened: list[str]) -> None:
        self.happened = happened

    def end(self, status: str = "FINISHED") -> None:
        self.happened.append(status)


STAGES = ("record", "learn", "judge", "ship", "publish", "show")


def played(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    trial: Trial = Trial(),  # noqa: B008 (frozen)
    leads: bool = True,
    death: tuple[str, BaseException] | None = None,
) -> list[str]:
    """What happened to a run whose stages do nothing, except for one that may raise."""
    happened: list[str] = []
    settings = TrainConfig(tracking=TrackingConfig(runs=str(tmp_path)))

    def set_up(settings: TrainConfig, trial: Trial, processes: Processes) -> training_command.Run:
        nothing: Any = None
        tracker: Any = Told(happened) if leads else Unrecorded("r")
        processes = ALONE if leads else Processes(rank=1, world=2)
        return training_command.Run(settings, trial, nothing, nothing, nothing, tracker, processes)

    def stage(name: str) -> Any:
        def act(run: training_command.Run) -> None:
            happened.append(name)
            if death is not None and death[0] == name:
                raise death[1]
            if name == "learn":
                run.best = 0.5

        return act

    monkeypatch.setattr(training_command, "set_up", set_up)
    for name in STAGES:
        monkeypatch.setattr(training_command, name, stage(name))
    if death is None:
        assert train(settings, trial) == 0.5
    else:
        with pytest.raises(type(death[1])):
            train(settings, trial)
    return happened


def test_a_run_is_started_learned_judged_shipped_and_published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has ended before its tables are printed."""
    assert played(monkeypatch, tmp_path) == ["record", "learn", "judge", "ship", "publish", "FINISHED", "show"]


def test_a_trial_that_is_not_whole_ends_when_it_was_fitted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert played(monkeypatch, tmp_path, trial=Trial(whole=False)) == ["record", "learn", "FINISHED"]


def test_the_ranks_but_0_only_learn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert played(monkeypatch, tmp_path, leads=False) == ["learn"]


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize(("death", "status"), [(ValueError("bad"), "FAILED"), (Killed(), "KILLED")])
def test_whatever_stage_a_run_dies_in_the_store_says_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str, death: BaseException, status: str
) -> None:
    until = STAGES[: STAGES.index(stage) + 1]
    assert played(monkeypatch, tmp_path, death=(stage, death)) == [*until, status]


@pytest.mark.parametrize(
    ("death", "tags", "resumable", "told"),
    [
        (Killed(), {}, True, True),
        (Killed(), {}, False, False),
        (ValueError("bad"), {}, True, False),
        (Killed(), {"sweep.trial": "1"}, True, False),
    ],
    ids=["killed", "before its first resume point", "failed", "a trial, whose sweep says what to type"],
)
def test_what_to_type_after_a_kill_is_told_where_it_would_work(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    death: BaseException,
    tags: dict[str, str],
    resumable: bool,
    told: bool,
) -> None:
    if resumable:
        (tmp_path / "r").mkdir()
        (tmp_path / "r" / RESUME_FILE).touch()
    played(monkeypatch, tmp_path, trial=Trial(tags=tags), death=("learn", death))
    said = f"go on with it:  {interpreter()} -m training.train resume=r tracking.runs={tmp_path}\n"
    assert capsys.readouterr().out == (said if told else "")


class Listening(Processes):
    """The second of two processes, told what the first one decided."""

    def from_first(self, decide: Any) -> Any:
        return next(self._waiting)


def test_a_rank_that_is_not_0_writes_nothing_and_trains_in_the_run_of_the_first(dataset: Path, tmp_path: Path) -> None:
    """It has no figure of its own for what the first one chose: neighbours, threads, the run's id."""
    told = iter([Neighbourhood(age_decay=0.5), 1, "r"])
    settings = config(dataset, tmp_path / "runs", devices=2)
    run = training_command.set_up(settings, Trial(), Listening(1, 2, told))
    assert run.folder == tmp_path / "runs" / "r"
    assert run.setup.data.recency == 0.5
    assert run.config.trainer.threads == 1
    assert run.ends_learned
    assert list(tmp_path.iterdir()) == []


def test_a_log_of_a_training_tells_once_how_good_it_is_and_what_to_type(
    dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No bar is redrawn in a file; every command that is printed means this very run, whatever its folder is called."""
    runs = str(tmp_path / "it's my [shop], {100 %}=$HOME")
    settings = config(dataset, Path(runs), max_epochs=1, progress_bar=True, refit=False)
    train(settings)
    out, err = capfd.readouterr()
    assert "\r" not in out + err
    assert "\x1b" not in out + err
    assert out.count("┃ system") == 1
    run_id = Path(runs, "latest").resolve().name
    told = dict(line.split(":  ", 1) for line in out.splitlines() if ":  " in line)
    assert list(told) == [
        "every figure",
        "export it",
        "look at it",
        "then open",
        "all runs, the best on validation first",
    ]
    for name, order in (("every figure", "evaluate"), ("export it", "export")):
        python, *module = shlex.split(told[name])
        assert (python, module[:2]) == (interpreter(), ["-m", f"training.{order}"])
        pasted = compose_typed(order, module[2:])
        assert (pasted.run, pasted.tracking.runs, pasted.tracking.uri) == (run_id, runs, settings.tracking.uri)
    assert shlex.split(told["look at it"])[1:5] == ["-m", "mlflow", "server", "--backend-store-uri"]
    assert shlex.split(told["look at it"])[5] == settings.tracking.uri
    assert all(told[name].startswith("http://127.0.0.1:5000/#/") for name in list(told)[-2:])
