"""Whole sessions encoded at once, and rows cut from them: what training, evaluation and export read.

Shapes: E events of the log, K of them kept, M of them counted, S sessions, B rows of a batch, L events of the longest.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.encoding.batch import MOST_PAST, Batch
from tillside.encoding.spec import FIRST_OR_UNKNOWN, EncodingSpec, gap_buckets

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Met:
    """Behaviours of the M events that are counted: all but the repeats that ``collapse_repeats`` drops.

    Attributes:
        behaviours: int64 [M].
        before_E: counted events before each source event, and in total [E + 1].
        own_E: per source event, index of the first counted one of its session.
        ends_S: end of each session.
    """

    behaviours: npt.NDArray[np.int64]
    before_E: npt.NDArray[np.int64]
    own_E: npt.NDArray[np.int64]
    ends_S: npt.NDArray[np.int64]

    def rows(self, starts_B: IntArray, ends_B: IntArray) -> list[npt.NDArray[np.int64]]:
        """The slices ``starts_B[b]:ends_B[b]``."""
        return [self.behaviours[a:b] for a, b in zip(starts_B.tolist(), ends_B.tolist(), strict=True)]


@dataclass(frozen=True, slots=True)
class EncodedSessions:
    """Sessions as flat arrays of the K kept events, those of items that the model knows.

    Attributes:
        items, behaviours, gaps: int64 [K].
        kept_before_E: number of kept events before each source event, and in total [E + 1].
        starts_E: per source event, index in the kept events of the first one visible to the model.
        own_E: likewise of the first one of its session; equals ``starts_E`` without earlier sessions.
        past_E: likewise of the first one of its shopper; equals ``starts_E`` without earlier sessions.
        ends_S: end of each session in the kept events.
        met: behaviours of the events that are counted; None if those of the kept ones are.
    """

    items: npt.NDArray[np.int64]
    behaviours: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.int64]
    kept_before_E: npt.NDArray[np.int64]
    starts_E: npt.NDArray[np.int64]
    own_E: npt.NDArray[np.int64]
    past_E: npt.NDArray[np.int64]
    ends_S: npt.NDArray[np.int64]
    met: Met | None = None


def encode_sessions(
    items: IntArray, behaviours: IntArray, times: IntArray, offsets: IntArray, *, spec: EncodingSpec, known_items: int
) -> EncodedSessions:
    """Encode whole sessions, uncut; :func:`rows_of` makes batches of them.

    Args:
        items, behaviours, times: flat arrays [E]; items outside 0 .. ``known_items`` - 1 are dropped.
        offsets: start of each session and the end [S + 1].
    """
    kept = (items >= 0) & (items < known_items)
    counted = ~kept
    if spec.collapse_repeats:
        known = np.flatnonzero(kept)
        session_K = np.searchsorted(offsets, known, side="right")
        again = (items[known[1:]] == items[known[:-1]]) & (behaviours[known[1:]] == behaviours[known[:-1]])
        kept[known[1:][again & (session_K[1:] == session_K[:-1])]] = False
        repeats = np.zeros(len(items), np.bool_)
        repeats[1:] = (items[1:] == items[:-1]) & (behaviours[1:] == behaviours[:-1])
        repeats[offsets[:-1][np.diff(offsets) > 0]] = False
        counted &= ~repeats
    kept_before = np.zeros(len(items) + 1, np.int64)
    np.cumsum(kept, out=kept_before[1:])
    starts = np.repeat(kept_before[offsets[:-1]], np.diff(offsets))
    flat_times = np.asarray(times, np.int64)[kept]
    gaps = gap_buckets(flat_times, spec=spec)
    first = kept_before[offsets[:-1]]
    gaps[first[first < len(gaps)]] = FIRST_OR_UNKNOWN
    kinds = np.asarray(behaviours, np.int64)[kept]
    met = None
    if spec.count_all:
        met = Met(kinds, kept_before, starts, kept_before[offsets[1:]])
        if counted.any():
            counted |= kept
            before = np.zeros(len(items) + 1, np.int64)
            np.cumsum(counted, out=before[1:])
            own = np.repeat(before[offsets[:-1]], np.diff(offsets))
            met = Met(np.asarray(behaviours, np.int64)[counted], before, own, before[offsets[1:]])
    return EncodedSessions(
        items=np.asarray(items, np.int64)[kept],
        behaviours=kinds,
        gaps=gaps,
        kept_before_E=kept_before,
        starts_E=starts,
        own_E=starts,
        past_E=starts,
        ends_S=kept_before[offsets[1:]],
        met=met,
    )


def rows_of(
    encoded: EncodedSessions, starts_B: IntArray, ends_B: IntArray, own_B: IntArray, *, spec: EncodingSpec
) -> Batch:
    """Batch of the slices ``starts_B[b]:ends_B[b]`` of the kept events, padded to the longest, at least one column.

    Args:
        own_B: where the session itself begins in the kept events; may be before ``starts_B``.
    """
    lengths = np.asarray(ends_B - starts_B, np.int64)
    own = np.minimum(np.asarray(ends_B - own_B, np.int64), lengths)
    width = max(1, int(lengths.max(initial=1)))
    columns = np.arange(width)
    real = columns < lengths[:, None]
    index = np.where(real, starts_B[:, None] + columns, 0)
    if not len(encoded.items):
        empty = np.zeros(real.shape, np.int64)
        return Batch(empty, empty, empty, lengths, own)
    gaps = np.where(real, encoded.gaps[index], 0)
    gaps[:, 0] = FIRST_OR_UNKNOWN
    if spec.history:
        gaps[columns < (lengths - own)[:, None]] = spec.earlier_bucket
    return Batch(
        items_BL=np.where(real, encoded.items[index], 0),
        behaviours_BL=np.where(real, encoded.behaviours[index], 0),
        gaps_BL=gaps,
        lengths_B=lengths,
        own_B=own,
    )


def cut_before(encoded: EncodedSessions, events: IntArray, *, spec: EncodingSpec) -> Batch:
    """Prefix of each source event, the event excluded: the last ``max_length`` kept events of its session, preceded by
    those of earlier sessions where ``encoded`` includes them."""
    ends = encoded.kept_before_E[events]
    starts = np.maximum(encoded.starts_E[events], ends - spec.max_length)
    batch, own = rows_of(encoded, starts, ends, encoded.own_E[events], spec=spec), encoded.own_E[events]
    if encoded.met is not None:
        batch = replace(batch, met=encoded.met.rows(encoded.met.own_E[events], encoded.met.before_E[events]))
    if not spec.history:
        return batch
    begins = np.maximum(encoded.past_E[events], own - MOST_PAST)
    return replace(batch, past=[encoded.items[a:b] for a, b in zip(begins.tolist(), own.tolist(), strict=True)])
