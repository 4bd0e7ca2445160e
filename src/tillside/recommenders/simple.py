"""Baseline recommenders that need no training run, from popularity to item kNN.

Every evaluation reports them beside the model, and popularity also answers an empty session online. All of them rank
the whole catalogue: items about which a method has no evidence come below the others, ordered by popularity.

Shapes: B rows of a batch, L events of the longest row, K real events of a batch, N items, P pairs, E events of the log.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.encoding.batch import Batch
from tillside.events import TIME_UNKNOWN
from tillside.recommenders.item_pairs import ItemPairs

ASIDE: Final = 0.001
"""Share of a log's events at either end that may be of a clock gone wrong."""
HALF_LIFE: Final = 0.05
"""Half-life of an event's weight in popularity, as a fraction of the time that the sessions span."""
FILL: Final = 1e-4
"""Bound of popularity's share in a score: distinct sums of 1/1 ... 1/10 differ by at least 1/2520."""


def popularity(counts_NB: npt.NDArray[np.number[Any]]) -> npt.NDArray[np.float32]:
    """Popularity scores per target behaviour, float32 [behaviours, N]: event counts of that behaviour.

    Ties are broken by the count of all events of the item.
    """
    total_N = counts_NB.sum(axis=1)
    tie_break_N = total_N / (total_N.max(initial=0) + 1.0)
    return np.ascontiguousarray((counts_NB + tie_break_N[:, None]).T, dtype=np.float32)


def ordinary_span(times: npt.NDArray[np.int64]) -> tuple[int, int]:
    """First and last time of a log, its outlying clocks aside: a time 0 or one of the year 2100 decides nothing.

    A thousandth of the events at either end is set aside where it lies further off than all others span.
    """
    low, high = (int(each) for each in np.quantile(times, (ASIDE, 1 - ASIDE), method="nearest"))
    span = max(high - low, 1)
    first, last = int(times.min()), int(times.max())
    return (low if low - first > span else first), (high if last - high > span else last)


def recent_events(sessions: Sessions, *, items: int, behaviours: int) -> npt.NDArray[np.float32] | None:
    """Event counts with exponential time decay, float32 [items, behaviours]; None without a clock.

    Popularity answers sessions without usable events. For the first events of test sessions, decayed counts have a
    higher recall@20 than plain counts: measured on three logs, from three hours to a year long.
    """
    times = np.asarray(sessions.times)
    if not len(times) or times.min() == TIME_UNKNOWN or times.min() == times.max():
        return None
    first, last = ordinary_span(times)
    if first == last:
        return None
    weights = 0.5 ** ((last - np.clip(times, first, last)) / (HALF_LIFE * float(last - first)))
    cells = np.asarray(sessions.items, np.int64) * behaviours + np.asarray(sessions.behaviours)
    counted = np.bincount(cells, weights=weights, minlength=items * behaviours)
    return counted.reshape(items, behaviours).astype(np.float32)


def popular_events(sessions: Sessions, *, items: int, behaviours: int) -> npt.NDArray[np.float32]:
    """Event counts that popularity is made of, float32 [items, behaviours]: :func:`recent_events`, or plain counts
    without a clock."""
    recent_NB = recent_events(sessions, items=items, behaviours=behaviours)
    if recent_NB is not None:
        return recent_NB
    cells = np.asarray(sessions.items, np.int64) * behaviours + np.asarray(sessions.behaviours)
    return np.bincount(cells, minlength=items * behaviours).reshape(items, behaviours).astype(np.float32)


@dataclass(frozen=True)
class Popularity:
    """The most frequent items of the target behaviour, independent of the session."""

    scores_by_behaviour: npt.NDArray[np.float32]

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N]."""
        return self.scores_by_behaviour[ask_B]


@dataclass(frozen=True)
class SessionPopularity:
    """Items of the session itself by count, then recency; the other items after them, by popularity."""

    scores_by_behaviour: npt.NDArray[np.float32]

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N]: session items have their count plus a recency fraction, all others are below 1."""
        shares = self.scores_by_behaviour / (self.scores_by_behaviour.max(axis=1, initial=0, keepdims=True) + 1)
        scores_BN: npt.NDArray[np.float32] = shares[ask_B]
        width = batch.items_BL.shape[1]
        real_BL = np.arange(width) < batch.lengths_B[:, None]
        counts_BL = np.zeros(batch.items_BL.shape, np.int64)
        for column in range(width):
            counts_BL += (batch.items_BL == batch.items_BL[:, [column]]) & real_BL[:, [column]]
        for column in range(width):  # an item's last position overwrites the earlier ones
            rows = np.flatnonzero(real_BL[:, column])
            fraction = (column + 1) / (width + 1)
            scores_BN[rows, batch.items_BL[rows, column]] = counts_BL[rows, column] + fraction
        return scores_BN


