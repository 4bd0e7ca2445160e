"""Resident memory of a process and its slope."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.bench.resident import resident_mb, slope_mb_per_hour


def test_the_slope_of_memory_is_per_hour_and_leaves_the_beginning_out():
    # 0.5 MB each minute is 30 MB an hour; the first minute's jump is left out
    samples = [(0.0, 10.0), *((60.0 * minute, 100 + 0.5 * minute) for minute in range(1, 6))]
    assert slope_mb_per_hour(samples, after=30) == pytest.approx(30)
    assert slope_mb_per_hour(samples[:1]) == 0.0


def test_a_process_is_resident_and_one_that_is_gone_is_not():
    assert resident_mb(os.getpid()) > 1.0
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert resident_mb(gone.pid) == 0.0


def test_children_count_too():
    program = "print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()  # it has started
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        alone_mb = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        assert resident_mb(os.getpid()) - alone_mb > resident_mb(child.pid) / 2 > 0.5
        child.communicate(b"\n")
