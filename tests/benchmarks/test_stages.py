"""A stage runs as a process of its own and is judged by its own memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stages import run_command, run_stage


def test_a_stage_that_fails_stops_the_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="exit status 2"):
        run_stage("json.tool", "--no-such-flag")
    assert "$ python -m json.tool --no-such-flag" in capfd.readouterr().out


def test_its_cost_is_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    hungry, modest = "x = bytearray(200 << 20)", "x = 1"
    peaks = [run_stage("timeit", "-n1", "-r1", code).peak_mb for code in (hungry, modest)]
    assert peaks[0] > 200 > peaks[1] > 1  # the larger one before does not count against the later one


def test_its_processor_seconds_are_those_of_all_its_work() -> None:
    long = run_stage("timeit", "-n1", "-r1", "sum(range(10**7))").cpu_seconds
    short = run_stage("timeit", "-n1", "-r1", "1").cpu_seconds
    assert long > short > 0


def test_the_memory_of_the_process_that_starts_it_is_not_counted() -> None:
    large = bytearray(300 << 20)
    assert run_stage("timeit", "-n1", "-r1", "x = 1").peak_mb < len(large) / 2**20


def test_a_command_beyond_its_limit_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Its child waits for ever, and so does it; the child notes its id first."""
    child = "import os, pathlib, signal; pathlib.Path('id').write_text(str(os.getpid())); signal.pause()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    cost = run_command([sys.executable, "-c", parent], folder=tmp_path, limit=2.0, quiet=True)
    assert cost.seconds >= 2.0
    assert cost.cpu_seconds > 0
    state = Path("/proc") / (tmp_path / "id").read_text() / "stat"
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"  # gone, or not collected yet


def test_a_command_within_its_limit_is_left_alone() -> None:
    assert run_command([sys.executable, "-c", "pass"], limit=600.0).seconds < 600.0
