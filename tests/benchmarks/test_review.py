"""The review benchmark: its meter and its comparison by hand, and a tiny run whose server is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import review
from benchmarks.review import Meter, extrapolated, held, logging_cost, run_config, server_killed, written
from benchmarks.sessions import write_sessions
from benchmarks.tracking_server import TrackingServer
from training.settings.tracking import TrackingConfig
from training.tracking.tracker import Tracker

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_store_of_the_environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("review") / "sessions"
    write_sessions(path, items=50, sessions=300)
    return path


@pytest.fixture
def server(tmp_path) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path)
    yield server
    server.kill()


def test_a_call_within_a_watched_one_counts_with_that(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(review.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(review.time, "process_time", lambda: now[0] / 4)
    others = iter([10, 12, 20, 20])  # within the first call they take 2 s
    meter = Meter(lambda: next(others))

    def inner() -> None:
        now[0] += 3

    def outer() -> None:
        now[0] += 1
        watched()

    watched = meter.watching(inner, "epoch")
    meter.watching(outer, "page")()
    watched()
    assert meter.calls == {"page": [(4.0, 3.0)], "epoch": [(3.0, 0.75)]}
    assert meter.seconds("page") == (4.0, 3.0)
    assert meter.seconds("nothing") == (0.0, 0.0)


def test_ten_minutes_by_hand():
    assert extrapolated(0.05, 6.0) == pytest.approx(0.02)  # 6 s once and 120 epochs of 0.05 s, of 600 s


def test_what_the_store_has_is_held_against_the_journal(tmp_path):
    tracker = Tracker.start(TrackingConfig(runs=str(tmp_path / "runs")))
    journal, folder = tracker.journal.path, tracker.journal.path.parent
    tracker.parameters({"dim": 8})
    tracker.metrics({"loss": 1.0}, step=3)
    tracker.tags({"t": "old"})
    tracker.tags({"t": "new"})
    (folder / "figures").mkdir()
    (folder / "figures" / "a.png").write_bytes(b"a")
    tracker.artifact(folder / "figures", "shown")
    tracker.end()
    there = held(tracker.client, tracker.run_id)
    assert {fact[:2] for fact in written(journal)} == {
        ("param", "dim"),
        ("metric", "loss"),
        ("tag", "t"),
        ("artifact", "shown/a.png"),
        ("status", "FINISHED"),
    }
    assert written(journal) <= there
    tracker.journal.add({"kind": "batch", "metrics": [["loss", 0.5, 7, 4]]})
    (folder / "figures" / "a.png").write_bytes(b"other")
    missing = sorted(fact[:2] for fact in written(journal) - there)
    assert missing == [("artifact", "shown/a.png"), ("metric", "loss")]


def test_the_cost_of_logging_is_measured_in_a_real_run(sessions, tmp_path):
    config = run_config(sessions, tmp_path / "runs", None, epochs=1, dim=16)
    config.export = False
    cost = logging_cost(config)
    # one, one of the refit, what intent and the blend validated, and the headline of the test part
    assert cost["epochs"] == 5
    whole = cost["fixed_cpu_s"] + cost["epochs"] * cost["each_epoch_cpu_s"]
    assert whole == pytest.approx(cost["share_of_this_run"] * cost["run_cpu_s"])
    assert 0 < cost["share_of_this_run"] < 1


def test_a_run_whose_server_is_killed_loses_nothing(sessions, server, tmp_path, capsys):
    config = run_config(sessions, tmp_path / "runs", server.url, epochs=3, dim=16)
    config.export = False
    figures = server_killed(config, server)
    assert figures["lost"] == 0
    assert figures["entries_waited"] == figures["entries_sent"] > 5
    assert figures["facts"] > 100
    said = capsys.readouterr().out
    assert f"MLflow is away: {figures['entries_waited']:.0f} entries wait in " in said
    assert "lost: " not in said
