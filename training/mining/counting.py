"""What was counted: how often items were taken or looked at, and pairs of them together or soon after one another.

Joins and sums are plain Ibis, so they run on whatever engine holds the events; numpy takes over where one row an item
or a pair is left. An event is *taken* when it is a cart or a purchase, and a *view* when it is the weakest behaviour.
Shapes: N items, P pairs, E events, S sessions.
"""

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from tillside.dataset import USERS, Sessions
from tillside.events import TIME_UNKNOWN
from training.mining.columns import ANCHOR, COUNT, GROUP, ITEM, PLACE, RECENT, SESSION, TIME, USER, WEIGHT
from training.mining.engines import MiningEngine

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Pairs:
    """Pairs of items that were counted, ordered by anchor, then item.

    Attributes:
        anchors, items: int64 [P]; never the same item.
        counts: in how many sessions, int64 [P].
        recent: the same, older sessions counting less, float64 [P].
    """

    anchors: Ints
    items: Ints
    counts: Ints
    recent: Floats

    def __len__(self) -> int:
        return len(self.anchors)

    def only(self, rows: Bools | Ints) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.anchors[rows], self.items[rows], self.counts[rows], self.recent[rows])

    def codes(self, items: int) -> Ints:
        """One number a pair: anchor * N + item; ascending."""
        return self.anchors * items + self.items


@dataclass(frozen=True)
class Acts:
    """One row for each item that a session took (or looked at), at the moment it first did.

    Attributes:
        table: SESSION, USER (-1: unknown), ITEM, TIME, WEIGHT.
        counts_N: sessions that hold each item.
        recent_N: the same, older sessions counting less.
        sizes: how many items each session holds that holds any.
    """

    table: ir.Table
    counts_N: Ints
    recent_N: Floats
    sizes: Ints


def session_weights(sessions: Sessions, *, half_life_days: float | None) -> Floats:
    """How much each session counts [S]: half as much for every half-life that it began before the last one did.

    Args:
        half_life_days: None for half of the log's length in time. Without a clock all count 1.
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
    """The wanted events as Acts; sessions with more than ``longest`` different items are left out."""
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
    sized = first.mutate(__size=first.count().over(group_by=SESSION))
    table = engine.keep(sized.filter(sized["__size"] <= longest).drop("__size"))
    found = engine.arrays(table, [SESSION, ITEM, WEIGHT])
    sizes = np.unique(found[SESSION], return_counts=True)[1]
    counts_N = np.bincount(found[ITEM], minlength=items)
    return Acts(table, counts_N, np.bincount(found[ITEM], weights=found[WEIGHT], minlength=items), sizes)


def followed(engine: MiningEngine, acts: Acts, *, soon_days: float) -> Pairs:
    """Pairs where the item came with or after the anchor: in one session, or by the same shopper ``soon_days`` later.

    A session counts once for a pair. What happened at the same moment counts both ways.
    """
    one, other = acts.table, acts.table.view()
    differ = one[ITEM] != other[ITEM]
    columns = {SESSION: one[SESSION], ANCHOR: one[ITEM], ITEM: other[ITEM], WEIGHT: one[WEIGHT]}
    together = one.inner_join(other, [one[SESSION] == other[SESSION], differ, other[TIME] >= one[TIME]])
    same_shopper = [one[USER] == other[USER], one[USER] >= 0, one[SESSION] != other[SESSION], differ]
    until = one[TIME] + round(soon_days * DAY_MS)
    later = one.inner_join(other, [*same_shopper, other[TIME] > one[TIME], other[TIME] <= until])
    return _counted(engine, ibis.union(together.select(**columns), later.select(**columns), distinct=True))


def compared(engine: MiningEngine, sessions: Sessions, wanted_E: Bools, *, weights_S: Floats) -> Pairs:
    """Pairs where one of the wanted events comes right after another's in a session, in both directions.

    Whoever compares goes to and fro between two items; what stands further apart in a session was met on the way. A
    session counts once for a pair.
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
    """Pairs of one group that meet in a session, in both directions; items of group -1 meet nobody."""
    group_of = engine.given({ITEM: np.flatnonzero(groups_N >= 0), GROUP: groups_N[groups_N >= 0]})
    one = engine.keep(acts.table.inner_join(group_of, ITEM).select(SESSION, ITEM, GROUP, WEIGHT))
    other = one.view()
    met = one.inner_join(other, [SESSION, GROUP, one[ITEM] != other[ITEM]])
    return _counted(engine, met.select(**{ANCHOR: one[ITEM], ITEM: other[ITEM], WEIGHT: one[WEIGHT]}))


def _counted(engine: MiningEngine, pairs: ir.Table) -> Pairs:
    counted = pairs.group_by(ANCHOR, ITEM).agg(**{COUNT: pairs.count(), RECENT: pairs[WEIGHT].sum()})
    found = engine.arrays(counted.order_by(ANCHOR, ITEM), [ANCHOR, ITEM, COUNT, RECENT])
    # sums of floats depend on their order, which is the engine's own; rounded, they are the same on every run
    return Pairs(found[ANCHOR], found[ITEM], found[COUNT].astype(np.int64), found[RECENT].astype(float).round(6))
