"""Counts of items and item pairs: taken or viewed, together in a session or within a time window.

Joins and sums are plain Ibis, so they run on whichever engine holds the events; numpy takes over at one row per item or
pair. An item is *taken* by a cart or purchase event, *viewed* by an event of the weakest behaviour.
Shapes: N items, P pairs, E events, S sessions, A acts (an item taken or viewed in a session).
"""

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from tillside.dataset import USERS, Sessions
from tillside.events import TIME_UNKNOWN
from training.mining.columns import ANCHOR, COUNT, GROUP, ITEM, PLACE, RECENT, SESSION, SIZE, TIME, USER, WEIGHT
from training.mining.engines import MiningEngine

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Pairs:
    """Directed item pairs with their counts, sorted by anchor, then item.

    Attributes:
        anchors, items: int64 [P]; anchor and item differ.
        counts: sessions that hold the pair, int64 [P].
        recent: the same with time decay, float64 [P].
    """

    anchors: Ints
    items: Ints
    counts: Ints
    recent: Floats

    def __len__(self) -> int:
        return len(self.anchors)

    def only(self, rows: Bools | Ints) -> "Pairs":
        """Subset of the pairs, by mask or row numbers."""
        return Pairs(self.anchors[rows], self.items[rows], self.counts[rows], self.recent[rows])

    def codes(self, items: int) -> Ints:
        """Scalar keys anchor * N + item, int64 [P], ascending."""
        return self.anchors * items + self.items


@dataclass(frozen=True)
class Acts:
    """Distinct items taken (or viewed) per session, each at its first event.

    Attributes:
        table: SESSION, USER (-1: unknown), ITEM, TIME, WEIGHT; one row per session and item.
        counts_N: sessions that hold each item.
        recent_N: the same with time decay.
        alone_N: sessions that hold the item and nothing else.
        sizes: distinct items of each non-empty session.
        unit: weight that is worth one session: sums of decayed counts, over it, vary as counts do (Kish, 1965).
    """

    table: ir.Table
    counts_N: Ints
    recent_N: Floats
    alone_N: Ints
    sizes: Ints
    unit: float = 1.0


def session_weights(sessions: Sessions, *, half_life_days: float | None) -> Floats:
    """Exponential time-decay weight of each session, float64 [S], by its start relative to the last session's.

    Args:
        half_life_days: None for half of the log's time span. Without timestamps all weights are 1.
    """
    times = np.asarray(sessions.times)
    if not len(times) or times.min() == TIME_UNKNOWN:
        return np.ones(len(sessions))
    begins_S = times[np.minimum(np.asarray(sessions.offsets[:-1]), len(times) - 1)]
    span = float(begins_S.max() - begins_S.min())
    half_life = span / 2 if half_life_days is None else half_life_days * DAY_MS
    weights: Floats = 0.5 ** ((begins_S.max() - begins_S) / half_life) if half_life > 0 else np.ones(len(sessions))
    return weights


def acts_of(
    engine: MiningEngine, sessions: Sessions, wanted_E: Bools, *, items: int, weights_S: Floats, longest: int
) -> Acts:
    """Acts of the events selected by ``wanted_E``; sessions with more than ``longest`` distinct items are dropped."""
    session_E = np.repeat(np.arange(len(sessions)), np.diff(sessions.offsets))[wanted_E]
    users_S = sessions.optional.get(USERS)
    columns = {
        SESSION: session_E,
        USER: np.full(len(session_E), -1) if users_S is None else np.asarray(users_S)[session_E].astype(np.int64),
        ITEM: np.asarray(sessions.items)[wanted_E].astype(np.int64),
        TIME: np.asarray(sessions.times)[wanted_E],
        WEIGHT: weights_S[session_E],
    }
    events = engine.given(columns)
    first = events.group_by(SESSION, ITEM).agg(
        **{USER: events[USER].min(), TIME: events[TIME].min(), WEIGHT: events[WEIGHT].min()}
    )
    sized = first.mutate(**{SIZE: first.count().over(group_by=SESSION)})
    table = engine.keep(sized.filter(sized[SIZE] <= longest).drop(SIZE))
    found = engine.arrays(table, [SESSION, ITEM, WEIGHT])
    _, session_A, sizes = np.unique(found[SESSION], return_inverse=True, return_counts=True)
    counts_N, alone_N = (
        np.bincount(each, minlength=items) for each in (found[ITEM], found[ITEM][sizes[session_A] == 1])
    )
    recent_N = np.bincount(found[ITEM], weights=found[WEIGHT], minlength=items)
    weights = found[WEIGHT].astype(float)
    unit = float((weights**2).sum() / weights.sum()) if weights.any() else 1.0
    return Acts(table, counts_N, recent_N, alone_N, sizes, unit)


