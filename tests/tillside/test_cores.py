"""As many workers and threads as whole cores may be used, and no thread that burns a core by waiting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tillside.cores import idle_cores, share_cores, threads_of_user, usable_cores


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


STAT = "cpu  9 9 9 9 9 9 9 9 0 0\n"


def ticks(core: int, *, busy: int, idle: int, waiting: int = 0) -> str:
    return f"cpu{core} {busy} 0 0 {idle} {waiting} 0 0 0 0 0\n"


@pytest.mark.parametrize(
    ("moments", "cores"),
    [
        # ten ticks on each core: quiet, then 9 of 10 and 10 of 10 idle, 1.9 cores
        ([[(5, 100), (5, 100)], [(6, 109), (5, 110)]], 2),
        # a neighbour on either core: 0 and 10 of 10 idle
        ([[(5, 100), (5, 100)], [(15, 100), (5, 110)]], 1),
        ([[(5, 100), (5, 100)], [(5, 110), (15, 100)]], 1),
        # two neighbours: none is idle, but the caller has its share of one
        ([[(5, 100), (5, 100)], [(15, 100), (15, 100)]], 1),
        # no tick passed: nothing is known
        ([[(5, 100), (5, 100)], [(5, 100), (5, 100)]], 2),
    ],
)
def test_a_core_that_another_process_keeps_busy_is_not_idle(tmp_path, monkeypatch, moments, cores):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr("tillside.cores.usable_cores", lambda: 2)
    before, after = (
        STAT + "".join(ticks(core, busy=busy, idle=idle) for core, (busy, idle) in enumerate(moment))
        for moment in moments
    )
    stat = tmp_path / "stat"
    stat.write_text(before)
    monkeypatch.setattr("time.sleep", lambda _: stat.write_text(after))
    assert idle_cores(stat=stat) == cores


def test_cores_of_others_and_of_a_machine_that_tells_nothing_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr("tillside.cores.usable_cores", lambda: 2)
    stat = tmp_path / "stat"
    stat.write_text("".join(ticks(core, busy=0, idle=0) for core in range(4)))
    after = (
        ticks(0, busy=10, idle=0) + ticks(1, busy=10, idle=0) + ticks(2, busy=0, idle=10) + ticks(3, busy=0, idle=10)
    )
    monkeypatch.setattr("time.sleep", lambda _: stat.write_text(after))
    assert idle_cores(stat=stat) == 1
    assert idle_cores(stat=tmp_path / "missing") == 2


def test_what_a_user_set_stands_and_what_tillside_set_is_set_anew():
    ours: dict[str, str] = {}
    share_cores(2, environment=ours)
    assert (ours["OMP_NUM_THREADS"], ours["OMP_WAIT_POLICY"], ours["OPENBLAS_NUM_THREADS"]) == ("2", "PASSIVE", "1")
    assert threads_of_user(ours) is None
    share_cores(1, environment=ours)  # the demo, which trains on two, starts a server whose workers have one each
    assert ours["OMP_NUM_THREADS"] == "1"
    users = {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    share_cores(2, environment=users)
    assert (users["OMP_NUM_THREADS"], users["OMP_WAIT_POLICY"]) == ("3", "ACTIVE")
    assert threads_of_user(users) == 3


@pytest.mark.parametrize(("given", "threads"), [("4,2", 4), ("", None), ("many", None), ("0", None)])
def test_only_a_number_of_threads_is_one(given, threads):
    assert threads_of_user({"OMP_NUM_THREADS": given}) == threads


@pytest.mark.parametrize(("room", "threads"), [("training", None), ("serving", 1)])
def test_every_command_of_a_room_sets_them_before_a_library_reads_them(room, threads):
    """A rank of torchrun, a worker process and ``python -m training.train`` all import their room first."""
    told = "os.environ['OMP_NUM_THREADS'], os.environ['OMP_WAIT_POLICY'], 'numpy' in sys.modules"
    code = f"import sys, {room}, os; print({told})"
    names = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "TILLSIDE_OMP_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert said.stdout.split() == [str(threads or usable_cores()), "PASSIVE", "False"], said.stderr
