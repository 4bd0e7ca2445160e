"""A sweep: parent and children, chosen on validation, hopeless trials given up, and a kill that costs nothing."""

import re
import sys
from pathlib import Path

import mlflow
import numpy as np
import optuna
import pytest
import torch
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from optuna.trial import TrialState

from tests.datasets import make_dataset, random_rows
from training import train as training_command
from training.cli.command_lines import interpreter
from training.learning.callbacks import EpochMetrics
from training.review.markdown import GAP
from training.stages.train import train
from training.sweeps import sweep as sweeping
from training.sweeps.config import only_one
from training.sweeps.study_file import storage_of
from training.sweeps.sweep import sweep
from training.tracking.store import StoreAwayError

pytestmark = pytest.mark.slow

TINY = (
    "model.dim=8,4,16",
    "model.layers=1",
    "model.heads=1",
    "trainer.max_epochs=2",
    "trainer.batch_events=64",
    "trainer.progress_bar=false",
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    rows = random_rows(90, items=20)
    folder = tmp_path_factory.mktemp("sweep") / "tiny"
    make_dataset(folder, train=rows[:60], validation=rows[60:75], test=rows[75:], trained=20)
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory, dataset) -> Path:
    """A folder of runs whose store is migrated already."""
    runs = tmp_path_factory.mktemp("runs") / "runs"
    sweeping.Tracker.start(sweeping.TrackingConfig(runs=str(runs))).end()
    return runs


