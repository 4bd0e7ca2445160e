"""A store that is away in mid-run: the run goes on, nothing logged is lost, and mistakes are still mistakes."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import mlflow
import pytest
import requests
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE
from sqlalchemy.exc import OperationalError

from benchmarks.tracking_server import TrackingServer
from tests.bundles import tiny_bundle
from tests.datasets import make_dataset
from training.cli.command_lines import interpreter
from training.review.champion import champion_if_there
from training.settings.send import SendConfig
from training.settings.tracking import TrackingConfig
from training.stages.send import send
from training.tracking import tracker as tracker_module
from training.tracking.journal import JOURNAL_FILE, Journal
from training.tracking.registry import keep_and_register
from training.tracking.store import StoreAwayError, mlflow_errors
from training.tracking.tracker import Tracker

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path)
    yield server
    server.kill()


def history(client: mlflow.MlflowClient, run_id: str) -> dict[str, list[tuple[int, float]]]:
    names = client.get_run(run_id).data.metrics
    return {name: [(m.step, m.value) for m in client.get_metric_history(run_id, name)] for name in names}


def test_what_is_logged_while_the_server_is_dead_is_sent_when_it_is_back(server, tmp_path, capsys):
    """Killed after the first epoch of three; a bundle, a page of figures and the end come after that."""
    config = TrackingConfig(uri=server.url, runs=str(tmp_path / "runs"), model="tillside")
    tracker = Tracker.start(config)
    folder = tmp_path / "runs" / tracker.run_id
    tracker.metrics({"loss": 3.0}, step=0)
    assert tracker.unsent is None
    server.kill()
    dataset = make_dataset(tmp_path / "shop", train=[[0, 1], [1, 0, 1]], test=[[1, 1, 0, 0]], trained=2)
    for step in (1, 2):
        tracker.metrics({"loss": 3.0 - step}, step=step)
    tracker.parameters({"model": {"dim": 8}})
    tracker.dataset(dataset, tags={"softmax": "full"})
    (folder / "figures").mkdir()
    (folder / "figures" / "curve.png").write_bytes(b"png")
    tracker.artifact(folder / "figures", "figures")
    assert keep_and_register(tracker, tiny_bundle(folder / "bundle"), config, place="bundle") is None
    assert champion_if_there(tracker, config.model) is None
    tracker.end()
    said = capsys.readouterr().out
    assert said.count("the server does not answer") == 1  # not at every entry
    later = f"{interpreter()} -m training.send run={tracker.run_id} tracking.runs={tmp_path}/runs"
    assert f"not registered: MLflow at {server.url} is away; {later} does it later" in said
    assert "the run's page is made without the champion's figures" in said
    waits = f"MLflow is away: 8 entries wait in {folder / JOURNAL_FILE}; send what waits with:  {later}"
    assert waits in said
    assert tracker.unsent == waits  # 2 epochs, parameters, inputs, their tags, figures, bundle, end
    with pytest.raises(ValueError, match="the server does not answer"):
        send(SendConfig(tracker.run_id, config))

    server.start()
    assert send(SendConfig(tracker.run_id, config)) == 8
    client = mlflow.MlflowClient(server.url)
    run = client.get_run(tracker.run_id)
    assert history(client, tracker.run_id) == {"loss": [(0, 3.0), (1, 2.0), (2, 1.0)]}
    assert run.data.params == {"model.dim": "8"}
    assert run.data.tags["softmax"] == "full"
    assert len(run.inputs.dataset_inputs) == 3
    assert [a.path for a in client.list_artifacts(tracker.run_id, "figures")] == ["figures/curve.png"]
    assert run.info.status == "FINISHED"
    words = (folder / JOURNAL_FILE).read_text().splitlines(keepends=True)
    (ended,) = [entry["time"] for entry in map(json.loads, words) if "status" in entry]
    assert run.info.end_time == ended  # when it did, not when that arrived
    version = client.get_model_version_by_alias(config.model, "challenger")
    assert (version.run_id, version.version) == (tracker.run_id, run.data.tags["registry.version"])

    (folder / JOURNAL_FILE).write_text("".join(line for line in words if '"sent"' not in line))
    assert send(SendConfig(tracker.run_id, config)) == 11  # all of it once more, bundle and version too
    again = client.get_run(tracker.run_id)
    assert history(client, tracker.run_id) == {"loss": [(0, 3.0), (1, 2.0), (2, 1.0)]}
    assert again.to_dictionary() == run.to_dictionary()
    assert len(client.search_model_versions(f"name='{config.model}'")) == 1
    assert send(SendConfig(tracker.run_id, config)) == 0


class Client:
    """A client whose store fails as it is told, and who counts what it is asked."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked: Counter[str] = Counter()
        self.got: list[tuple[str, float]] = []

    def log_batch(self, run_id, *, metrics, params, tags):
        self.asked["log_batch"] += 1
        if self.failure is not None:
            raise self.failure
        self.got += [(metric.key, metric.value) for metric in metrics]

    def set_terminated(self, run_id, status, time):
        self.asked["set_terminated"] += 1
        if self.failure is not None:
            raise self.failure
        self.got.append((status, 0.0))


