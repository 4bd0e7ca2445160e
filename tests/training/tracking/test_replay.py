"""Journal entries as calls of MLflow, each by hand."""

from pathlib import Path
from typing import Any

import pytest

from training.tracking.journal import KIND
from training.tracking.replay import ARTIFACT, BATCH, INPUTS, STATUS, perform


class Client:
    """Notes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **named: self.calls.append((name, *arguments, named))


def performed(entry: dict[str, Any], folder: Path = Path()) -> tuple[Any, ...]:
    client: Any = Client()
    perform(entry, client, "r", folder=folder)
    (call,) = client.calls
    return call


def test_a_batch_carries_metrics_with_time_and_step_parameters_and_tags() -> None:
    name, run_id, named = performed(
        {KIND: BATCH, "metrics": [["loss", 0.5, 1000, 3]], "params": [["dim", "8"]], "tags": [["seed", "0"]]}
    )
    assert (name, run_id) == ("log_batch", "r")
    assert [(m.key, m.value, m.timestamp, m.step) for m in named["metrics"]] == [("loss", 0.5, 1000, 3)]
    assert [(p.key, p.value) for p in named["params"]] == [("dim", "8")]
    assert [(t.key, t.value) for t in named["tags"]] == [("seed", "0")]
    assert performed({KIND: BATCH})[2] == {"metrics": [], "params": [], "tags": []}


def test_an_input_is_a_data_set_in_a_context() -> None:
    part = {"name": "shop/train", "digest": "d", "source_type": "local", "source": "{}", "profile": "{}"}
    name, run_id, (given,), _ = performed({KIND: INPUTS, "inputs": {"training": part}})
    assert (name, run_id) == ("log_inputs", "r")
    assert (given.dataset.name, given.dataset.digest) == ("shop/train", "d")
    assert [(tag.key, tag.value) for tag in given.tags] == [("mlflow.data.context", "training")]


def test_files_and_folders_go_from_where_the_run_lies(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "model.pt").touch()
    figures = performed({KIND: ARTIFACT, "path": "figures", "folder": "figures"}, tmp_path)
    assert figures == ("log_artifacts", "r", str(tmp_path / "figures"), "figures", {})
    model = performed({KIND: ARTIFACT, "path": "model.pt", "folder": None}, tmp_path)
    assert model == ("log_artifact", "r", str(tmp_path / "model.pt"), None, {})


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_ends_when_it_did_and_not_when_that_is_sent(status: str) -> None:
    assert performed({KIND: STATUS, "status": status, "time": 5}) == ("set_terminated", "r", status, 5, {})


def test_a_resumed_run_only_changes_its_status() -> None:
    assert performed({KIND: STATUS, "status": "RUNNING"}) == ("update_run", "r", "RUNNING", {})
