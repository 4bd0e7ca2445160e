"""Session encoding: the one module by which training, evaluation, export and serving all see a session.

Items without a model vector are dropped, the last ``max_length`` events are kept, and the time since the previous event
becomes a logarithmic bucket. Rows are right-padded; ``lengths_B`` masks the padding. A prefix of up to ``max_length``
events is encoded the same wherever it occurs, so there is no train/serve skew. Events of the shopper's earlier sessions
may precede the session's own in the same row. How long a session is and what was done in it is known whatever its
items: beside the row stand the behaviours of all its events, by which purchase intent counts.

Shapes: E events of the log, K of them kept, M of them counted, S sessions, B rows of a batch, L events of the longest
row; C behaviours.
"""

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.events import TIME_UNKNOWN

MOST_PAST: Final = 500
"""Latest kept events of a shopper's earlier sessions that item counts cover, the row's ``history`` included."""
FIRST_OR_UNKNOWN: Final = 0
"""Gap bucket of a row's first event and of events without a timestamp."""

NOTHING: Final = np.zeros(0, np.int64)
IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class EncodingSpec:
    """Encoding that an encoder was trained with; stored in the bundle.

    Attributes:
        max_length: events kept per row, the latest ones.
        gap_edges_ms: ascending upper edges of the time-gap buckets; the default doubles from 1 s to 12 days.
        collapse_repeats: drop an event that repeats the item and behaviour of the previous known one, as preparation
            did: what stands between them and is not known to the model does not part them, neither here nor there.
        history: maximum number of events of the shopper's earlier sessions in a row, the latest ones, within what the
            session itself leaves of ``max_length``.
        count_all: whether all events of a session are counted, or those of its row alone, as in bundles of 0.1.

    Raises:
        ValueError: a field is out of range, or ``gap_edges_ms`` do not ascend.
    """

    max_length: int = 50
    gap_edges_ms: tuple[int, ...] = tuple(1000 * 2**power for power in range(21))
    collapse_repeats: bool = False
    history: int = 0
    count_all: bool = True

    def __post_init__(self) -> None:
        if self.max_length < 1:
            raise ValueError(f"max_length must be at least 1, got {self.max_length}")
        if self.history < 0:
            raise ValueError(f"history must not be negative, got {self.history}")
        if list(self.gap_edges_ms) != sorted(set(self.gap_edges_ms)):
            raise ValueError("gap_edges_ms must ascend")

    @property
    def gap_buckets(self) -> int:
        """Number of gap buckets: the unknown one, one below each edge, one above the last, and with a history one that
        marks the events of earlier sessions."""
        return len(self.gap_edges_ms) + 2 + (self.history > 0)

    @property
    def earlier_bucket(self) -> int:
        """Gap bucket of all events of earlier sessions, whatever their timestamps."""
        return self.gap_buckets - 1

    def document(self) -> dict[str, Any]:
        """The spec as JSON types."""
        return asdict(self) | {"gap_edges_ms": list(self.gap_edges_ms)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "EncodingSpec":
        """The inverse of :meth:`document`."""
        edges = tuple(int(edge) for edge in document["gap_edges_ms"])
        history = int(document.get("history", 0))  # bundles of 0.1 have none
        count_all = bool(document.get("count_all", False))
        return cls(int(document["max_length"]), edges, bool(document["collapse_repeats"]), history, count_all)


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded rows.

    Attributes:
        items_BL, behaviours_BL, gaps_BL: int64.
        lengths_B: events in each row; the rest is padding.
        own_B: how many of those, the last ones, belong to the session itself; the ones before belong to the shopper's
            earlier sessions.
        past: per row the items of up to MOST_PAST events of earlier sessions; empty if no row has any.
        met: per row the behaviours of all events of the session itself, those of items without a vector among them;
            empty where the row's own events are all that is counted.
    """

    items_BL: npt.NDArray[np.int64]
    behaviours_BL: npt.NDArray[np.int64]
    gaps_BL: npt.NDArray[np.int64]
    lengths_B: npt.NDArray[np.int64]
    own_B: npt.NDArray[np.int64]
    past: Sequence[npt.NDArray[np.int64]] = ()
    met: Sequence[npt.NDArray[np.int64]] = ()

    def before(self, row: int) -> npt.NDArray[np.int64]:
        """Items of the shopper's earlier sessions, oldest first; may be empty."""
        return self.past[row] if self.past else NOTHING

    def session(self, row: int) -> npt.NDArray[np.int64]:
        """Items of the session itself, oldest first; may be empty."""
        length = self.lengths_B[row]
        return self.items_BL[row, length - self.own_B[row] : length]

    def counted(self, behaviours: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """How many events of each behaviour a session holds [B, C], and the behaviour of the latest [B], -1 without
        any; earlier sessions are not counted.

        Args:
            behaviours: C.
        """
        met = self.met
        if not met:
            ends, own = self.lengths_B.tolist(), self.own_B.tolist()
            met = [row[max(0, end - n) : end] for row, end, n in zip(self.behaviours_BL, ends, own, strict=True)]
        counts_BC = np.zeros((len(met), behaviours), np.int64)
        for counts_C, kinds in zip(counts_BC, met, strict=True):
            counts_C[:] = np.bincount(kinds, minlength=behaviours)
        return counts_BC, np.array([kinds[-1] if len(kinds) else -1 for kinds in met], np.int64)


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


def gap_buckets(times: npt.NDArray[np.int64], *, spec: EncodingSpec) -> npt.NDArray[np.int64]:
    """Bucket of the time since the previous event, int64 [E]; a negative gap counts as 0."""
    buckets = np.zeros(len(times), np.int64)
    if len(times) > 1:
        clock = (times[1:] != TIME_UNKNOWN) & (times[:-1] != TIME_UNKNOWN)
        passed = np.maximum(times[1:] - times[:-1], 0)
        buckets[1:] = np.where(clock, 1 + np.searchsorted(np.array(spec.gap_edges_ms), passed, side="right"), 0)
    return buckets


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


def encode_session(
    items: IntArray, behaviours: IntArray, times: IntArray, *, spec: EncodingSpec, known_items: int, earlier: int = 0
) -> Batch:
    """One live session as a batch of one row, as the server feeds it to the encoder.

    It is :func:`encode_sessions` and :func:`rows_of` for one session, in plain Python: of so few events arrays cost
    three times as much, in every answer.

    Args:
        earlier: how many of the events, the first ones, belong to the shopper's earlier sessions.
    """
    if earlier and not spec.history:
        items, behaviours, times, earlier = items[earlier:], behaviours[earlier:], times[earlier:], 0
    kept: list[tuple[int, int, int]] = []
    met: list[int] = []
    before = latest = None
    own = 0
    for place, event in enumerate(zip(items.tolist(), behaviours.tolist(), times.tolist(), strict=True)):
        what, known = event[:2], 0 <= event[0] < known_items
        if not spec.collapse_repeats or what != (latest if known else before):
            if known:
                kept.append(event)
                own += place < earlier
            if place >= earlier:
                met.append(event[1])
        before = what
        latest = what if known else latest
    start = max(0, own - spec.history, len(kept) - spec.max_length)
    row = kept[start:]
    of_before = max(0, own - start) if spec.history else 0
    gaps = [FIRST_OR_UNKNOWN, *(_gap_bucket(a[2], b[2], spec) for a, b in itertools.pairwise(row))]
    gaps[:of_before] = [spec.earlier_bucket] * of_before
    return Batch(
        items_BL=np.array([[event[0] for event in row] or [0]], np.int64),
        behaviours_BL=np.array([[event[1] for event in row] or [0]], np.int64),
        gaps_BL=np.array([gaps], np.int64),
        lengths_B=np.array([len(row)]),
        own_B=np.array([min(len(kept) - own, len(row))]),
        past=[np.array([event[0] for event in kept[max(0, own - MOST_PAST) : own]], np.int64)] if earlier else (),
        met=[np.array(met, np.int64)] if spec.count_all else (),
    )


def _gap_bucket(before: int, time: int, spec: EncodingSpec) -> int:
    """As :func:`gap_buckets`, of one event."""
    if TIME_UNKNOWN in (before, time):
        return FIRST_OR_UNKNOWN
    return 1 + bisect_right(spec.gap_edges_ms, max(time - before, 0))
