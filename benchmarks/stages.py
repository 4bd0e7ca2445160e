"""Runs a command of tillside as a process of its own and measures its cost: what a user would pay."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.cli.console import say

ALONE = Path(__file__).with_name("alone.py")


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, peak RSS in MB (2^20 bytes), and CPU seconds of all threads together."""

    seconds: float
    peak_mb: float
    cpu_seconds: float


def run_stage(module: str, *arguments: str) -> Cost:
    """Print ``python -m module``, run it, wait for it and return its cost; see :func:`run_command`."""
    say(f"$ python -m {module} {' '.join(arguments)}")
    return run_command([sys.executable, "-m", module, *arguments])


def run_command(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> Cost:
    """Run a command, wait for it and return its cost, that of its children included.

    Args:
        folder: where it runs; default: here.
        quiet: discard what it prints.

    Raises:
        subprocess.CalledProcessError: it exited with a code other than 0.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as cost:
        started = time.monotonic()
        alone = [sys.executable, "-S", str(ALONE), cost.name, *command]
        told = subprocess.DEVNULL if quiet else None
        process = subprocess.Popen(alone, cwd=folder, env=environment, stdout=told, stderr=told)
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        seconds = time.monotonic() - started
        if code:
            raise subprocess.CalledProcessError(code, command)
        peak, cpu_seconds = cost.read().split()
        return Cost(seconds, int(peak) / 1024, float(cpu_seconds))
