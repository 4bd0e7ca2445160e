"""Resident memory (RSS) of a server under load: the process and its descendants, sampled from /proc."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.5
_PAGE_MB: Final = os.sysconf("SC_PAGE_SIZE") / 2**20
Samples = list[tuple[float, float]]
"""(seconds since the start of sampling, MB of 2^20 bytes)."""


def resident_mb(pid: int) -> float:
    """RSS of a process and its descendants, in MB; shared pages count once per process. 0 if the process is gone."""
    place = Path("/proc", str(pid))
    total = 0.0
    with contextlib.suppress(OSError, ValueError):
        total += int((place / "statm").read_text().split()[1]) * _PAGE_MB
        for task in (place / "task").iterdir():
            total += sum(resident_mb(int(child)) for child in (task / "children").read_text().split())
    return total


@contextlib.asynccontextmanager
async def sampled(pid: int | None) -> AsyncIterator[Samples]:
    """Sample the RSS of a process into the yielded list while the block runs; empty without a process."""
    samples: Samples = []
    task = None if pid is None else asyncio.create_task(_sample(pid, samples))
    try:
        yield samples
    finally:
        if task is not None:
            task.cancel()


async def _sample(pid: int, samples: Samples) -> None:
    start = time.monotonic()
    while True:
        if size := resident_mb(pid):
            samples.append((time.monotonic() - start, size))
        await asyncio.sleep(SAMPLE_SECONDS)


def slope_mb_per_hour(samples: Samples, *, after: float = 0.0) -> float:
    """Least-squares slope of the samples from ``after`` seconds on, in MB per hour; 0 for fewer than two samples."""
    late = [(seconds, size) for seconds, size in samples if seconds >= after]
    if len(late) < 2:
        return 0.0
    mean_t, mean_m = (sum(column) / len(late) for column in zip(*late, strict=True))
    spread: float = sum((seconds - mean_t) ** 2 for seconds, _ in late)
    along: float = sum((seconds - mean_t) * (size - mean_m) for seconds, size in late)
    return along / spread * 3600
