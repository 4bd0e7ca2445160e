"""Which events were seen, for ever: an id counts once, however much later it comes again.

What lies in the segment that is being written is held in memory; once that is full, its ids become a run on the disk,
and eight runs of a size become one. So memory holds a segment's ids at most, and a look-up touches a few runs. The
segments are the truth: ids of segments that no run covers are read again at the start, which is what makes a crash
harmless at any moment. What has a run is remembered even after its segment was removed.

Shapes: M ids that are looked up.
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np

from serving.collector.runs import ID_BYTES, Run, filter_of, merge, write_run
from serving.feedback.compacting import SEEN_FILE
from tillside.atomic import write_text_atomically
from tillside.feedback.segments import read_segment

log = logging.getLogger("serving")

VERSION: Final = 1
TOGETHER: Final = 8
"""Runs of one size that are merged."""


def id_of(event_id: str) -> bytes:
    """What an id is remembered by."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


def mark_of(payload: bytes) -> int:
    """What a payload is remembered by: length and CRC-32.

    Of two payloads under one id that differ one in four milliards is taken for the same; neither is kept twice.
    """
    return len(payload) << 32 | crc32(payload)


class SeenIds:
    """Ids of all events that were kept.

    Args:
        folder: holds runs and manifest, and is made.
        ids_of: id and payload mark of each event that a record of a segment holds.

    Raises:
        ValueError: the folder is of a later version, or lacks a file.
    """

    def __init__(self, folder: Path, ids_of: Callable[[bytes], Iterable[tuple[bytes, int]]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ids_of = ids_of
        self._live: dict[bytes, int] = {}
        self._sealing: list[tuple[str, dict[bytes, int]]] = []
        self._covered: set[str] = set()
        self._runs: list[Run] = []
        self._read_manifest()

    def __len__(self) -> int:
        return sum(map(len, self._runs)) + len(self._live) + sum(len(ids) for _, ids in self._sealing)

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self._runs)

    def catch_up(self, segments: Sequence[Path]) -> int:
        """Read the ids of segments that no run covers, and make runs of them; returns their number."""
        count = 0
        for path in segments:
            if path.name not in self._covered:
                ids: dict[bytes, int] = {}
                for record in read_segment(path):
                    for key, mark in self._ids_of(record):
                        ids.setdefault(key, mark)
                count += len(ids)
                self._sealing.append((path.name, ids))
                self.settle()
        return count

    def take(self, keys: Sequence[bytes], marks: Sequence[int]) -> list[int | None]:
        """Remember the ids that are new; returns the mark that each had before, None of those that are new."""
        older = self._older(keys)
        live = self._live
        if not older and live.keys().isdisjoint(keys) and len(new := dict(zip(keys, marks, strict=True))) == len(keys):
            live |= new  # nearly always, and then without a step for each
            return [None] * len(keys)
        found: list[int | None] = []
        for number, key in enumerate(keys):
            before = live.get(key)
            if before is None and older:
                before = older.get(number)
            if before is None:
                live[key] = marks[number]
            found.append(before)
        return found

    def _older(self, keys: Sequence[bytes]) -> dict[int, int]:
        """Marks of the ids, by number, of those that lie in segments that have ended."""
        found: dict[int, int] = {}
        for _, ids in tuple(self._sealing):  # before the runs: settle makes the run first
            found |= {number: ids[key] for number, key in enumerate(keys) if key in ids}
        runs = self._runs
        if runs and keys:
            halves_M2 = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
            high_M, low_M = np.ascontiguousarray(halves_M2[:, 0]), np.ascontiguousarray(halves_M2[:, 1])
            for run in runs:
                found.update(run.find(high_M, low_M))
        return found

    def forget(self, keys: Iterable[bytes]) -> None:
        """Forget ids that were new, since their events were not kept after all."""
        for key in keys:
            self._live.pop(key, None)

    def seal(self, segment: str) -> None:
        """The segment that held the ids added so far has ended; :meth:`settle` makes a run of them."""
        self._sealing.append((segment, self._live))
        self._live = {}

    def settle(self) -> None:
        """Make runs of what was sealed, and merge those of one size; may run in a thread of its own, one at a time."""
        while self._sealing:
            segment, ids = self._sealing[0]
            runs = self._runs
            if ids:
                marks = np.fromiter(ids.values(), np.uint64, len(ids))
                runs = [*runs, write_run(self._new_file(), b"".join(ids), marks.tobytes())]
            self._covered.add(segment)
            self._write_manifest(runs)
            self._runs = runs
            del self._sealing[0]
        while together := _of_one_size(self._runs):
            merged = merge(self._new_file(), together)
            runs = [*(run for run in self._runs if run not in together), merged]
            self._write_manifest(runs)
            self._runs = runs
            for run in together:
                run.path.unlink()
                filter_of(run.path).unlink()

    def _new_file(self) -> Path:
        return self._folder / f"{secrets.token_hex(8)}.npy"

    def _read_manifest(self) -> None:
        path = self._folder / SEEN_FILE
        manifest: dict[str, Any] = {"version": VERSION, "runs": [], "segments": []}
        if path.exists():
            manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["version"] != VERSION:
            raise ValueError(f"{path} is of version {manifest['version']}; this tillside reads version {VERSION}")
        try:
            self._runs = [Run(self._folder / name) for name in manifest["runs"]]
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{path} names a file that cannot be read ({error}); bring it back, or remove {self._folder}, and the "
                "ids are read from the segments that are left"
            ) from None
        self._covered = set(manifest["segments"])
        named = {file for run in self._runs for file in (run.path, filter_of(run.path))}
        for stale in set(self._folder.glob("*.npy")) - named:
            stale.unlink()

    def _write_manifest(self, runs: Sequence[Run]) -> None:
        manifest = {"version": VERSION, "runs": [run.path.name for run in runs], "segments": sorted(self._covered)}
        write_text_atomically(self._folder / SEEN_FILE, json.dumps(manifest))


def _of_one_size(runs: Sequence[Run]) -> list[Run]:
    """TOGETHER runs whose numbers of ids have the same power of eight; none if there are not so many."""
    sizes: dict[int, list[Run]] = {}
    for run in runs:
        alike = sizes.setdefault(len(run).bit_length() // 3, [])
        alike.append(run)
        if len(alike) == TOGETHER:
            return alike
    return []
