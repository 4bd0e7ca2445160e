"""Split into train, validation and test: whole sessions, by the time of their last event or as given by the log.

Sessions with the same end time always land in the same part. Leave-one-out is the exception to whole sessions: it turns
one session into three, for logs without timestamps and to reproduce published results.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import ibis
import ibis.expr.types as ir

from tillside.events import TIMESTAMP
from training.data.columns import AFTER, END, EVENTS, ORDER, PART, SECOND_ID, SESSION, THIRD_ID
from training.data.engine import QueryEngine

DAY: Final = 86_400_000
TRAIN, VALIDATION, TEST = 0, 1, 2


class SplitBy(Enum):
    """Split criterion."""

    auto = "auto"
    fractions = "fractions"
    days = "days"
    given = "given"
    leave_one_out = "leave_one_out"


DEFAULTS: Final = {
    SplitBy.fractions: (0.05, 0.1),
    SplitBy.days: (7.0, 7.0),
    SplitBy.given: (0.05, 0.0),
    SplitBy.leave_one_out: (0.0, 0.0),
}
HELD_OUT: Final = 2
"""Events that leave-one-out holds out per session: the last for test, the one before for validation."""


@dataclass
class SplitConfig:
    """Split settings."""

    by: SplitBy = SplitBy.auto
    """What is held out for validation and test. fractions: the sessions that end last. days: those that end in the last
    days. given: as the log says, with the last share of its train sessions for validation. leave_one_out: each
    session's last event for test, the one before for validation, the rest for training. auto: given where the log gives
    it, leave_one_out where it has no clock, else fractions."""
    validation: float | None = None
    """A share of the sessions (null: 0.05) or days (null: 7); null for leave_one_out."""
    test: float | None = None
    """A share of the sessions (null: 0.1) or days (null: 7); null for given and leave_one_out."""

    def resolved(self, *, split_is_given: bool, has_clock: bool) -> "SplitConfig":
        """Fill in the defaults.

        Raises:
            ValueError: a share or number of days is out of range, or ``by`` does not apply to the log.
        """
        fitting = [SplitBy.fractions, SplitBy.days, SplitBy.leave_one_out]
        if split_is_given or not has_clock:
            fitting = [SplitBy.given if split_is_given else SplitBy.leave_one_out]
        by = fitting[0] if self.by is SplitBy.auto else self.by
        if by not in fitting:
            allowed = ", ".join(["auto", *(each.value for each in fitting)])
            raise ValueError(f"split.by is {by.value!r}, which does not fit this log; allowed: {allowed}")
        if by is SplitBy.leave_one_out and (self.validation, self.test) != (None, None):
            raise ValueError(
                f"split.validation and split.test must be null for leave_one_out, which holds out one event of each "
                f"session for either, got {self.validation} and {self.test}"
            )
        if by is SplitBy.given and self.test is not None:
            raise ValueError(f"split.test is {self.test}, but the log gives its test cases; leave it out")
        validation, test = DEFAULTS[by]
        validation = validation if self.validation is None else self.validation
        test = test if self.test is None else self.test
        for name, value in (("validation", validation), ("test", test)):
            if not value >= 0:
                raise ValueError(f"split.{name} must be at least 0, got {value}")
        if by is not SplitBy.days and validation + test >= 1:
            raise ValueError(
                f"split.validation + split.test must be below 1 (shares of sessions), got {validation + test}"
            )
        return SplitConfig(by, validation, test)


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
    """Add PART, turning each session of three or more events into three sessions.

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
    return engine.keep(ibis.union(*copies).drop(EVENTS, SECOND_ID, THIRD_ID, AFTER))


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
