"""Split into train, validation and test: whole sessions, by the time of their last event or as given by the log.

Sessions with the same end time always land in the same part. Leave-one-out is the exception to whole sessions: it turns
one session into three, for logs without timestamps and to reproduce published results.
"""

from typing import Final

import ibis
import ibis.expr.types as ir

from tillside.events import TIMESTAMP
from training.data.columns import AFTER, END, EVENTS, ORDER, PART, SECOND_ID, SESSION, THIRD_ID, WHOLE
from training.data.engine import QueryEngine
from training.settings.split import SplitBy, SplitConfig

DAY: Final = 86_400_000
TRAIN, VALIDATION, TEST = 0, 1, 2


HELD_OUT: Final = 2
"""Events that leave-one-out holds out per session: the last for test, the one before for validation."""


def split_sessions(engine: QueryEngine, events: ir.Table, config: SplitConfig) -> ir.Table:
    """Table of SESSION, END and PART, one row per session. ``config`` must be resolved."""
    columns = {END: events[TIMESTAMP].max()}
    if PART in events.columns:
        columns[PART] = events[PART].min()
    sessions = engine.keep(events.group_by(SESSION).agg(**columns))
    assert config.validation is not None
    assert config.test is not None
    if config.by in (SplitBy.given, SplitBy.leave_one_out):
        train = sessions.filter(sessions[PART] == TRAIN)
        first = _at_share(engine, train, SESSION, 1 - config.validation)
        moved = (sessions[PART] == TRAIN) & (sessions[SESSION] >= first)
        part = ibis.ifelse(moved if first is not None else False, VALIDATION, sessions[PART])
        return engine.keep(sessions.mutate(**{PART: part.cast("int8")}))
    if config.by is SplitBy.days:
        last = engine.value(sessions[END].max()) or 0
        test_from: int | None = last - round(config.test * DAY) + 1
        validation_from: int | None = last - round((config.test + config.validation) * DAY) + 1
    else:
        test_from = _at_share(engine, sessions, END, 1 - config.test)
        validation_from = _at_share(engine, sessions, END, 1 - config.test - config.validation)
    never = 2**62
    part = ibis.cases(
        (sessions[END] >= (never if test_from is None else test_from), TEST),
        (sessions[END] >= (never if validation_from is None else validation_from), VALIDATION),
        else_=TRAIN,
    )
    return engine.keep(sessions.mutate(**{PART: part.cast("int8")}))


def leave_one_out(engine: QueryEngine, events: ir.Table) -> ir.Table:
    """Add PART and WHOLE, turning each session of three or more events into three sessions.

    The test session is the whole session with its last event as target; the validation session ends one event earlier
    and the training session two. Shorter sessions are for training only. Each new session gets the order number of a
    different one of its events as id, so ids stay unique.
    """
    order, others = events[ORDER], events[ORDER] != events[SESSION]
    names = events.group_by(SESSION).agg(
        **{EVENTS: events.count(), SECOND_ID: order.min(where=others), THIRD_ID: order.max()}
    )
    latest_first = ibis.window(group_by=events[SESSION], order_by=[events[TIMESTAMP].desc(), order.desc()])
    placed = engine.keep(events.mutate(**{AFTER: ibis.row_number().over(latest_first)}).inner_join(names, SESSION))
    long = placed[EVENTS] > HELD_OUT
    copies = [
        placed.filter(~long | (placed[AFTER] >= HELD_OUT)).mutate(**{PART: ibis.literal(TRAIN, "int8")}),
        placed.filter(long & (placed[AFTER] >= 1)).mutate(
            **{PART: ibis.literal(VALIDATION, "int8"), SESSION: placed[SECOND_ID]}
        ),
        placed.filter(long).mutate(**{PART: ibis.literal(TEST, "int8"), SESSION: placed[THIRD_ID]}),
    ]
    whole = ibis.union(*copies)
    whole = whole.mutate(**{WHOLE: (whole[EVENTS] <= HELD_OUT).cast("int8")})
    return engine.keep(whole.drop(EVENTS, SECOND_ID, THIRD_ID, AFTER))


def training_ends(engine: QueryEngine, sessions: ir.Table) -> int:
    """Earliest end of a validation or test session, epoch milliseconds; 2**62 if there is none.

    No earlier event can leak the future into the training part.
    """
    ends = engine.value(sessions.filter(sessions[PART] != TRAIN)[END].min())
    return 2**62 if ends is None else int(ends)


def _at_share(engine: QueryEngine, sessions: ir.Table, column: str, share: float) -> int | None:
    """Quantile of ``column``: the value below which ``share`` of the sessions lie; None if that is all of them."""
    count = engine.value(sessions.count())
    place = round(share * count)
    if place >= count:
        return None
    rows = engine.rows(sessions.order_by(column).select(column).limit(1, offset=place))
    return int(rows[0][column])
