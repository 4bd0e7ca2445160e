"""Settings of the encoding, and the buckets of time between events.

Shapes: E events.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.events import TIME_UNKNOWN

FIRST_OR_UNKNOWN: Final = 0
"""Gap bucket of a row's first event and of events without a timestamp."""


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


def gap_buckets(times: npt.NDArray[np.int64], *, spec: EncodingSpec) -> npt.NDArray[np.int64]:
    """Bucket of the time since the previous event, int64 [E]; a negative gap counts as 0."""
    buckets = np.zeros(len(times), np.int64)
    if len(times) > 1:
        clock = (times[1:] != TIME_UNKNOWN) & (times[:-1] != TIME_UNKNOWN)
        passed = np.maximum(times[1:] - times[:-1], 0)
        buckets[1:] = np.where(clock, 1 + np.searchsorted(np.array(spec.gap_edges_ms), passed, side="right"), 0)
    return buckets


def gap_bucket(before: int, time: int, spec: EncodingSpec) -> int:
    """As :func:`gap_buckets`, of an event and the one before it."""
    if TIME_UNKNOWN in (before, time):
        return FIRST_OR_UNKNOWN
    return 1 + bisect_right(spec.gap_edges_ms, max(time - before, 0))
