"""MLflow's store: a fresh one stands six first writers, and it lies where the config or the environment says."""

import contextlib
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from tests.bundles import tiny_bundle
from tests.datasets import make_dataset
from training.settings.tracking import TrackingConfig
from training.tracking import store
from training.tracking.registry import keep_and_register
from training.tracking.store import create_experiment, open_store
from training.tracking.tracker import Tracker
from training.tracking.views import shared_views

WRITERS = 6


@pytest.fixture(autouse=True)
def no_store_of_the_environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrackingConfig:
    """A default store, new."""
    return TrackingConfig(runs=str(tmp_path_factory.mktemp("store") / "runs"))


@pytest.fixture
def tracker(config) -> Tracker:
    return Tracker.start(config)


@pytest.fixture
def overtaken():
    """Do another's write between MLflow's next look and its write, as a second process would."""
    waiting: list[Callable[[], object]] = []

    def hook(*_) -> None:
        if waiting:
            waiting.pop()()

    sqlalchemy.event.listen(Session, "before_flush", hook)
    yield waiting.append
    sqlalchemy.event.remove(Session, "before_flush", hook)
    assert not waiting


def start_together(config: TrackingConfig, bundle: Path, barrier, answers) -> None:
    barrier.wait()
    try:
        tracker = Tracker.start(config)
        tracker.metrics({"val/recall@20": 0.5})
        keep_and_register(tracker, bundle, config, place="bundle")
        tracker.end()
        answers.put(tracker.run_id)
    except BaseException as error:
        answers.put(f"failed: {error!r}")
        raise


@pytest.mark.slow
def test_six_runs_that_start_together_on_a_fresh_store_all_succeed(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["training.tracking.registry", "mlflow.store.tracking.sqlalchemy_store"]
    )  # the slow imports once, not six times
    barrier, answers = context.Barrier(WRITERS), context.Queue()
    fresh = TrackingConfig(runs=str(tmp_path / "runs"))
    bundle = tiny_bundle(tmp_path / "bundle")
    processes = [context.Process(target=start_together, args=(fresh, bundle, barrier, answers)) for _ in range(WRITERS)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert len(set(found)) == WRITERS
    assert not [answer for answer in found if answer.startswith("failed")]
    client, _ = open_store(fresh)
    (experiment,) = [e for e in client.search_experiments() if e.name == "tillside"]
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.run_id for run in runs} == set(found)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.metrics["val/recall_at_20"] for run in runs} == {0.5}
    versions = client.search_model_versions("name='orchard'")
    assert sorted(int(version.version) for version in versions) == list(range(1, WRITERS + 1))
    assert {version.run_id for version in versions} == set(found)
    assert client.get_registered_model("orchard").aliases["challenger"] in {v.version for v in versions}


def tables_of(database: Path) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as opened:
        return opened.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def own_cache(tmp_path, monkeypatch) -> Path:
    """From here on the cache folder is another one, which is not there yet; where the tables will be kept."""
    monkeypatch.setenv("TILLSIDE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / f"mlflow-{mlflow.__version__}.db"


def test_the_tables_of_a_second_store_are_a_copy_of_the_first_one_s(tmp_path, monkeypatch):
    kept = own_cache(tmp_path, monkeypatch)
    open_store(TrackingConfig(runs=str(tmp_path / "one")))
    monkeypatch.setattr(store, "_make_tables", lambda database: pytest.fail("made again"))
    open_store(TrackingConfig(runs=str(tmp_path / "two")))
    tables, one, two = (tables_of(each) for each in (kept, tmp_path / "one/mlflow.db", tmp_path / "two/mlflow.db"))
    assert len(tables) > 50
    assert tables == one == two


@pytest.mark.parametrize("damage", ["cut off", "no folder can be made"])
def test_a_copy_that_is_none_costs_the_making_and_nothing_else(tmp_path, monkeypatch, config, tracker, damage):
    kept = own_cache(tmp_path, monkeypatch)
    whole = Path(config.runs, "mlflow.db")
    if damage == "cut off":
        kept.parent.mkdir()
        kept.write_bytes(whole.read_bytes()[:200_000])
    else:
        kept.parent.write_text("a file\n", encoding="utf-8")
    open_store(TrackingConfig(runs=str(tmp_path / "runs")))
    names = [[row[:2] for row in tables_of(each)] for each in (tmp_path / "runs/mlflow.db", whole)]
    assert names[0] == names[1]


def test_a_relative_sqlite_store_lies_where_the_process_stands(tmp_path, monkeypatch, config, tracker):
    (tmp_path / "my.db").write_bytes(Path(config.runs, "mlflow.db").read_bytes())  # spares a migration
    monkeypatch.chdir(tmp_path)
    second = Tracker.start(TrackingConfig(uri="sqlite:///my.db", runs=str(tmp_path / "runs")))
    assert mlflow.MlflowClient(second.uri).get_run(second.run_id).info.run_id == second.run_id
    assert (tmp_path / ".my.db.lock").exists()


def test_two_stores_in_one_process_stay_apart(tmp_path, config, tracker):
    """The default follows ``runs``, whatever store was opened before."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mlflow.db").write_bytes(Path(config.runs, "mlflow.db").read_bytes())
    _, uri = open_store(TrackingConfig(runs=str(tmp_path / "runs")))
    assert uri == f"sqlite:///{tmp_path}/runs/mlflow.db"


def test_the_environment_names_the_store_and_the_config_comes_first(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.shop:5000")
    assert open_store(TrackingConfig())[1] == "http://mlflow.shop:5000"
    assert open_store(TrackingConfig(uri="http://other:1"))[1] == "http://other:1"


def test_a_first_writer_is_overtaken_in_the_tags_of_the_experiment(tmp_path, overtaken):
    config = TrackingConfig(runs=str(tmp_path / "runs"))
    client, uri = open_store(config)
    experiment = create_experiment(client, config, uri)
    views = shared_views()
    overtaken(lambda: [client.set_experiment_tag(experiment, name, view) for name, view in views.items()])
    Tracker.start(config).end()
    assert client.get_experiment(experiment).tags.items() >= views.items()


def test_a_first_writer_is_overtaken_in_the_inputs_of_a_run(tmp_path, overtaken):
    config = TrackingConfig(runs=str(tmp_path / "runs"))
    dataset = make_dataset(tmp_path / "tiny", train=[[0, 1]], trained=2)
    one, other = Tracker.start(config), Tracker.start(config)
    overtaken(lambda: other.dataset(dataset))
    one.dataset(dataset)
    for tracker in (one, other):
        inputs = tracker.client.get_run(tracker.run_id).inputs.dataset_inputs
        assert {each.dataset.name for each in inputs} == {"tiny/train", "tiny/validation", "tiny/test"}
    assert not one.waiting


def test_a_store_that_is_created_leaves_no_connection_open(tmp_path):
    """Python 3.13 warns of those that are left to the garbage collector; counted here, it shows on every Python."""
    left = []

    def connected(connection, record):
        left.append(connection)

    def closed(connection, record):
        left.remove(connection)

    event.listen(Pool, "connect", connected)
    event.listen(Pool, "close", closed)
    try:
        store._create_sqlite(tmp_path / "mlflow.db")
        assert left == []
        assert (tmp_path / "mlflow.db").stat().st_size > 0
    finally:
        event.remove(Pool, "connect", connected)
        event.remove(Pool, "close", closed)