def followed(engine: MiningEngine, acts: Acts, *, soon_days: float) -> Pairs:
    """Pairs where the item came with or after the anchor: in one session, or from the same user within ``soon_days``.

    A session counts once per pair. Simultaneous events count in both directions.
    """
    one, other = acts.table, acts.table.view()
    differ = one[ITEM] != other[ITEM]
    columns = {SESSION: one[SESSION], ANCHOR: one[ITEM], ITEM: other[ITEM], WEIGHT: one[WEIGHT]}
    together = one.inner_join(other, [one[SESSION] == other[SESSION], differ, other[TIME] >= one[TIME]])
    same_shopper = [one[USER] == other[USER], one[USER] >= 0, one[SESSION] != other[SESSION], differ]
    until = one[TIME] + round(soon_days * DAY_MS)
    later = one.inner_join(other, [*same_shopper, other[TIME] > one[TIME], other[TIME] <= until])
    return _counted(engine, ibis.union(together.select(**columns), later.select(**columns), distinct=True))


def looked(engine: MiningEngine, taken: Acts, views: Acts) -> Pairs:
    """Pairs where the item was looked at first with or after the anchor was taken, in one session that did not take it.

    A session counts once per pair.
    """
    one, other = taken.table, views.table
    same = [one[SESSION] == other[SESSION], one[ITEM] != other[ITEM], other[TIME] >= one[TIME]]
    columns = {SESSION: one[SESSION], ANCHOR: one[ITEM], ITEM: other[ITEM], WEIGHT: one[WEIGHT]}
    met = one.inner_join(other, same).select(**columns)
    return _counted(engine, met.anti_join(one, [SESSION, ITEM]))


def compared(engine: MiningEngine, sessions: Sessions, wanted_E: Bools, *, weights_S: Floats) -> Pairs:
    """Pairs of different items in consecutive ``wanted_E`` events of a session, in both directions.

    Comparing means switching back and forth between two items; items further apart were met along the way. A session
    counts once per pair.
    """
    rows = np.flatnonzero(wanted_E)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(sessions.offsets))[rows]
    items_E = np.asarray(sessions.items)[rows].astype(np.int64)
    events = engine.given({SESSION: session_E, PLACE: rows, ITEM: items_E, WEIGHT: weights_S[session_E]})
    following = events[ITEM].lead().over(ibis.window(group_by=events[SESSION], order_by=events[PLACE]))
    steps = engine.keep(events.mutate(**{ANCHOR: following}))
    steps = steps.filter(steps[ANCHOR].notnull() & (steps[ANCHOR] != steps[ITEM]))
    there = steps.select(SESSION, ANCHOR, ITEM, WEIGHT)
    back = steps.select(**{SESSION: steps[SESSION], ANCHOR: steps[ITEM], ITEM: steps[ANCHOR], WEIGHT: steps[WEIGHT]})
    return _counted(engine, ibis.union(there, back, distinct=True))


def together(engine: MiningEngine, acts: Acts, groups_N: Ints) -> Pairs:
    """Pairs of the same group that share a session, in both directions; group -1 is left out."""
    group_of = engine.given({ITEM: np.flatnonzero(groups_N >= 0), GROUP: groups_N[groups_N >= 0]})
    one = engine.keep(acts.table.inner_join(group_of, ITEM).select(SESSION, ITEM, GROUP, WEIGHT))
    other = one.view()
    met = one.inner_join(other, [SESSION, GROUP, one[ITEM] != other[ITEM]])
    return _counted(engine, met.select(**{ANCHOR: one[ITEM], ITEM: other[ITEM], WEIGHT: one[WEIGHT]}))


def _counted(engine: MiningEngine, pairs: ir.Table) -> Pairs:
    counted = pairs.group_by(ANCHOR, ITEM).agg(**{COUNT: pairs.count(), RECENT: pairs[WEIGHT].sum()})
    found = engine.arrays(counted.order_by(ANCHOR, ITEM), [ANCHOR, ITEM, COUNT, RECENT])
    # float sums depend on the engine's summation order; rounding makes them reproducible
    return Pairs(found[ANCHOR], found[ITEM], found[COUNT].astype(np.int64), found[RECENT].astype(float).round(6))
