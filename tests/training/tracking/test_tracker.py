"""MLflow: what is logged can be read back, and a wrong run is one sentence."""

import json
import math
import random
import sys
import threading
from dataclasses import replace
from urllib.parse import parse_qs

import mlflow
import pytest

from tests.datasets import make_dataset
from training.cli.command_lines import interpreter
from training.settings.tracking import TrackingConfig
from training.tracking.git import git_state
from training.tracking.store import fetch_artifact
from training.tracking.tracker import Tracker, flatten


@pytest.fixture(autouse=True)
def no_store_of_the_environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrackingConfig:
    """A default store, new."""
    return TrackingConfig(runs=str(tmp_path_factory.mktemp("shop 100%") / "runs"), run_name="first")


@pytest.fixture
def tracker(config) -> Tracker:
    return Tracker.start(config)


def stored(tracker: Tracker):
    return mlflow.MlflowClient(tracker.uri).get_run(tracker.run_id)


def test_a_name_says_what_a_run_is_unless_the_config_or_a_tag_does(config, tracker):
    """The config's name was ``first``; a resumed run keeps its name."""
    assert stored(tracker).info.run_name == "first"
    plain = replace(config, run_name=None)
    named = Tracker.start(plain, name="shop transformer 2026-11-29 22:31")
    assert named.run.info.run_name == "shop transformer 2026-11-29 22:31"
    tagged = Tracker.start(config, name="no", tags={"mlflow.runName": "trial 3"})
    assert tagged.run.info.run_name == "trial 3"
    assert Tracker.start(plain, run_id=named.run_id, name="another").run.info.run_name == named.run.info.run_name


def test_a_resumed_run_keeps_its_parameters_and_gets_those_that_it_lacks(config):
    """MLflow refuses another value for a parameter, and a newer version may derive another one."""
    first = Tracker.start(config)
    first.parameters({"derived": {"model": {"dropout": 0.3}}})
    resumed = Tracker.start(config, run_id=first.run_id)
    resumed.parameters({"derived": {"model": {"dropout": 0.25, "item_dropout": 0.5}}})
    assert stored(resumed).data.params == {"derived.model.dropout": "0.3", "derived.model.item_dropout": "0.5"}


def test_the_default_store_lies_in_the_runs_folder(config, tracker, tmp_path):
    folder = config.runs
    assert tracker.uri == f"sqlite:///{folder}/mlflow.db"
    command, page = tracker.look.split("\n")
    assert command == f"{interpreter()} -m mlflow server --backend-store-uri '{tracker.uri}' --port 5000"
    assert page == f"then open:  {tracker.page}"
    place = f"/#/experiments/{tracker.run.info.experiment_id}/runs/{tracker.run_id}"
    assert tracker.page.endswith(f"{place}?workflowType=machine_learning")  # a bare link opens another tab
    (tmp_path / "note").write_text("kept")
    tracker.artifact(tmp_path / "note", "notes")
    (kept,) = (tmp_path.parent / folder).rglob("note")
    assert kept.is_relative_to(f"{folder}/artifacts")


def test_runs_of_one_seed_have_names_of_their_own_and_draw_as_before(config):
    names, draws = set(), set()
    for _ in range(2):
        random.seed(0)
        tracker = Tracker.start(replace(config, run_name=None))
        names.add(tracker.run.info.run_name)
        draws.add(random.random())
        tracker.end()
    assert len(names) == 2
    assert len(draws) == 1


def test_parameters_are_flat_and_more_than_a_hundred_go(tracker):
    tracker.parameters({"model": {"dim": 64, "deep": {"er": None}}, "long": "x" * 7000})
    tracker.parameters({f"p{number}": number for number in range(150)})
    params = stored(tracker).data.params
    assert params["model.dim"] == "64"
    assert params["model.deep.er"] == "None"
    assert params["long"] == "x" * 6000
    assert len(params) == 153


def test_tags_and_curves_go_together_and_curves_keep_their_steps(tracker):
    tracker.publish(tags={"bundle.version": "abc"}, curves={"recall_at_k/tillside": {1: 0.1, 20: 0.4}, "empty": {}})
    history = mlflow.MlflowClient(tracker.uri).get_metric_history(tracker.run_id, "recall_at_k/tillside")
    assert {metric.step: metric.value for metric in history} == {1: 0.1, 20: 0.4}
    assert stored(tracker).data.tags["bundle.version"] == "abc"


def test_the_experiment_keeps_the_views_that_the_printed_links_name(tracker):
    tags = mlflow.MlflowClient(tracker.uri).get_experiment(tracker.run.info.experiment_id).tags
    for link, order in {
        tracker.list_link(): "attributes.start_time",
        tracker.list_link(best_first=True): "metrics.`val/blend/recall_at_20`",
    }.items():
        place, _, query = link.partition("?")
        assert place == f"http://127.0.0.1:5000/#/experiments/{tracker.run.info.experiment_id}/runs"
        chosen = parse_qs(query)
        assert chosen["workflowType"] == ["machine_learning"]  # a bare link opens another tab
        view = json.loads(tags[f"mlflow.sharedViewState.{chosen['viewStateShareKey'][0]}"])
        assert (view["orderByKey"], view["orderByAsc"]) == (order, False)
        assert "tags.`alias`" in view["selectedColumns"]


