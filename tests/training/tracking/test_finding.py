"""Which run is meant: a full id, the beginning of one, or the newest."""

import os
from pathlib import Path

import pytest

from training.settings.tracking import TrackingConfig
from training.tracking import finding
from training.tracking.finding import RESUMABLE, TRAINED, find_run

FIRST, SECOND, THIRD = "aa" + "0" * 30, "ab" + "0" * 30, "b" * 32


@pytest.fixture(autouse=True)
def _no_store_of_the_environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def tracking(tmp_path) -> TrackingConfig:
    """Three runs, the second the newest; the third never came to a model."""
    for time, (run, file) in enumerate([(THIRD, RESUMABLE), (FIRST, TRAINED), (SECOND, TRAINED)], 1):
        (tmp_path / run).mkdir()
        (tmp_path / run / file).touch()
        (tmp_path / run / "config.yaml").write_text(f"dataset: shop-{time}\n")
        os.utime(tmp_path / run / file, (time, time))
    (tmp_path / "latest").symlink_to(FIRST)
    return TrackingConfig(runs=str(tmp_path))


def test_the_newest_run_of_a_kind_is_the_latest(tracking):
    assert find_run(tracking, "latest") == SECOND
    assert find_run(tracking, "latest", file=RESUMABLE, key="resume") == THIRD


def test_a_run_is_meant_by_the_beginning_of_its_id(tracking):
    assert find_run(tracking, "ab") == SECOND
    assert find_run(tracking, "aa0") == FIRST


def test_a_beginning_of_several_names_them(tracking):
    with pytest.raises(ValueError) as caught:
        find_run(tracking, "a")
    assert str(caught.value).startswith("run=a is the beginning of several runs: ab000000 (shop-3, 1970-")
    assert "aa000000 (shop-2, " in str(caught.value)


def test_an_unknown_run_names_the_newest(tracking):
    with pytest.raises(ValueError, match=r"run=c: no such run .*the newest are ab000000 .*; or say run=latest$"):
        find_run(tracking, "c")
    with pytest.raises(ValueError, match=r"resume=aa: no such run .*bbbbbbbb"):
        find_run(tracking, "aa", file=RESUMABLE, key="resume")


def test_without_runs_the_folder_is_asked_for(tmp_path):
    none = TrackingConfig(runs=str(tmp_path / "none"))
    with pytest.raises(ValueError) as caught:
        find_run(none, "latest")
    assert str(caught.value) == (
        f"run=latest: no runs are recorded at sqlite:///{tmp_path}/none/mlflow.db; "
        "set tracking.runs or tracking.uri to where they are"
    )
    with pytest.raises(ValueError, match=r"resume=a: there is no such run .*, so there is nothing to go on from; tra"):
        find_run(none, "a", file=RESUMABLE, key="resume")
    (tmp_path / "mlflow.db").touch()
    with pytest.raises(ValueError, match=r"run=latest: there is no such run .*tracking\.runs=DIR"):
        find_run(TrackingConfig(runs=str(tmp_path)), "latest")


def test_a_store_that_is_not_asked_is_not_named(tmp_path):
    """What can be gone on with lies in the folder of runs, whatever store recorded it."""
    tracking = TrackingConfig(runs=str(tmp_path), uri="http://shop")
    with pytest.raises(ValueError, match=rf"resume=a: there is no such run among the runs at {tmp_path}, so"):
        find_run(tracking, "a", file=RESUMABLE, key="resume")


def test_a_full_id_costs_no_look_at_anything(monkeypatch):
    monkeypatch.setattr(finding, "Path", None)
    assert find_run(TrackingConfig(runs="nowhere"), THIRD) == THIRD


def test_the_names_are_those_that_the_rest_gives_its_files():
    from training.learning.callbacks import RESUME_FILE
    from training.model.checkpoint import MODEL_FILE
    from training.stages.backtest import CHILDREN_FILE
    from training.sweeps.config import SWEEP_FILE
    from training.tracking.journal import JOURNAL_FILE

    own = (finding.TRAINED, finding.RESUMABLE, finding.SWEEP, finding.BACKTEST, finding.SENDABLE)
    assert own == (MODEL_FILE, RESUME_FILE, SWEEP_FILE, CHILDREN_FILE, JOURNAL_FILE)
    assert not Path("nowhere").exists()
