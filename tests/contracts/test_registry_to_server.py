"""From the registry of a real MLflow server to answers over HTTP: promoted, served, promoted again, and without it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import mlflow
import pytest

from tests.bundles import GOLDENS_OF_TINY
from tests.serving.server_process import ServerProcess, wait_until
from tests.training.candidates import SESSIONS, make_ranks, register_candidate
from training.settings.promote import PromoteConfig
from training.settings.tracking import TrackingConfig
from training.stages.promote import promote
from training.tracking.store import open_store

pytestmark = pytest.mark.slow

PATIENCE = 120
RANKS = [1, 2, 5, 30] * (SESSIONS // 4)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``mlflow server`` on a free port, with a store and artifacts of its own; its address is in ``args``."""
    store = open_store(TrackingConfig(runs=str(tmp_path / "store")))[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", store, "--artifacts-destination", str(tmp_path / "kept")]
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }  # seven processes that nothing here asks
    with (tmp_path / "mlflow.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)
    yield server
    stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and the processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def answered(url: str) -> dict:
    """A version of the bundle and its first item for a session of one apple."""
    answer = httpx.post(f"{url}/v1/recommend", json={"session": [{"item_id": "apple"}], "k": 3}, timeout=PATIENCE)
    return answer.json()


def test_a_server_follows_the_champion_of_a_real_registry(registry, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = f"http://127.0.0.1:{registry.args[registry.args.index('--port') + 1]}"
    wait_until(lambda: is_up(uri), registry, patience=PATIENCE, said=(tmp_path / "mlflow.log").read_text)
    config = TrackingConfig(uri=uri, runs=str(tmp_path / "runs"), model="tillside")
    first = register_candidate(config, make_ranks(RANKS))
    assert all(check.passed for check in promote(PromoteConfig(version=int(first), latency_ms=1e4, tracking=config)))

    variables = {"MLFLOW_TRACKING_URI": uri}
    flags = ("--cache", str(tmp_path / "cache"))
    model = "models:/tillside@champion"
    server = ServerProcess(model, tmp_path / "log", *flags, variables=variables, patience=PATIENCE)
    before = answered(server.url)
    assert [item["item_id"] for item in before["items"]] == GOLDENS_OF_TINY[0]["items"]
    tags = open_store(config)[0].get_model_version("tillside", first).tags
    assert before["bundle"] == tags["bundle.version"]

    second = register_candidate(config, make_ranks(RANKS))
    promote(PromoteConfig(version=int(second), latency_ms=1e4, tracking=config))
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(lambda: answered(server.url)["bundle"] != before["bundle"])
    after = answered(server.url)["bundle"]
    assert after == open_store(config)[0].get_model_version_by_alias("tillside", "champion").tags["bundle.version"]
    assert {path.name for path in (tmp_path / "cache/tillside").iterdir()} == {before["bundle"], after, "champion"}
    assert server.stop() == 0

    mlflow.set_tracking_uri(uri)
    try:
        (row,) = mlflow.pyfunc.load_model(model).predict([{"session": [{"item_id": "apple"}], "k": 3}])
    finally:
        mlflow.set_tracking_uri(None)
    assert row["items"] == [item["item_id"] for item in before["items"]]
    assert row["scores"] == [item["score"] for item in before["items"]]

    stop(registry)
    alone = ServerProcess(model, tmp_path / "log", *flags, variables=variables, patience=PATIENCE)
    assert answered(alone.url)["bundle"] == after
    assert alone.stop() == 0
    assert "the copy fetched before this one is taken" in alone.log


def is_up(uri: str) -> bool:
    """Whether it answers."""
    try:
        return httpx.get(f"{uri}/health").status_code == 200
    except httpx.TransportError:
        return False
