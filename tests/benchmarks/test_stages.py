"""A stage runs as a process of its own and is judged by its own memory."""

import subprocess

import pytest

from benchmarks.stages import run_stage


def test_a_stage_that_fails_stops_the_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="exit status 2"):
        run_stage("json.tool", "--no-such-flag")
    assert "$ python -m json.tool --no-such-flag" in capfd.readouterr().out


def test_its_memory_is_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    ballast = bytearray(300 << 20)
    assert 0 < run_stage("json.tool", "--help").peak_mb < 200  # not that of the process which started it
    assert len(ballast) == 300 << 20
