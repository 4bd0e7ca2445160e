"""When a run is killed, and that nothing of it is left."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.processes import is_far, kill_all


@pytest.mark.parametrize(("epoch", "done", "far"), [(1, 10, True), (2, 15, True), (1, 5, False), (0, 20, False)])
def test_it_is_killed_so_many_batches_within_an_epoch(tmp_path: Path, epoch: int, done: int, far: bool) -> None:
    point = tmp_path / "resume.ckpt"
    assert not is_far(point, (1, 10))
    torch.save({"tillside": {"epoch": epoch, "batches_done": done}}, point)
    assert is_far(point, (1, 10)) == far


@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_what_a_process_started_is_killed_with_it() -> None:
    """The parent tells its child's number once there is one, and both would wait for ever."""
    child = "import sys; sys.stdin.read()"
    parent = (
        "import subprocess, sys; "
        f"started = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE); "
        "print(started.pid, flush=True); started.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        child_ended = os.pidfd_open(int(started.stdout.readline()))
        kill_all(started.pid)
        assert started.wait(30) == -9
        assert started.stdout.read() == ""  # its end is read once nobody has it open, the child neither
    with os.fdopen(child_ended) as ended:
        assert select.select([ended], [], [], 30)[0]  # readable once it is dead, which takes the system a moment