def test_system_metrics_without_psutil_are_one_sentence(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.system_metrics.system_metrics_monitor", None)
    with pytest.raises(ValueError, match=r"^tracking\.system_metrics=true needs psutil"):
        Tracker.start(replace(config, system_metrics=True))


def test_flatten_by_hand():
    assert flatten({"a": {"b": {"c": 1}, "d": [2]}, "e": {}}) == {"a.b.c": 1, "a.d": [2]}


def test_metrics_keep_their_steps_and_only_finite_ones_go(tracker):
    tracker.metrics({"val/mrr@20": 0.1, "bad": math.nan, "worse": math.inf, "worst": -math.inf}, step=0)
    tracker.metrics({"val/mrr@20": 0.2}, step=1)
    history = mlflow.MlflowClient(tracker.uri).get_metric_history(tracker.run_id, "val/mrr_at_20")
    assert [(metric.step, metric.value) for metric in history] == [(0, 0.1), (1, 0.2)]
    assert set(stored(tracker).data.metrics) == {"val/mrr_at_20"}


def test_the_parts_of_the_data_set_are_inputs_of_the_run(tracker, tmp_path):
    dataset = make_dataset(tmp_path / "shop", train=[[0, 1], [1, 0, 1]], test=[[1, 1, 0, 0]], trained=2)
    tracker.dataset(dataset, tags={"softmax": "full"})
    run = stored(tracker)
    given = {each.tags[0].value: each.dataset for each in run.inputs.dataset_inputs}
    assert {context: json.loads(each.profile) for context, each in given.items()} == {
        "training": {"sessions": 2, "events": 5},
        "validation": {"sessions": 0, "events": 0},
        "test": {"sessions": 1, "events": 4},
    }
    assert {each.name for each in given.values()} == {"shop/train", "shop/validation", "shop/test"}
    for each in given.values():
        assert len(each.digest) == 36
        assert dataset.digest.startswith(each.digest)
        assert json.loads(each.source) == {"path": str(dataset.path)}
    assert run.data.tags["dataset.digest"] == dataset.digest
    assert run.data.tags["dataset.name"] == "shop"
    assert run.data.tags["softmax"] == "full"


def test_a_run_says_which_commit_it_came_from(tracker):
    tags = stored(tracker).data.tags
    assert {f"git.{name}": value for name, value in git_state().items()}.items() <= tags.items()
    assert stored(tracker).info.run_name == "first"


def test_a_resumed_run_is_the_same_run_and_runs_again(config, tracker):
    tracker.metrics({"loss": 2.0}, step=0)
    tracker.end("KILLED")
    assert stored(tracker).info.status == "KILLED"
    resumed = Tracker.start(config, run_id=tracker.run_id)
    assert resumed.run_id == tracker.run_id
    assert stored(resumed).info.status == "RUNNING"
    resumed.metrics({"loss": 1.0}, step=1)
    resumed.end()
    assert stored(tracker).info.status == "FINISHED"
    assert stored(tracker).data.metrics == {"loss": 1.0}


@pytest.mark.parametrize("run_id", ["0" * 32, "nonsense", "../../etc"])
def test_an_unknown_run_is_one_sentence(config, tracker, run_id, tmp_path):
    with pytest.raises(ValueError, match=f"^MLflow at sqlite:.*{run_id}") as caught:
        Tracker.start(config, run_id=run_id)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=f"^run {run_id} at sqlite:.* has no artifact model.pt: ") as caught:
        fetch_artifact(config, run_id, "model.pt", into=tmp_path)
    assert "\n" not in str(caught.value)


def test_artifacts_come_back_and_a_missing_one_is_one_sentence(config, tracker, tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "curve.png").write_bytes(b"png")
    tracker.artifact(folder, "figures")
    copy = fetch_artifact(config, tracker.run_id, "figures", into=tmp_path)
    assert (copy / "curve.png").read_bytes() == b"png"
    with pytest.raises(ValueError, match=r"has no artifact nothing\.json") as caught:
        fetch_artifact(config, tracker.run_id, "nothing.json", into=tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_keeps_running_for_the_sake_of_telemetry(tracker):
    assert not [thread.name for thread in threading.enumerate() if "elemetry" in thread.name]


def test_a_planted_secret_stands_neither_in_the_store_nor_in_any_file(tmp_path, monkeypatch, capsys):
    """In parameters, tags, names and notes; by an address, by a path that was one, and by the environment."""
    monkeypatch.setenv("SHOP_DB_PASSWORD", "PLANTED-environment")
    address = "http://ana:PLANTED-address@host:5000"
    config = TrackingConfig(runs=str(tmp_path / "runs"), run_name=f"run of {address}")
    tracker = Tracker.start(config, tags={"source": address, "key": "PLANTED-environment"})
    tracker.parameters({"tracking": {"uri": address}, "data": {"path": "https:/ana:PLANTED-path@host/log.csv"}})
    tracker.tags({"mlflow.note.content": f"learned from postgresql://u:PLANTED-note@db/shop ({address})"})
    tracker.end()
    assert stored(tracker).data.params == {"tracking.uri": "http://host:5000", "data.path": "https:/host/log.csv"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "journal.jsonl" for path in files)
    assert [path for path in files if b"PLANTED" in path.read_bytes()] == []
    assert "PLANTED" not in capsys.readouterr().out
