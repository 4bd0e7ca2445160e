"""What it costs to know every event id for ever: processor time of a look-up, and memory, with many ids on the disk."""

import os
import time
from pathlib import Path
from typing import Final

from serving.collector.runs import ID_BYTES
from serving.collector.seen import SeenIds

SEGMENT: Final = 150_000
"""Ids of a segment, as the collector's hold."""
GROUP: Final = 1000
"""Ids that are looked up together."""
LOOKED_UP: Final = 200_000


def seen_ids(work: Path, *, ids: int) -> dict[str, float]:
    """Remember ``ids`` random ids, segment by segment, then look up as many new ones and known ones as LOOKED_UP."""
    seen = SeenIds(work / "seen", lambda record: ())
    start = time.process_time()
    for number in range(ids // SEGMENT):
        seen.take(_random(SEGMENT), range(SEGMENT))
        seen.seal(f"{number}.seg")
        seen.settle()
    spent = time.process_time() - start
    new = [_random(GROUP) for _ in range(LOOKED_UP // GROUP)]
    return {
        "ids": float(len(seen)),
        "runs": float(seen.runs),
        "us_per_id": spent / len(seen) * 1e6,
        "us_per_new": _us(seen, new),
        "us_per_known": _us(seen, new),
        "disk_bytes_per_id": sum(path.stat().st_size for path in (work / "seen").iterdir()) / (ids + LOOKED_UP),
        "own_memory_mb": _own_memory_mb(),
    }


def _random(count: int) -> list[bytes]:
    drawn = os.urandom(ID_BYTES * count)
    return [drawn[begin : begin + ID_BYTES] for begin in range(0, len(drawn), ID_BYTES)]


def _us(seen: SeenIds, groups: list[list[bytes]]) -> float:
    """Microseconds of processor time an id; the segment ends after the first time, so that the second finds a run."""
    start = time.process_time()
    for keys in groups:
        seen.take(keys, range(len(keys)))
    spent = time.process_time() - start
    seen.seal("looked up")
    seen.settle()
    return spent / (len(groups) * len(groups[0])) * 1e6


def _own_memory_mb() -> float:
    """Memory of this process that no file stands behind."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024
