"""Runs a command of tillside as a process of its own and measures its cost: what a user would pay."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.cli.console import say

ALONE = Path(__file__).with_name("alone.py")
PATIENCE: Final = 60.0
"""Seconds that a command has to clean up once it was told to end."""


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
    limit: float | None = None,
) -> Cost:
    """Run a command, wait for it and return its cost, that of its children included.

    Args:
        folder: where it runs; default: here.
        quiet: discard what it prints.
        limit: seconds after which it is ended, with all that it started; the cost is what it took until then.

    Raises:
        subprocess.CalledProcessError: it exited with a code other than 0.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as cost:
        started = time.monotonic()
        alone = [sys.executable, "-S", str(ALONE), cost.name, *command]
        told = subprocess.DEVNULL if quiet else None
        process = subprocess.Popen(
            alone, cwd=folder, env=environment, stdout=told, stderr=told, start_new_session=limit is not None
        )
        try:
            code = process.wait(limit)
            seconds = time.monotonic() - started
        except subprocess.TimeoutExpired:
            seconds, code = time.monotonic() - started, 0
            _end_all(process)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code:
            raise subprocess.CalledProcessError(code, command)
        peak, cpu_seconds = cost.read().split() or ("0", "nan")  # nothing, where it had to be killed
        return Cost(seconds, int(peak) / 1024, float(cpu_seconds))


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End the session that ``process`` leads, by force if it does not go."""
    os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what the command itself left behind, too
    process.wait()