class Run:
    class info:  # noqa: N801
        run_id = "r"

    class data:  # noqa: N801
        params: ClassVar[dict[str, str]] = {}


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(tracker_module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def tracker(client, tmp_path) -> Tracker:
    return Tracker(client, Run, "http://shop", Journal(tmp_path / "runs" / "r" / JOURNAL_FILE))


LOCKED = mlflow.MlflowException(
    OperationalError("insert", {}, Exception("database is locked")), TEMPORARILY_UNAVAILABLE
)
GONE = mlflow.MlflowException("API request failed with exception HTTPConnectionPool: Max retries exceeded: refused")
REFUSED = mlflow.MlflowException("Changing param values is not allowed", INVALID_PARAMETER_VALUE)


@pytest.mark.parametrize("failure", [LOCKED, GONE])
def test_a_store_that_is_away_is_asked_again_after_a_pause_and_in_order(tracker, client, clock, failure):
    client.failure = failure
    tracker.metrics({"a": 1})
    tracker.metrics({"b": 2})
    assert client.asked["log_batch"] == 1  # within the pause of 5 seconds nobody waits for it again
    clock[0] += 5.0
    tracker.metrics({"c": 3})
    assert client.asked["log_batch"] == 2
    client.failure = None
    clock[0] += 4.9
    tracker.metrics({"d": 4})
    assert (tracker.waiting, client.got) == (4, [])
    clock[0] += 0.1
    tracker.metrics({"e": 5})
    assert client.got == [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
    assert (tracker.waiting, tracker.unsent) == (0, None)


def test_the_longer_an_answer_takes_the_longer_the_pause(tracker, client, clock, monkeypatch):
    """10 s without an answer are followed by 20 * 10 s without a question: a run waits for 10 of 210 s."""

    def silent(*arguments, **named):
        client.asked["log_batch"] += 1
        clock[0] += 10
        raise GONE

    monkeypatch.setattr(client, "log_batch", silent)
    for _ in range(420):
        tracker.metrics({"a": 1})
        clock[0] += 1
    assert client.asked["log_batch"] == 3  # at 0, 210 and 420 s


def test_the_end_asks_whatever_the_pause_says(tracker, client, clock):
    client.failure = GONE
    tracker.metrics({"a": 1})
    client.failure = None
    tracker.end()
    assert client.got == [("a", 1), ("FINISHED", 0.0)]


def test_a_mistake_is_raised_once_and_does_not_stand_in_the_way(tracker, client, clock):
    client.failure = REFUSED
    with pytest.raises(ValueError, match=r"^MLflow at http://shop: Changing param values is not allowed$") as caught:
        tracker.parameters({"a": 1})
    assert not isinstance(caught.value, StoreAwayError)
    client.failure = None
    tracker.metrics({"b": 2})
    assert client.got == [("b", 2)]
    assert "not allowed" in (tracker.journal.path.read_text().splitlines()[1])


def test_a_mistake_that_waited_is_named_by_the_command_that_sends(
    tracker, client, clock, monkeypatch, tmp_path, capsys
):
    client.failure = GONE
    for name in "ab":
        tracker.metrics({name: 1})
    assert tracker.waiting == 2
    opened = Tracker(client, Run, "http://shop", Journal(tracker.journal.path))
    monkeypatch.setattr("training.stages.send.Tracker.open", lambda *arguments, journal: opened)
    monkeypatch.setattr(client, "get_run", lambda run_id: Run, raising=False)
    client.failure = REFUSED
    assert send(SendConfig("r", TrackingConfig(runs=str(tmp_path / "runs")))) == 0
    assert capsys.readouterr().out.count("refused, and left out: MLflow at http://shop: Changing") == 2
    assert not Journal(tracker.journal.path).waiting


def answered(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError("an upload failed", response=response)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (answered(503), True),
        (answered(500), True),
        (answered(429), True),
        (answered(413), False),
        (requests.ConnectionError("reset"), True),
        (FileNotFoundError("model.pt"), False),
        (LOCKED, True),
        (REFUSED, False),
    ],
)
def test_absence_is_told_from_mistakes(error, away):
    with pytest.raises(ValueError) as caught, mlflow_errors("http://shop"):
        raise error
    assert isinstance(caught.value, StoreAwayError) is away
