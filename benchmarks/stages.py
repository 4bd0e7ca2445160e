"""A command of tillside as a process of its own, with its cost: what a benchmark pays for is what a user would pay."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from training.tables import say


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, and the peak of resident memory in MB (2^20 bytes)."""

    seconds: float
    peak_mb: float


def run_stage(module: str, *arguments: str) -> Cost:
    """Print the command, run it and wait for it.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    say(f"$ python -m {module} {' '.join(arguments)}")
    command = [sys.executable, "-m", module, *arguments]
    started = time.monotonic()
    process = subprocess.Popen(command)
    try:
        _, status, usage = os.wait4(process.pid, 0)  # unlike getrusage, this process alone and not the largest so far
    except BaseException:
        process.terminate()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.monotonic() - started, usage.ru_maxrss / 1024)
