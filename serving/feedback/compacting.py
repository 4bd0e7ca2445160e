"""The log without somebody's records: segments are rewritten one by one, each whole or not at all.

Whose a record is, its shopper's key says; a record without one, of a visit that elsewhere bears that key, is theirs
too. Only segments that nobody writes any more are touched, and of a collector's events only those of which the event
ids are remembered elsewhere: an event that is sent again must stay known. A rewritten segment is shorter than it was,
so that training.measure reads it anew, and keeps its name, so that nothing else does.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tillside.feedback.forgetting import GRACE_MS, Forgotten, Order
from tillside.feedback.segments import (
    CONFLICTS,
    EVENTS,
    EXPOSURES,
    MAGIC,
    SegmentReader,
    begun_ms,
    frame,
    segments_of,
    sync_folder,
)

COLLECTOR_LOCK: Final = ".collector.lock"
"""File of a folder that a collector writes, or has written."""
SEEN: Final = "seen"
"""Folder of what the collector of a folder remembers."""
SEEN_FILE: Final = "seen.json"
"""File of it: ``segments`` are those whose event ids are known without them."""


@dataclass
class Compacted:
    """What became of a log.

    Attributes:
        records: that were taken out.
        segments: that were rewritten.
        bytes_left: behind torn records of rewritten segments, which nobody reads, and which went as well.
        waiting: segments that could not be touched yet.
    """

    records: int = 0
    segments: int = 0
    bytes_left: int = 0
    waiting: list[Path] = field(default_factory=list)


def compact(feedback: Path, orders: Iterable[Order]) -> Compacted:
    """Take out of a feedback folder what orders name.

    Raises:
        OSError: a segment cannot be read or written; those before it are done.
    """
    forgotten, done = Forgotten(orders), Compacted()
    if not forgotten:
        return done
    every = (path for folder in (EXPOSURES, EVENTS, CONFLICTS) for path in segments_of(feedback / folder))
    paths = [path for path in every if begun_ms(path) <= forgotten.newest + GRACE_MS]
    visits, holding = _visits(paths, forgotten)
    remembered = _remembered(feedback)
    for path in paths:
        if path in holding or visits:
            if path.parent.name == EVENTS and remembered is not None and path.name not in remembered:
                done.waiting.append(path)
            else:
                _rewrite(path, lambda record: forgotten.means(record, visits), done)
    return done


def _visits(paths: Iterable[Path], forgotten: Forgotten) -> tuple[dict[str, int], set[Path]]:
    """Keys of the shoppers' visits, with up to when; and the segments that hold a record of theirs, or a torn one."""
    visits: dict[str, int] = {}
    holding = set()
    for path in paths:
        reader = SegmentReader(path)
        for record in _there(reader):
            found = forgotten.visit_of(record)
            if found is not None:
                holding.add(path)
                session, until = found
                if session:
                    visits[session] = max(until, visits.get(session, 0))
        if reader.torn is not None:  # nobody can say whose the rest is
            holding.add(path)
    return visits, holding


def _there(reader: SegmentReader) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError):  # it was moved away meanwhile
        yield from reader


def _remembered(feedback: Path) -> frozenset[str] | None:
    """Segments of events whose ids are known without them; None where there is no collector that would ask."""
    if not (feedback / COLLECTOR_LOCK).exists():
        return None
    try:
        return frozenset(json.loads((feedback / SEEN / SEEN_FILE).read_text(encoding="utf-8"))["segments"])
    except FileNotFoundError:
        return frozenset()


def _rewrite(path: Path, theirs: Callable[[bytes], bool], done: Compacted) -> None:
    """Write a segment anew without some of its records, if it has any of them and nobody writes it."""
    try:
        held = os.open(path, os.O_RDWR | os.O_CLOEXEC)  # for writing, as NFS locks nothing else
    except FileNotFoundError:
        return
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody writes it, or looks whether somebody does; or nobody can tell
            done.waiting.append(path)
            return
        reader = SegmentReader(path)
        records = list(reader)
        kept = [record for record in records if not theirs(record)]
        left = _torn_bytes(reader)
        if len(kept) == len(records) and not left:
            return
        _replace(path, kept, os.fstat(held))
        done.records += len(records) - len(kept)
        done.segments += 1
        done.bytes_left += left
    finally:
        os.close(held)


def _replace(path: Path, records: Iterable[bytes], before: os.stat_result) -> None:
    """Make a segment hold these records, its mode and times as before; a kill leaves it as it was or as it shall be."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, before.st_mode & 0o777)
    with os.fdopen(file, "wb") as new:
        new.write(MAGIC)
        new.writelines(map(frame, records))
        new.flush()
        os.fsync(new.fileno())
    os.utime(partial, ns=(before.st_atime_ns, before.st_mtime_ns))
    partial.replace(path)
    sync_folder(path.parent)


def _torn_bytes(reader: SegmentReader) -> int:
    """Bytes of a segment behind its last whole record; 0 of a file that is none of ours."""
    return 0 if reader.torn is None or reader.offset < len(MAGIC) else reader.torn.bytes_left
