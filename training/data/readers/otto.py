"""OTTO log: JSONL, one session with its events per line; timestamps in milliseconds, or seconds in some copies."""

from typing import Final

import ibis

from training.data.columns import POSITION, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, canonical, in_order, publisher_behaviours, read_log
from training.data.parsing.irregular import MALFORMED
from training.data.parsing.source_file import open_source
from training.data.parsing.text_tables import json_lines, keep_rows, note_bad
from training.settings.data import OttoConfig

BEHAVIOURS: Final = {"clicks": "click", "carts": "cart", "orders": "purchase"}
STRUCTURE: Final = {"session": "VARCHAR", "events": [{"aid": "VARCHAR", "ts": "VARCHAR", "type": "VARCHAR"}]}


@read_log.register
def read_otto_log(config: OttoConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; a line without a list of events is malformed."""
    behaviours = publisher_behaviours(config, allowed=("click", "cart", "purchase"))
    source = open_source(config.path, engine.scratch)
    lines = keep_rows(engine, json_lines(engine, source, STRUCTURE))
    bad = engine.arrays(lines.filter(lines.events.isnull()).order_by(RECORD), [RECORD])[RECORD]
    note_bad(source, records=bad, reasons=[MALFORMED] * len(bad))
    events = lines.events.zip(ibis.range(lines.events.length())).unnest()
    pairs = lines.select(lines[RECORD], lines.session, pair=events)
    table = pairs.mutate(**{POSITION: pairs.pair.f2})
    event = table.pair.f1
    raw = RawEvents(
        session_id=table.session,
        item_id=event["aid"],
        behaviour=event["type"],
        timestamp=event["ts"],
    )
    shaped = canonical(table, raw, file=0, behaviours=behaviours, behaviour_map=BEHAVIOURS)
    return Log(in_order(engine.keep(shaped)), behaviours, [source])
