"""A command of tillside as a process of its own, with its cost: what a benchmark pays for is what a user would pay.

Surprising: the peak of memory is looked up while the command runs. What ``wait4`` and ``getrusage`` give starts from
the memory of the process that called it, which may be the larger one.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.tables import say

LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, and the peak of resident memory in MB (2^20 bytes); 0 where there is no ``/proc``."""

    seconds: float
    peak_mb: float


def run_stage(module: str, *arguments: str) -> Cost:
    """Print the command, run it and wait for it.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    say(f"$ python -m {module} {' '.join(arguments)}")
    command = [sys.executable, "-m", module, *arguments]
    started, peak_mb = time.monotonic(), 0.0
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            try:
                process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
    finally:
        process.terminate()  # nothing, if it has ended
        process.wait()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.monotonic() - started, peak_mb)


def _peak_mb(pid: int) -> float:
    """The high-water mark that the kernel keeps; 0 once the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(marks[0]) / 1024 if marks else 0.0
