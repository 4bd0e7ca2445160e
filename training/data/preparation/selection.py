"""Selection of trained items and kept sessions, by the training part alone, and the resulting arrays.

A single pass: items with enough training events are trained; training sessions lose all other items and are then
set apart if too short. Validation and test sessions keep all their events, and are set apart only if a single event
leaves nothing to predict. So a trained item may end with fewer events than the minimum. Shapes: N items, S sessions.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tillside.dataset import GOALS_LATER, PARTS, TRAIN_ONLY, USERS, Part, Sessions, Whole
from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, QUANTITY, SCENE_ID, TIMESTAMP, USER_ID, Behaviours
from training.data.columns import (
    CODE,
    COUNT,
    END,
    ITEM,
    LATER,
    LENGTH,
    ORDER,
    PART,
    SESSION,
    SHORT,
    TRAINED,
    WHOLE,
    count_column,
)
from training.data.engine import QueryEngine
from training.data.preparation.sessionising import collapse
from training.data.preparation.splits import TEST, TRAIN
from training.settings.prepare import Repeats

SHORTEST: Final = 2
"""Minimum events of a validation or test session: one as prefix and one as target."""


def rank_items(
    engine: QueryEngine,
    events: ir.Table,
    sessions: ir.Table,
    items: ir.Table,
    *,
    behaviours: Behaviours,
    min_support: int,
) -> ir.Table:
    """Rank ``items``, adding CODE, TRAINED and training events per behaviour; items without events are kept.

    Trained items come first, most training events first; the rest, and ties, are sorted by id.
    """
    placed = events.select(SESSION, ITEM, BEHAVIOUR).inner_join(sessions.select(SESSION, PART), SESSION)
    train = placed[PART] == TRAIN
    counts = {
        count_column(index): (train & (placed[BEHAVIOUR] == index)).cast("int64").sum()
        for index in range(len(behaviours))
    }
    counted = placed.group_by(ITEM).agg(**counts, **{COUNT: train.cast("int64").sum()})
    items = items.left_join(counted, ITEM).drop(f"{ITEM}_right")
    items = items.mutate(**{name: items[name].fill_null(0) for name in (*counts, COUNT)})
    items = items.mutate(**{TRAINED: items[COUNT] >= min_support})
    order = [items[TRAINED].desc(), ibis.ifelse(items[TRAINED], items[COUNT], 0).desc(), items[ITEM_ID]]
    return engine.keep(items.mutate(**{CODE: ibis.row_number().over(order_by=order)}).order_by(CODE))


def hold_out(
    engine: QueryEngine, events: ir.Table, sessions: ir.Table, ranked: ir.Table, *, share: float, seed: int
) -> ir.Table:
    """Remove the pre-test events of a random ``share`` of the trained items, which makes them cold items."""
    trained = engine.value(ranked[TRAINED].cast("int64").sum())
    drawn = np.random.default_rng(seed).choice(trained, round(share * trained), replace=False)
    held = ranked.semi_join(ibis.memtable(pa.table({CODE: np.sort(drawn)})), CODE)
    early = sessions.filter(sessions[PART] != TEST)
    gone = events.semi_join(held, ITEM).semi_join(early, SESSION)
    return engine.keep(events.anti_join(gone, [SESSION, ORDER]))


def code_events(engine: QueryEngine, events: ir.Table, sessions: ir.Table, items: ir.Table) -> ir.Table:
    """Join each event with its item's CODE and TRAINED and its session's PART and END."""
    given = events.drop(PART) if PART in events.columns else events
    joined = given.inner_join(sessions, SESSION)
    return engine.keep(joined.inner_join(items.select(ITEM, CODE, TRAINED), ITEM).drop(ITEM))


@dataclass(frozen=True)
class Selection:
    """The kept sessions.

    Attributes:
        sessions: event arrays.
        parts: half-open range of sessions of each part.
        short_parts: of the sessions that are too short, but hold an event; empty with a leave-one-out split.
        dropped: number of sessions that are too short, without an event too, per part.
        whole: all sessions with all their events; None without a goal to count in them.
    """

    sessions: Sessions
    parts: dict[Part, tuple[int, int]]
    short_parts: dict[Part, tuple[int, int]]
    dropped: dict[str, int]
    whole: Whole | None = None

    def renumbered(self, place_N: npt.NDArray[np.int64]) -> "Selection":
        """Renumber item i as ``place_N[i]``."""

        def placed(sessions: Sessions) -> Sessions:
            return replace(sessions, items=place_N[sessions.items].astype(np.int32))

        whole = self.whole and replace(self.whole, sessions=placed(self.whole.sessions))
        return replace(self, sessions=placed(self.sessions), whole=whole)


def select_sessions(
    engine: QueryEngine,
    coded: ir.Table,
    sessions: ir.Table,
    *,
    events: ir.Table,
    min_length: int,
    repeats: Repeats = Repeats.keep,
    goal: int | None = None,
) -> Selection:
    """Set sessions apart that are too short, and sort both kinds by part, end and first event in the file.

    Events within a session are sorted by time, then file order.

    Args:
        engine: owner of the tables.
        coded: events from ``code_events``.
        sessions: from ``split_sessions``.
        events: canonical events, for the user ids.
        min_length: minimum events of a training session.
        repeats: what to do with training events that repeat another once nothing untrained parts them any more.
        goal: behaviour that purchase intent is about: the sessions are kept whole too, and each kept event says whether
            the goal comes after it, counted over all events. None: neither.

    Raises:
        ValueError: no training session is left.
    """
    if goal is not None:
        coded = _told_of_goals(coded, goal)
    taken = coded.filter((coded[PART] != TRAIN) | coded[TRAINED])
    if repeats is Repeats.collapse:  # as the model reads them; the others are asked about as they happened
        late = taken.filter(taken[PART] != TRAIN)
        taken = engine.keep(late.union(collapse(taken.filter(taken[PART] == TRAIN), CODE)))
    lengths = taken.group_by(SESSION).agg(**{LENGTH: taken.count()})
    measured = sessions.left_join(lengths, SESSION).drop(f"{SESSION}_right")
    measured = measured.mutate(**{LENGTH: measured[LENGTH].fill_null(0)})
    short = measured[LENGTH] < ibis.ifelse(measured[PART] == TRAIN, min_length, SHORTEST)
    measured = engine.keep(measured.mutate(**{SHORT: short}))
    counted = measured.group_by(PART).agg(n=measured[SHORT].cast("int64").sum())
    dropped = {row[PART]: int(row["n"]) for row in engine.rows(counted)}
    copied = WHOLE in coded.columns  # a short copy that leave-one-out made is no visit of its own
    kept = measured.filter(~measured[SHORT] if copied else measured[LENGTH] > 0)
    chosen = taken.inner_join(kept.select(SESSION, SHORT), SESSION)
    place = [chosen[SHORT], PART, END, SESSION, TIMESTAMP, ORDER]
    arrays = _pull(engine, chosen.order_by(*place), size=engine.value(chosen.count()))
    offsets, part_of_S = _parted(arrays)
    starts = offsets[:-1]
    part_of_S = part_of_S + len(PARTS) * arrays.pop(SHORT)[starts]
    if not (part_of_S == TRAIN).any():
        raise ValueError(
            "no training session is left after min_item_support and min_session_length; lower them, or give a "
            "longer log"
        )
    edges = np.searchsorted(part_of_S, np.arange(2 * len(PARTS) + 1)).tolist()
    ranges = list(itertools.pairwise(edges))
    optional = {_ARRAYS[name]: arrays[name] for name in _ARRAYS if name in arrays}
    if copied:
        optional[TRAIN_ONLY] = arrays.pop(WHOLE)[starts].astype(np.bool_)
    if USER_ID in events.columns:
        optional[USERS] = _users(engine, kept, events, order=[SHORT, PART, END, SESSION])
    return Selection(
        sessions=Sessions(arrays[CODE], arrays[BEHAVIOUR], arrays[TIMESTAMP], offsets, optional),
        parts=dict(zip(PARTS, ranges[: len(PARTS)], strict=True)),
        short_parts={} if copied else dict(zip(PARTS, ranges[len(PARTS) :], strict=True)),
        dropped={name: dropped.get(number, 0) for number, name in enumerate(PARTS)},
        whole=None if goal is None else _whole(engine, coded, sessions, events),
    )


def _told_of_goals(coded: ir.Table, goal: int) -> ir.Table:
    """``coded`` with LATER: whether the session reaches its goal after the event."""
    order = [coded[TIMESTAMP], coded[ORDER]]
    further = ibis.window(group_by=coded[SESSION], order_by=order, rows=(1, None))
    reached = (coded[BEHAVIOUR] == goal).cast("int8").max().over(further)
    return coded.mutate(**{LATER: reached.fill_null(0).cast("int8")})


def _whole(engine: QueryEngine, coded: ir.Table, sessions: ir.Table, events: ir.Table) -> Whole:
    """All sessions with all their events, in the order of the kept ones."""
    columns = coded.drop(*(name for name in _ARRAYS if name in coded.columns))
    ordered = columns.order_by(PART, END, SESSION, TIMESTAMP, ORDER)
    arrays = _pull(engine, ordered, size=engine.value(coded.count()))
    offsets, part_of_S = _parted(arrays)
    edges = np.searchsorted(part_of_S, np.arange(len(PARTS) + 1)).tolist()
    some = sessions.semi_join(coded.select(SESSION).distinct(), SESSION)
    optional = {USERS: _users(engine, some, events, order=[PART, END, SESSION])} if USER_ID in events.columns else {}
    return Whole(
        Sessions(arrays[CODE], arrays[BEHAVIOUR], arrays[TIMESTAMP], offsets, optional),
        {name: (edges[number], edges[number + 1]) for number, name in enumerate(PARTS)},
    )


def _parted(arrays: dict[str, npt.NDArray[Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Offsets [S + 1] of the sessions in pulled arrays, and the part of each [S]; takes SESSION and PART out."""
    ids, parts = arrays.pop(SESSION), arrays.pop(PART)
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]]) if len(ids) else np.zeros(0, np.int64)
    return np.r_[starts, len(ids)].astype(np.int64), parts[starts]


