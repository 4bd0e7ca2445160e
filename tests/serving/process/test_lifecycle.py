"""The end of a process under load: nobody is turned away while it is known to stop, and no request is lost."""

import gc
import signal

import httpx
import pytest

from tests.serving.load import load
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load_loses_no_request(orchard, tmp_path, workers):
    """The clients go on until nobody listens; all they have sent by then is answered."""
    flags = ("--grace-seconds", "1", "--workers", workers, "--admin-port", "0")
    with ServerProcess(orchard, tmp_path / "log", *flags) as server:
        with load(server.port, clients=8) as shoppers:
            server.wait_for(lambda: shoppers.answered > 50)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(DEADLINE_SECONDS) == 0
        assert shoppers.failed == []
        assert "Traceback" not in server.log


def test_in_the_grace_time_it_is_not_ready_answers_and_closes_connections(orchard, tmp_path):
    with (
        ServerProcess(orchard, tmp_path / "log", "--grace-seconds", "3600") as server,
        httpx.Client(base_url=server.url) as client,
    ):
        first = client.post("/v1/recommend", json={"session": []})
        assert "connection" not in first.headers
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: client.get("/health/ready").status_code == 503)
        assert client.get("/health/ready").json()["type"] == "urn:tillside:problem:draining"
        assert client.get("/health/live").status_code == 200
        answer = client.post("/v1/recommend", json={"session": [{"item_id": "pear"}]})
        assert (answer.status_code, answer.json()["tier"]) == (200, "model")
        assert answer.headers["connection"] == "close"
        assert server.stop() == 0  # a second SIGTERM ends the wait


def test_sigint_does_not_wait(orchard, tmp_path):
    with ServerProcess(orchard, tmp_path / "log", "--grace-seconds", "3600") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(DEADLINE_SECONDS) == 0


def test_a_test_that_fails_leaves_no_server_behind(tmp_path):
    """With a block or without one; the bundle is none, so the server lives and is never ready."""
    with pytest.raises(RuntimeError), ServerProcess(tmp_path / "none", tmp_path / "log", ready=False) as server:
        raise RuntimeError
    assert server.process.poll() is not None
    process = ServerProcess(tmp_path / "none", tmp_path / "log", ready=False).process
    gc.collect()
    assert process.poll() is not None
