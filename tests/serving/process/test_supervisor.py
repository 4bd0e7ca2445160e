"""Several workers behave as one server: one that dies is replaced, and any of them shows the metrics of all."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from serving.process import supervisor
from serving.process.crew import Child
from serving.process.supervisor import Supervisor
from serving.settings import Settings
from tests.serving.load import BODY, load
from tests.serving.process.stand_in_workers import member
from tests.serving.prometheus import values
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess


def children(server: ServerProcess) -> list[int]:
    """The server's own processes that run, oldest first."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return sorted(pid for pid in pids if parent_of(pid) == server.process.pid)


def parent_of(pid: int) -> int | None:
    """The parent of a process, or None where it has ended."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_the_others_go_on(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log", "--workers", "2", "--admin-port", "0")
    first, second = children(server)
    with load(server.port, clients=8) as shoppers:
        server.wait_for(lambda: shoppers.answered > 50)
        os.kill(first, signal.SIGKILL)
        third = server.wait_for(lambda: next((pid for pid in children(server) if pid not in (first, second)), None))
        server.wait_for(lambda: server.log.count("starting another") == 1)
        # the replacement answers alone, too: it has the bundle and the dead one's share of connections
        os.kill(second, signal.SIGKILL)
        server.wait_for(lambda: third in children(server) and second not in children(server))
        seen = shoppers.answered
        server.wait_for(lambda: shoppers.answered > seen + 50)
    lost = [sentence for sentence in shoppers.failed if "IncompleteRead" not in sentence and "Reset" not in sentence]
    assert lost == []  # what the dead had in their hands is gone with them, and nothing else
    assert len(shoppers.failed) <= 16
    server.wait_for(lambda: httpx.get(f"{server.admin_url}/health/ready").status_code == 200)  # it may still be loading
    assert server.stop() == 0


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_alone_loses_no_request_and_leaves_its_socket_to_the_next(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log", "--workers", "2", "--admin-port", "0", "--grace-seconds", "1")
    first, _ = children(server)
    with load(server.port, clients=8) as shoppers:
        server.wait_for(lambda: shoppers.answered > 50)
        os.kill(first, signal.SIGTERM)
        server.wait_for(lambda: server.log.count("starting another") == 1)
        seen = shoppers.answered
        server.wait_for(lambda: shoppers.answered > seen + 50)
        for _ in range(20):  # a new connection each time, to either socket
            assert httpx.post(f"{server.url}/v1/recommend", json=BODY, timeout=DEADLINE_SECONDS).status_code == 200
    assert shoppers.failed == []
    assert server.stop() == 0


def test_workers_that_lose_their_parent_end(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log", "--workers", "2")
    pids = children(server)
    assert all(b"GLIBC_TUNABLES=" in Path(f"/proc/{pid}/environ").read_bytes() for pid in pids)
    server.process.kill()
    server.process.wait(DEADLINE_SECONDS)
    for pid in pids:
        server.process.poll = lambda: None  # the parent is meant to be gone
        server.wait_for(lambda pid=pid: parent_of(pid) is None)


def test_any_worker_shows_the_metrics_of_all_where_there_is_no_admin_port(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log", "--workers", "2")
    with httpx.Client(base_url=server.url, timeout=DEADLINE_SECONDS) as one:
        for _ in range(10):  # a new connection each time, spread over the workers
            assert httpx.post(f"{server.url}/v1/recommend", json=BODY, timeout=DEADLINE_SECONDS).status_code == 200
        page = values(one.get("/metrics").text)
    assert page["tillside_answers_total", "click", "", "", "model"] == 10
    assert page["tillside_stage_seconds_count", "total"] == 10
    assert page["tillside_items",] == 5
    assert page["tillside_bundle_reloads_total", "loaded"] == 1
    assert server.stop() == 0


def test_a_new_worker_that_ends_before_it_is_up_is_waited_for_no_more(tmp_path, monkeypatch, caplog):
    """What comes after it is brought up by itself."""
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0)
    asked = []

    async def bring(_: object) -> None:
        asked.append("a bundle")
        assert len(asked) == 1
        raise ValueError("a worker ended while it loaded it")

    async def run() -> dict[int, Child]:
        whole = Supervisor(Settings(tmp_path), [])
        whole._children |= {0: member(closed=True), 1: member(version="v")}
        monkeypatch.setattr(whole._reloads, "bring", bring)
        await whole._bring_up(0)
        return whole._children

    children = asyncio.run(run())
    assert asked == ["a bundle"]
    assert [child.channel.told for child in children.values()] == [[], []]
    assert caplog.text == ""
