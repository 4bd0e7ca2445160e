"""Runs: sorted files of event ids that were seen, mapped into memory rather than held there.

An id is remembered by 16 bytes of its hash, and its payload by a mark of 8. A run holds three columns of 8-byte
integers, sorted by the first, and a filter that spares nine of ten look-ups of unknown ids the search.

Shapes: N ids of a run, M ids that are looked up, P ids that are merged at a time, W words of a filter.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

ID_BYTES: Final = 16
MARK_BYTES: Final = 8
BITS: Final = 12
"""Of the filter an id at least."""
PART: Final = 1 << 20
"""Ids that are merged at a time, which bounds the memory that a merge takes."""
IntArray = npt.NDArray[np.uint64]


class Run:
    """One run, read from its file.

    Attributes:
        path: the file; its filter lies beside it.
        rows_3N: high half and low half of the id, and mark.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows_3N: IntArray = np.load(path, mmap_mode="r")
        self._filter_W: IntArray = np.load(filter_of(path), mmap_mode="r")
        self._shift = np.uint64(64 - (len(self._filter_W).bit_length() - 1))

    def __len__(self) -> int:
        return int(self.rows_3N.shape[1])

    def find(self, high_M: IntArray, low_M: IntArray) -> list[tuple[int, int]]:
        """Number and mark of those that the run holds."""
        marks_M = _marks(low_M)
        likely = np.flatnonzero((self._filter_W[_words(high_M, self._shift)] & marks_M) == marks_M)
        if not len(likely):
            return []
        high_N, low_N, mark_N = self.rows_3N
        found = []
        for number, place in zip(likely.tolist(), np.searchsorted(high_N, high_M[likely]).tolist(), strict=True):
            while place < len(high_N) and high_N[place] == high_M[number]:
                if low_N[place] == low_M[number]:
                    found.append((number, int(mark_N[place])))
                    break
                place += 1
        return found


def write_run(path: Path, ids: bytes, marks: bytes) -> Run:
    """Write the run of ids in any order, ID_BYTES each, and the marks of their payloads, MARK_BYTES each."""
    rows_3N = np.stack([*np.frombuffer(ids, "<u8").reshape(-1, 2).T, np.frombuffer(marks, "<u8")])
    np.save(path, rows_3N[:, np.argsort(rows_3N[0])])
    return _finished(path)


def merge(path: Path, runs: Sequence[Run]) -> Run:
    """Write the run of all ids of several runs, a part of them at a time."""
    total = sum(map(len, runs))
    out_3N = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint64, shape=(3, total))
    parts = -(-total // PART)
    bounds = [int(number * 2**64 / parts) for number in range(1, parts)]
    cuts = [
        [0, *(np.searchsorted(run.rows_3N[0], np.array(bounds, np.uint64)).tolist() if bounds else []), len(run)]
        for run in runs
    ]
    begin = 0
    for number in range(parts):
        pieces = [run.rows_3N[:, cut[number] : cut[number + 1]] for run, cut in zip(runs, cuts, strict=True)]
        part_3P = np.concatenate(pieces, axis=1)
        end = begin + part_3P.shape[1]
        out_3N[:, begin:end] = part_3P[:, np.argsort(part_3P[0])]
        begin = end
    out_3N.flush()
    del out_3N
    return _finished(path)


def filter_of(path: Path) -> Path:
    """File of a run's filter."""
    return path.with_suffix(".filter.npy")


def _finished(path: Path) -> Run:
    """The run of a file, once it and its filter outlast a power failure."""
    _write_filter(path)
    for each in (path, filter_of(path)):
        with each.open("rb") as file:
            os.fsync(file.fileno())
    return Run(path)


def _write_filter(path: Path) -> None:
    rows_3N = np.load(path, mmap_mode="r")
    words = max(2, 1 << (rows_3N.shape[1] * BITS // 64).bit_length())
    shift = np.uint64(64 - (words.bit_length() - 1))
    filter_W = np.zeros(words, np.uint64)
    for begin in range(0, rows_3N.shape[1], PART):
        high_P, low_P = rows_3N[:2, begin : begin + PART]
        words_P = _words(high_P, shift)  # ascending, as the ids are sorted
        first = np.flatnonzero(np.diff(words_P, prepend=-1))
        filter_W[words_P[first]] |= np.bitwise_or.reduceat(_marks(low_P), first)
    np.save(filter_of(path), filter_W)


def _words(high_M: IntArray, shift: np.uint64) -> npt.NDArray[np.int64]:
    return (high_M >> shift).astype(np.int64)


def _marks(low_M: IntArray) -> IntArray:
    one, most = np.uint64(1), np.uint64(63)
    marks_M = one << (low_M & most)
    for bits in (6, 12, 18):
        marks_M = marks_M | (one << ((low_M >> np.uint64(bits)) & most))
    return marks_M