@pytest.fixture(autouse=True)
def _alone(one_thread, module_without_figures, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


class Kept:
    """What a sweep left in the store and in its study."""

    def __init__(self, runs: Path, parent: str) -> None:
        self.client = mlflow.MlflowClient(f"sqlite:///{runs}/mlflow.db")
        self.parent = self.client.get_run(parent)
        query = f"tags.`mlflow.parentRunId` = '{parent}'"
        found = self.client.search_runs([self.parent.info.experiment_id], query)
        self.children = {int(run.data.tags["sweep.trial"]): run for run in found}
        self.folder = runs / parent
        with storage_of(self.folder) as storage:
            self.trials = optuna.load_study(study_name=parent, storage=storage).trials
        self.note = self.parent.data.tags["mlflow.note.content"].replace(GAP, "")


def parents(runs: Path) -> list[str]:
    return sorted(
        (path.parent.name for path in runs.glob("*/sweep.yaml")), key=lambda name: (runs / name).stat().st_ctime
    )


@pytest.fixture(scope="module")
def unbroken(dataset, store, module_without_figures) -> Kept:
    """Three trials drawn by Optuna; the best one goes on to the end."""
    torch.set_num_threads(1)
    sweep(order(dataset, store), train=train)
    return Kept(store, parents(store)[-1])


def order(dataset: Path, store: Path) -> list[str]:
    space = ["optimizer.learning_rate=tag(log,interval(1e-3,1e-1))", *TINY]
    return [f"dataset={dataset}", f"tracking.runs='{store}'", *space, "sweep.trials=3", "sweep.whole=false"]


def test_parent_and_children_are_recorded_and_the_best_by_validation_is_copied(unbroken):
    assert unbroken.parent.info.status == "FINISHED"
    assert sorted(unbroken.children) == [0, 1, 2]
    assert {run.info.status for run in unbroken.children.values()} == {"FINISHED"}
    parent = unbroken.parent.info.run_name
    assert " sweep 20" in parent
    assert [unbroken.children[n].info.run_name for n in range(3)] == [f"trial {n} of {parent}" for n in range(3)]
    assert {run.data.tags["mlflow.runType"] for run in unbroken.children.values()} == {"evaluation"}
    values = [trial.value for trial in unbroken.trials]
    for trial, run in zip(unbroken.trials, [unbroken.children[n] for n in range(3)], strict=True):
        history = unbroken.client.get_metric_history(run.info.run_id, "val/mrr_at_20")
        assert trial.value == pytest.approx(max(metric.value for metric in history))
    best = unbroken.children[int(np.argmax(values))]
    tags = unbroken.parent.data.tags
    assert (tags["sweep.best_run"], tags["sweep.best_trial"]) == (best.info.run_id, str(int(np.argmax(values))))
    assert best.data.metrics.items() <= unbroken.parent.data.metrics.items()
    for key in ("model.dim", "optimizer.learning_rate", "model.layers"):
        assert float(unbroken.parent.data.params[key]) == pytest.approx(float(best.data.params[key]))


def test_only_the_best_ever_saw_the_test_part_and_nothing_is_registered(unbroken):
    tested = {n for n, run in unbroken.children.items() if any(m.startswith("test/") for m in run.data.metrics)}
    assert tested == {int(unbroken.parent.data.tags["sweep.best_trial"])}
    assert "test/recall_at_20" in unbroken.parent.data.metrics
    assert unbroken.client.search_registered_models() == []


def test_the_parents_page_has_the_table_and_the_figures(unbroken):
    sentence, *lines = unbroken.note.splitlines()
    best = unbroken.parent.data.tags["sweep.best_trial"]
    assert sentence.startswith(f"Sweep of 3 trials on tiny, 3 done: trial {best} is the best, val/mrr@20 0.")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert rows[0] == ["trial", "optimizer.learning_rate", "model.dim", "val/mrr@20", "status", "run"]
    told = {int(row[0].strip("*")): row for row in rows[2:]}
    for trial in unbroken.trials:
        assert told[trial.number][2:5] == [trial.params["model.dim"], f"{trial.value:.4f}", "finished"]
        assert unbroken.children[trial.number].info.run_id in told[trial.number][5]
    files = {file.path for file in unbroken.client.list_artifacts(unbroken.parent.info.run_id, "figures")}
    assert files == {"figures/parallel-coordinates.png", "figures/trials-by-epoch.png"}


class Killed(BaseException):
    """What a kill is to the process."""


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_killed_sweep_goes_on_with_the_trial_it_was_in_and_ends_as_the_unbroken_one(
    unbroken, dataset, store, monkeypatch, epoch
):
    """Killed in the second trial's first epoch or its second; what was done is not done again."""
    fitted: list[str] = []
    take_down = EpochMetrics.on_train_epoch_end

    def dying(self, trainer, pl_module):
        if len(fitted) == 2 + epoch:
            raise Killed
        fitted.append(self.tracker.run_id)
        take_down(self, trainer, pl_module)

    with monkeypatch.context() as patched:
        patched.setattr(EpochMetrics, "on_train_epoch_end", dying)
        with pytest.raises(Killed):
            sweep(order(dataset, store), train=train)
    parent = parents(store)[-1]
    broken = Kept(store, parent)
    assert broken.parent.info.status == "KILLED"
    assert [trial.state for trial in broken.trials] == [TrialState.COMPLETE, TrialState.RUNNING]
    sweep([f"resume={parent}", f"tracking.runs='{store}'"], train=train)
    whole = Kept(store, parent)
    assert whole.parent.info.status == "FINISHED"
    assert {n: run.info.run_id for n, run in whole.children.items() if n < 2} == {
        n: run.info.run_id for n, run in broken.children.items()
    }
    assert [(t.params, t.value, t.intermediate_values) for t in whole.trials] == [
        (t.params, t.value, t.intermediate_values) for t in unbroken.trials
    ]
    assert (
        whole.children[0].info.end_time == broken.children[0].info.end_time
        or whole.parent.data.tags["sweep.best_trial"] == "0"
    )


def test_a_finished_sweep_is_not_run_again(unbroken, store):
    parent = unbroken.parent.info.run_id
    with pytest.raises(ValueError, match=f"resume={parent}: the sweep is finished"):
        sweep([f"resume={parent}", f"tracking.runs='{store}'"], train=train)
    with pytest.raises(ValueError, match=r"sweep\.trials=9 cannot be given with -m resume="):
        sweep([f"resume={parent}", f"tracking.runs='{store}'", "sweep.trials=9"], train=train)


def test_a_hopeless_trial_is_pruned_and_its_run_is_no_failure(tmp_path, store):
    """After an item always comes the next one. With so small a step the second trial does not learn it; the median of
    one trial before it is that trial."""
    rows = [[(first + step) % 20 for step in range(5)] for first in range(20)]
    make_dataset(tmp_path / "circle", train=rows * 4, validation=rows, test=rows, trained=20)
    sweep(
        [
            f"dataset={tmp_path / 'circle'}",
            f"tracking.runs='{store}'",
            *TINY[1:],
            "model.dim=8",
            "trainer.max_epochs=3",
            "optimizer.learning_rate=0.05,1e-9",
            *("sweep.pruner=median", "sweep.startup_trials=1", "sweep.whole=false"),
        ],
        train=train,
    )
    kept = Kept(store, parents(store)[-1])
    assert [trial.state for trial in kept.trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert (kept.children[1].info.status, kept.children[1].data.tags["sweep.pruned"]) == ("KILLED", "true")
    assert kept.parent.info.status == "FINISHED"
    assert re.search(r"\| pruned after 2 epochs\s*\|", kept.note)
    assert "2 done, 1 pruned" in kept.note


def test_a_trial_that_fails_is_told_and_the_others_go_on(store, dataset):
    def fake(config, trial):
        if config.seed == 1:
            raise ValueError("training diverged | here")
        run = sweeping.Tracker.start(config.tracking, tags=trial.tags)
        run.metrics({"val/mrr@20": 0.1 * config.seed})
        run.end()
        assert (config.export, config.tracking.register) == (False, False)
        return 0.1 * config.seed

    assert sweep([f"dataset={dataset}", f"tracking.runs='{store}'", "seed=0,1,2"], train=fake) == pytest.approx(0.2)
    kept = Kept(store, parents(store)[-1])
    assert [trial.state.name for trial in kept.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert "failed: training diverged &#124; here" in kept.note
    assert kept.parent.data.tags["sweep.best_trial"] == "2"
    assert sorted(kept.children) == [0, 2]


def test_a_store_that_is_away_between_two_trials_is_waited_for(store, dataset, monkeypatch, capsys):
    """Away when the second trial begins, and twice when the third one's run is looked for."""
    started, slept, search = [], [], mlflow.MlflowClient.search_runs

    def away_twice(*arguments, **named):
        if started == [0, 1, 1] and len(slept) < 3:
            raise MlflowException("gone", error_code=TEMPORARILY_UNAVAILABLE)
        return search(*arguments, **named)

    def fake(config, trial):
        started.append(config.seed)
        if started == [0, 1]:
            raise StoreAwayError("MLflow is away")
        run = sweeping.Tracker.start(config.tracking, tags=trial.tags)
        run.metrics({"val/mrr@20": 0.1})
        run.end()
        return 0.1

    monkeypatch.setattr(sweeping, "pause", slept.append)
    monkeypatch.setattr(mlflow.MlflowClient, "search_runs", away_twice)
    sweep([f"dataset={dataset}", f"tracking.runs='{store}'", "seed=0,1,2"], train=fake)
    assert started == [0, 1, 1, 2]
    assert slept == [sweeping.PAUSE_SECONDS] * 3
    kept = Kept(store, parents(store)[-1])
    assert [trial.state.name for trial in kept.trials] == ["COMPLETE"] * 3
    assert sorted(kept.children) == [0, 1, 2]
    said = capsys.readouterr().out
    assert said.count("; the sweep waits for it") == 2
    assert "MLflow is away; the sweep waits" in said
    best = kept.parent.data.tags["sweep.best_run"]
    assert f"export and register it:  {interpreter()} -m training.export run={best} out=bundle" in said


def test_a_store_that_stays_away_ends_the_sweep_with_what_to_type(store, dataset, monkeypatch, capsys):
    def fake(config, trial):
        raise StoreAwayError("MLflow is away")

    now = [0.0]
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 600.0)  # each question starts a run in a real store
    monkeypatch.setattr(sweeping, "pause", lambda seconds: now.append(now[-1] + seconds))
    monkeypatch.setattr(sweeping, "now", lambda: now[-1])
    with pytest.raises(StoreAwayError, match="MLflow is away"):
        sweep([f"dataset={dataset}", f"tracking.runs='{store}'", "seed=0,1"], train=fake)
    assert now == [0, 600, 1200, 1800, 2400, 3000, 3600]
    assert sweeping.PATIENCE_SECONDS == 3600
    line = f"{interpreter()} -m training.train -m resume={parents(store)[-1]}"
    assert f"go on with the sweep:  {line}" in capsys.readouterr().out


def test_without_a_trial_that_ends_the_sweep_fails_with_the_reasons(store, dataset):
    def fake(config, trial):
        raise ValueError("diverged")

    with pytest.raises(ValueError, match="no trial of the sweep came to its end: diverged"):
        sweep([f"dataset={dataset}", f"tracking.runs='{store}'", "seed=0,1"], train=fake)
    assert Kept(store, parents(store)[-1]).parent.info.status == "FAILED"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["seed=1"], "a sweep needs something to vary"),
        (["sweep=huge"], "sweep=huge is not a choice; allowed: full, grid, quick"),
        (["seed=0,1"], "dataset must be given"),
        (["model.dim=8,wide"], r"model\.dim.*wide"),
        (["model.dmi=8,16"], r"model\.dmi .*did you mean model\.dim\? allowed here: companions, dim"),
        (["seed=0,1", "sweep.trails=3"], r"sweep\.trails .*did you mean sweep\.trials\? allowed here: fixed, pruner"),
        (["seed=0,1", "sweep.trials=0"], "sweep.trials must be at least 1, got 0"),
        (["seed=0,1", "sweep.pruner=axe"], "none, median, halving"),
        (["model.heads=2,5"], r"model\.dim must be a multiple of model\.heads \(5\), got 96"),
        (["model.dropout=interval(0,0.3)"], r"say how many to try, as sweep\.trials=20"),
        (["seed=0,1", "trainer.devices=2"], "a sweep runs each trial in one process, got 2"),
        (["resume=nothing"], r"resume=nothing: .*sweep\.yaml is missing"),
    ],
)
def test_a_wrong_order_is_one_sentence_before_anything_runs(overrides, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        sweep(overrides, train=lambda *_: pytest.fail("it ran"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["quick", "full"])
def test_the_sweeps_that_come_along_compose_and_can_be_changed(name, tmp_path):
    with pytest.raises(ValueError, match="dataset must be given"):
        sweep([f"sweep={name}", "sweep.trials=2", "model.dim=32"], train=lambda *_: pytest.fail("it ran"))


def test_two_processes_do_not_run_one_sweep_and_the_second_leaves_it_alone(unbroken, store):
    parent = unbroken.parent.info.run_id
    with only_one(unbroken.folder), pytest.raises(ValueError, match=f"another process runs the sweep {parent}"):
        sweep([f"resume={parent}", f"tracking.runs='{store}'"], train=train)
    assert unbroken.client.get_run(parent).info.status == "FINISHED"


def test_the_command_takes_m_and_leaves_other_launchers_to_hydra(monkeypatch):
    asked = []
    monkeypatch.setattr(sweeping, "sweep", lambda overrides, *, train: asked.append(overrides))
    for typed in (["-m", "seed=0,1"], ["seed=0,1", "--multirun", "sweep=quick"], ["sweep=quick", "dataset=d"]):
        monkeypatch.setattr(sys, "argv", ["training.train", *typed])
        training_command.main()
    assert asked == [["seed=0,1"], ["seed=0,1", "sweep=quick"], ["sweep=quick", "dataset=d"]]
    from training.cli.command import sweep_overrides

    assert sweep_overrides(["-m", "seed=0,1", "hydra/launcher=joblib"]) is None
    assert sweep_overrides(["--cfg", "job", "-m"]) is None
    assert sweep_overrides(["seed=1"]) is None
