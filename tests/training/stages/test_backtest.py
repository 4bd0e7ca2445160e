"""A rolling backtest: no model learns from its windows, older models are compared on the same cases, and what finished
is not done twice."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.datasets import START_MS
from tests.logs import circle_log
from tillside.dataset import load_dataset
from training.data.readers.events import EventsConfig
from training.data.readers.sequences import SequencesConfig
from training.learning.recipe import learn
from training.review.markdown import GAP
from training.settings.backtest import BacktestConfig
from training.settings.model import ModelConfig
from training.settings.tracking import TrackingConfig
from training.settings.trainer import TrainerConfig
from training.stages import backtest as room
from training.stages.backtest import backtest
from training.tracking.store import open_store

pytestmark = pytest.mark.slow

HOUR_MS = 3_600_000
SESSION_MS = 4000
HOURS = 100


@pytest.fixture(autouse=True)
def _alone(one_thread: None) -> None:
    """Every test here, by conftest's fixture."""


def settings(folder: Path, log: Path, **given: Any) -> BacktestConfig:
    trainer = TrainerConfig(max_epochs=1, batch_events=64, progress_bar=False)
    model = ModelConfig(dim=8, layers=1, heads=1, max_length=8)
    tracking = TrackingConfig(runs=str(folder / "runs"), uri=f"sqlite:///{folder}/mlflow.db")
    fields = {"data": EventsConfig(path=str(log)), "windows": 2, "trainer": trainer, "model": model}
    return BacktestConfig(**{**fields, "tracking": tracking, **given})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backtest")


@pytest.fixture(scope="module")
def stopped(folder: Path) -> str:
    """The id of a backtest that was stopped when its second model was about to learn."""
    calls = []

    def once(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return learn(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(room, "learn", once)
        torch.set_num_threads(1)
        with pytest.raises(KeyboardInterrupt):
            backtest(settings(folder, circle_log(folder / "log.csv", HOURS)))
    (parent,) = [path.parent.name for path in (folder / "runs").glob("*/children.json")]
    return parent


@pytest.fixture(scope="module")
def finished(folder: Path, stopped: str) -> tuple[dict[str, Any], int]:
    """The backtest gone on with: its document, and how many models learned after the stop."""
    calls = []

    def counted(*given: Any, **named: Any) -> Any:
        calls.append(given)
        return learn(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(room, "learn", counted)
        return backtest(settings(folder, folder / "log.csv", resume=stopped)), len(calls)


def test_no_model_learns_from_a_window_that_it_is_tested_on(folder: Path, stopped: str, finished: Any) -> None:
    """100 sessions, one an hour: the windows are sessions 80 to 89 and 90 to 99, 4 cases each; a session ends 4 s after
    its hour. The models learn from all that ended before."""
    document, _ = finished
    assert document["windows"] == [
        {"begins": START_MS + 80 * HOUR_MS + SESSION_MS, "ends": START_MS + 90 * HOUR_MS + SESSION_MS},
        {"begins": START_MS + 90 * HOUR_MS + SESSION_MS, "ends": START_MS + 99 * HOUR_MS + SESSION_MS + 1},
    ]
    assert document["learned_until"] == [START_MS + hour * HOUR_MS + SESSION_MS for hour in (79, 89)]
    for number, until in enumerate(document["learned_until"]):
        dataset = load_dataset(folder / "runs" / stopped / "windows" / str(number + 1))
        assert int(dataset.before_test().times.max()) == until < int(dataset.part("test").times.min())
    told = [(test["model"], test["window"], test["age"], test["cases"]) for test in document["tests"]]
    assert told == [(1, 1, 0, 40), (1, 2, 1, 40), (2, 2, 0, 40)]
    hours = (80 + 90) / 2 - 79
    assert document["tests"][0]["age_days"] == pytest.approx(hours / 24)


def test_a_window_whose_child_run_finished_is_not_repeated(folder: Path, stopped: str, finished: Any) -> None:
    _, learned = finished
    assert learned == 1
    client, _ = open_store(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"))
    experiment = client.get_experiment_by_name("tillside").experiment_id
    runs = {run.info.run_id: run for run in client.search_runs([experiment])}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    children = json.loads((folder / "runs" / stopped / "children.json").read_text())
    assert set(runs) == {stopped, *children.values()}
    assert {runs[child].data.tags["mlflow.parentRunId"] for child in children.values()} == {stopped}
    assert {runs[child].data.tags["mlflow.runType"] for child in children.values()} == {
        "evaluation"
    }  # opens the parent
    assert " backtest 20" in runs[stopped].info.run_name
    assert runs[children["1"]].info.run_name == f"before window 1 of {runs[stopped].info.run_name}"


def test_the_run_holds_table_figure_and_curves(folder: Path, stopped: str, finished: Any) -> None:
    document, _ = finished
    client, _ = open_store(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"))
    run = client.get_run(stopped)
    note = run.data.tags["mlflow.note.content"].replace(GAP, "")
    assert note.startswith("Backtest on events over 2 windows: a model ")
    assert f"| 1 | 2 | 0.6 | 40 | {document['tests'][1]['recall@20']:.4f}" in note  # 94.5 - 79 hours are 15.5
    history = {point.step: point.value for point in client.get_metric_history(stopped, "by_age/recall_at_20")}
    assert history == {age: pytest.approx(document["by_age"][str(age)]["recall@20"]) for age in (0, 1)}
    assert (folder / "runs" / stopped / "quality-by-age.png").stat().st_size > 10_000
    assert [each.path for each in client.list_artifacts(stopped, "figures")] == ["figures/quality-by-age.png"]


def test_other_settings_and_other_runs_cannot_be_gone_on_with(folder: Path, stopped: str, finished: Any) -> None:
    log = folder / "log.csv"
    with pytest.raises(ValueError, match=rf"share cannot be changed by resume={stopped}: it is 0.1 there, got 0.2"):
        backtest(settings(folder, log, resume=stopped, share=0.2))
    with pytest.raises(ValueError, match="resume=nothing is no backtest in "):
        backtest(settings(folder, log, resume="nothing"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"windows": 1}, "windows must be at least 2, for a model to grow old, got 1"),
        ({"share": 0.0}, r"share and validation must be above 0 and below 1, got 0\.0, 0\.05"),
        ({"windows": 10}, r"must be below 1, so that the first model has something to learn from, got 10 \* 0\.1"),
    ],
)
def test_settings_that_make_no_windows_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BacktestConfig(**given)


def test_a_log_without_a_clock_is_refused_and_no_run_begins(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("u1 1 2 3 4\nu2 2 3 4 5\n")
    with pytest.raises(ValueError, match=r"split\.by is 'fractions', which does not fit this log"):
        backtest(settings(tmp_path, tmp_path, data=SequencesConfig(path=str(tmp_path / "log.txt"))))
    assert not list((tmp_path / "runs").iterdir())
