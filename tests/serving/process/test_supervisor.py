"""Several workers behave as one server: one that dies is replaced, and their metrics are one page."""

import os
import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from serving.process.cores import usable_cores
from serving.telemetry.merged_metrics import add_up, merged_page, only_counted, samples_of
from tests.serving.load import BODY, load
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


def values(page: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(page)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


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
    assert httpx.get(f"{server.admin_url}/health/ready").status_code == 200
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


def registry(*, requests: int, depth: int, items: int, seconds: float) -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("tillside_answers", "Answers.", ["tier"], registry=made).labels("model").inc(requests)
    Gauge("tillside_queue_depth", "Depth.", registry=made).set(depth)
    Gauge("tillside_items", "Items.", registry=made).set(items)
    Histogram("tillside_stage_seconds", "Time.", buckets=(1.0, 2.0), registry=made).observe(seconds)
    return made


def test_what_is_counted_adds_up_and_what_is_the_same_stays():
    parts = [
        samples_of(registry(requests=3, depth=2, items=5, seconds=0.5)),
        samples_of(registry(requests=4, depth=1, items=5, seconds=1.5)),
    ]
    expected = {
        ("tillside_answers_total", "model"): 7,
        ("tillside_queue_depth",): 3,
        ("tillside_items",): 5,
        ("tillside_stage_seconds_bucket", "1.0"): 1,
        ("tillside_stage_seconds_bucket", "2.0"): 2,
        ("tillside_stage_seconds_bucket", "+Inf"): 2,
        ("tillside_stage_seconds_count",): 2,
        ("tillside_stage_seconds_sum",): 2.0,
    }
    page = values(merged_page(parts).decode())
    assert {key: page[key] for key in expected} == expected
    # the first one dies: its counts stay, its gauges go
    buried = add_up([[], only_counted(parts[0])])
    page = values(merged_page([buried, parts[1]]).decode())
    assert {key: page[key] for key in expected} == {**expected, ("tillside_queue_depth",): 1}


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "20000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu.max": "nonsense"}, None),
        ({"shop/cpu.max": "100000 100000", "shop/pod/cpu.max": "max 100000"}, 1),  # the parent's quota binds, too
        ({"elsewhere/cpu.max": "100000 100000"}, None),
    ],
)
def test_a_worker_for_each_core_of_the_quota(tmp_path, files, cores, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "membership").write_text("3:cpuset:/\n0::/shop/pod\n")
    assert usable_cores(cgroups=tmp_path, membership=tmp_path / "membership") == (cores or 64)


def test_a_quota_of_several_cores_and_of_the_first_version(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu/shop").mkdir(parents=True)
    (tmp_path / "cpu/shop/cpu.cfs_quota_us").write_text("350000\n")
    (tmp_path / "cpu/shop/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "membership").write_text("4:cpu,cpuacct:/shop\n")
    assert usable_cores(cgroups=tmp_path, membership=tmp_path / "membership") == 3
