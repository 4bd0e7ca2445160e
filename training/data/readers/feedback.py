"""The log that the shop itself sends: events in the segments of a feedback folder, as ``serving.collector`` keeps them.

Clicks, carts, purchases and the log behaviours become the next training log; impressions, returns and dismissals are
counted and left out, as are events of shoppers who do not consent. An order is read line by line, once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, QUANTITY, SESSION_ID, TIMESTAMP, USER_ID
from tillside.feedback.events import DISMISS, IMPRESSION, PURCHASE, RETURN, Event
from tillside.feedback.segments import EVENTS, segments_of
from training.cli.console import say
from training.cli.progress import progress
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, read_log
from training.data.parsing.feedback_log import Reading, events_of
from training.data.readers.events import read_events_log
from training.settings.data import EventColumns, EventsConfig, FeedbackConfig

NO_BEHAVIOUR: Final = (IMPRESSION, RETURN, DISMISS)
SCHEMA: Final = pa.schema(
    [
        (SESSION_ID, pa.string()),
        (USER_ID, pa.string()),
        (ITEM_ID, pa.string()),
        (BEHAVIOUR, pa.string()),
        (TIMESTAMP, pa.int64()),
        (PRICE, pa.float64()),
        (QUANTITY, pa.int64()),
    ]
)


@dataclass
class _Flattened:
    """What was met while the events were written as rows."""

    kinds: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)
    all_have_sessions: bool = True
    rows: int = 0
    orders: dict[tuple[str, str], str] = field(default_factory=dict)


@read_log.register
def read_feedback_log(config: FeedbackConfig, engine: QueryEngine) -> Log:
    """Read the events as a canonical table."""
    if config.path is None:
        raise ValueError("feedback must be given with data=feedback, as feedback=DIR")
    folder = Path(config.path).expanduser()
    segments = segments_of(folder / EVENTS)
    if not segments:
        raise ValueError(f"feedback: {folder} holds no events (events/*.seg)")
    met, reading, file = _Flattened(), Reading(), engine.scratch / "feedback.parquet"
    with pq.ParquetWriter(file, SCHEMA) as writer:
        for segment in progress(segments, "reading segments", unit="segments"):
            for batch in events_of(segment, reading, late_days=config.late_days):
                rows = [row for event in batch for row in _rows(event, met)]
                met.rows += len(rows)
                columns = {name: [row.get(name) for row in rows] for name in SCHEMA.names}
                writer.write_table(pa.table(columns, schema=SCHEMA))
    _tell(reading, met)
    if not met.rows:
        raise ValueError(f"feedback: {folder} holds no event of {', '.join(config.behaviours)}")
    log = read_events_log(_as_events(config, file, met), engine)
    return replace(log, sources=[replace(log.sources[0], path=folder), *log.sources[1:]])


def _as_events(config: FeedbackConfig, file: Path, met: _Flattened) -> EventsConfig:
    """The rows as a log of events: a visit is a session if every event names one, else a shopper's events are cut where
    they pause."""
    return EventsConfig(
        path=str(file),
        behaviours=config.behaviours,
        duplicates=config.duplicates,
        behaviour_map={kind: kind if kind in config.behaviours else None for kind in sorted(met.kinds)},
        timestamp_format="epoch_ms",
        columns=EventColumns(user_id=USER_ID),
        ignore=[] if met.all_have_sessions else [SESSION_ID],
        missing=[],
        items=config.items,
        item_columns=config.item_columns,
    )


def _rows(event: Event, met: _Flattened) -> Iterator[dict[str, Any]]:
    if event.kind in NO_BEHAVIOUR:
        met.left_out[event.kind] += 1
        return
    if event.consent is False:
        met.left_out["without consent"] += 1
        return
    met.kinds.add(event.kind)
    met.all_have_sessions &= event.session is not None
    whose = {SESSION_ID: event.session, USER_ID: event.subject, BEHAVIOUR: event.kind, TIMESTAMP: event.time}
    if event.kind != PURCHASE:
        yield {**whose, ITEM_ID: event.item}
        return
    for line in event.lines or ():
        order = (str(event.order_id), line.item)
        if met.orders.setdefault(order, event.event_id) == event.event_id:
            yield {**whose, ITEM_ID: line.item, PRICE: line.price, QUANTITY: line.quantity}
        else:
            met.left_out["order line sent again"] += 1


def _tell(reading: Reading, met: _Flattened) -> None:
    counts = reading.rejected + met.left_out
    if counts:
        told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
        say(f"feedback: {met.rows:,} rows; left out: {told}")