def _users(engine: QueryEngine, kept: ir.Table, events: ir.Table, *, order: Sequence[str]) -> npt.NDArray[np.int32]:
    """The shopper of each session, in order; a session's id is the order number of one of its events."""
    owned = kept.inner_join(events.select(ORDER, USER_ID), kept[SESSION] == events[ORDER])
    users = engine.backend.to_pyarrow(owned.order_by(*order).select(USER_ID))[USER_ID]
    return _Numbers().of(users)


_ARRAYS: Final = {PRICE: "prices", QUANTITY: "quantities", SCENE_ID: "scenes", LATER: GOALS_LATER}
_TYPES: Final[dict[str, type[np.generic]]] = {
    CODE: np.int32,
    BEHAVIOUR: np.uint8,
    TIMESTAMP: np.int64,
    SESSION: np.int64,
    PART: np.int8,
    SHORT: np.bool_,
    WHOLE: np.int8,
    PRICE: np.float32,
    QUANTITY: np.int32,
    SCENE_ID: np.int32,
    LATER: np.uint8,
}


def _pull(engine: QueryEngine, events: ir.Table, *, size: int) -> dict[str, npt.NDArray[Any]]:
    """Fill numpy arrays batch by batch, so that the table is never in memory twice."""
    names = [name for name in _TYPES if name in events.columns]
    arrays = {name: np.empty(size, _TYPES[name]) for name in names}
    scenes, at = _Numbers(), 0
    for batch in engine.batches(events.select(*names)):
        for name in names:
            column = batch[name]
            if name == SCENE_ID:
                values = scenes.of(column)
            elif name == PRICE:
                values = column.to_numpy(zero_copy_only=False)
            elif name == QUANTITY:
                values = column.fill_null(-1).to_numpy(zero_copy_only=False)
            else:
                values = column.to_numpy(zero_copy_only=False)
            arrays[name][at : at + len(batch)] = values
        at += len(batch)
    assert at == size
    return arrays


class _Numbers:
    """Integer codes of ids in order of first appearance, -1 for null."""

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}

    def of(self, column: "pa.Array | pa.ChunkedArray") -> npt.NDArray[np.int32]:
        encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        encoded = encoded.dictionary_encode()
        known = [self._number_of.setdefault(text, len(self._number_of)) for text in encoded.dictionary.to_pylist()]
        numbers: npt.NDArray[np.int32] = np.array([*known, -1], np.int32)
        return numbers[encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)]
