"""Rows that say the same twice: the same session (or shopper), item, behaviour and time.

Nobody clicks the same item twice within a second, so such a row is a fault of the log, such as an export that was
appended to itself; and it hands the answer to whoever is asked what comes next. Surprising: where the clock knows no
seconds, the same may really have happened twice within a minute or a day. Such rows are kept, and told, unless the
whole log consists of copies.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from tillside.events import BEHAVIOUR, ITEM_ID, SESSION_ID, TIME_UNKNOWN, TIMESTAMP, USER_ID
from training.data.columns import COPIES, COUNT, ORDER, RANK
from training.data.engine import QueryEngine
from training.settings.data import DuplicateRows

MINUTE: Final = 60_000
FEW: Final = 1_000
"""Up to so many rows may stand at the same second of a minute by chance, or by hand."""


@dataclass(frozen=True)
class Duplicates:
    """Copies found in a log.

    Attributes:
        rows: rows that say what an earlier one has said.
        dropped: how many of them are dropped.
        coarse: whether the clock knows no seconds.
    """

    rows: int
    dropped: int
    coarse: bool

    def document(self) -> dict[str, Any]:
        """As JSON types."""
        return {"rows": self.rows, "dropped": self.dropped, "clock_without_seconds": self.coarse}


def drop_duplicates(engine: QueryEngine, events: ir.Table, how: DuplicateRows) -> tuple[ir.Table, Duplicates]:
    """``events`` without copies, the first of each kept, and what was found. Logs without a clock have none.

    Args:
        events: canonical events.
    """
    if engine.value(events[TIMESTAMP].max()) in (None, TIME_UNKNOWN):
        return events, Duplicates(0, 0, coarse=False)
    key = [SESSION_ID if SESSION_ID in events.columns else USER_ID, ITEM_ID, BEHAVIOUR, TIMESTAMP]
    groups = events.group_by(key).agg(**{COPIES: events.count()})
    sizes = engine.rows(groups.group_by(COPIES).agg(**{COUNT: groups.count()}))
    rows = sum(row[COUNT] * (row[COPIES] - 1) for row in sizes)
    coarse = _without_seconds(engine, events)
    if not rows or how is DuplicateRows.keep:
        return events, Duplicates(rows, 0, coarse)
    whole = math.gcd(*(row[COPIES] for row in sizes))
    once = how is DuplicateRows.drop or not coarse
    if not once and whole == 1:
        return events, Duplicates(rows, 0, coarse)
    found = engine.keep(groups.filter(groups[COPIES] > 1))
    copies = events.select(*key, ORDER).inner_join(found, key)
    numbered = copies.mutate(**{RANK: ibis.row_number().over(group_by=key, order_by=ORDER)})
    most = 1 if once else numbered[COPIES] // whole
    gone = engine.keep(numbered.filter(numbered[RANK] >= most).select(ORDER))
    kept = events.anti_join(gone, ORDER).select(*events.columns)
    return kept, Duplicates(rows, engine.value(gone.count()), coarse)


def _without_seconds(engine: QueryEngine, events: ir.Table) -> bool:
    second = events[TIMESTAMP] % MINUTE
    [found] = engine.rows(events.aggregate(first=second.min(), last=second.max(), rows=events.count()))
    return bool(found["rows"] > FEW and found["first"] == found["last"])