@dataclass(frozen=True)
class CoVisitation:
    """Items by how often they co-occur in sessions with the last item."""

    pairs: ItemPairs
    fill_N: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, sessions: Sessions, *, items: int, window: int = 10) -> "CoVisitation":
        """Count pairs at most ``window`` events apart in one session, symmetric and without self-pairs."""
        pairs = ItemPairs.count(
            sessions, items=items, window=window, weigh=lambda distance: np.ones(len(distance)), both_ways=True
        )
        return cls(pairs, _shares_of_events(sessions, items))

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N]; independent of the target behaviour."""
        return _from_last_items(batch, self.pairs, self.fill_N)


@dataclass(frozen=True)
class SequentialRules:
    """Items that followed the last item, weighted by 1 / distance (SR of Kamehkhosh, Jannach and Ludewig, 2017)."""

    pairs: ItemPairs
    fill_N: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, sessions: Sessions, *, items: int, steps: int = 10) -> "SequentialRules":
        """Sum 1 / distance over later events at most ``steps`` away; an item may follow itself."""
        pairs = ItemPairs.count(
            sessions, items=items, window=steps, weigh=lambda distance: 1.0 / distance, both_ways=False
        )
        return cls(pairs, FILL * _shares_of_events(sessions, items))

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N]; independent of the target behaviour."""
        return _from_last_items(batch, self.pairs, self.fill_N)


@dataclass(frozen=True)
class ItemKnn:
    """Item kNN by damped cosine over sessions (Hidasi et al., 2016, who use the last item alone).

    The similarity of items i and j is ``both / sqrt((n_i + damping) * (n_j + damping))``, with ``both`` the number of
    sessions that hold both and ``n`` those that hold each. An item of the session weighs ``decay`` times as much as the
    next one.
    """

    pairs: ItemPairs
    fill_N: npt.NDArray[np.float32]
    decay: float

    @classmethod
    def fit(
        cls, sessions: Sessions, *, items: int, neighbours: int = 100, damping: float = 20.0, decay: float = 0.5
    ) -> "ItemKnn":
        """Compute the similarity of all pairs that share a session and keep the top ``neighbours`` of each item."""
        sets = _item_sets(sessions, items)
        longest = int(np.diff(sets.offsets).max(initial=0))
        both = ItemPairs.count(
            sets, items=items, window=longest, weigh=lambda distance: np.ones(len(distance)), both_ways=True
        )
        support_N = np.bincount(sets.items, minlength=items) + damping
        norm_P = np.sqrt(support_N[both.sources] * support_N[both.neighbours])
        cosines = ItemPairs(both.offsets, both.neighbours, (both.weights / norm_P).astype(np.float32))
        return cls(cosines.strongest(neighbours), FILL**2 * _shares_of_events(sessions, items), decay)

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, N]; independent of the target behaviour."""
        scores_BN = np.tile(self.fill_N, (len(batch.lengths_B), 1))
        rows_K, columns_K = np.nonzero(np.arange(batch.items_BL.shape[1]) < batch.lengths_B[:, None])
        factors_K = self.decay ** (batch.lengths_B[rows_K] - 1.0 - columns_K)
        self.pairs.add_to(scores_BN, rows_K, batch.items_BL[rows_K, columns_K], factors_K.astype(np.float32))
        return scores_BN


def _from_last_items(batch: Batch, pairs: ItemPairs, fill_N: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scores_BN = np.tile(fill_N, (len(batch.lengths_B), 1))
    rows = np.flatnonzero(batch.lengths_B)
    last = batch.items_BL[rows, batch.lengths_B[rows] - 1]
    pairs.add_to(scores_BN, rows, last, np.ones(len(rows), np.float32))
    return scores_BN


def _shares_of_events(sessions: Sessions, items: int) -> npt.NDArray[np.float32]:
    """Event count of each item over one plus the maximum count, float32 [N], below 1."""
    events = np.asarray(sessions.items, np.int64)
    counts = np.bincount(events[(events >= 0) & (events < items)], minlength=items)
    shares_N: npt.NDArray[np.float32] = (counts / (counts.max(initial=0) + 1.0)).astype(np.float32)
    return shares_N


def _item_sets(sessions: Sessions, items: int) -> Sessions:
    """The sessions as sets: each known item once per session."""
    session_E = np.repeat(np.arange(len(sessions)), np.diff(sessions.offsets))
    events = np.asarray(sessions.items, np.int64)
    known = (events >= 0) & (events < items)
    keys = np.unique(session_E[known] * max(items, 1) + events[known])
    offsets = np.searchsorted(keys, np.arange(len(sessions) + 1) * max(items, 1))
    flat = (keys % max(items, 1)).astype(np.int32)
    return Sessions(flat, np.zeros(len(flat), np.uint8), np.zeros(len(flat), np.int64), offsets, {})
