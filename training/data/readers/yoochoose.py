"""YOOCHOOSE log of the RecSys Challenge 2015: clicks and buys in two files without headers.

In the buys, price 0 and quantity 0 mean unknown; in the clicks, category 0 means none.
"""

import ibis
import ibis.expr.types as ir

from tillside.events import CATEGORY
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, in_order, publisher_behaviours, read_log
from training.data.parsing.publisher_files import open_member, read_events
from training.data.parsing.text_tables import delimited
from training.data.parsing.values import words
from training.settings.data import YoochooseConfig


@read_log.register
def read_yoochoose_log(config: YoochooseConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table, clicks before buys of the same millisecond."""
    behaviours = publisher_behaviours(config, allowed=("click", "purchase"))
    identity = {"click": "click", "purchase": "purchase"}
    clicks = open_member(engine, config.path, "yoochoose-clicks.dat")
    buys = open_member(engine, config.path, "yoochoose-buys.dat")
    clicked = delimited(engine, clicks, names=("session", "timestamp", "item", "category"))
    bought = delimited(engine, buys, names=("session", "timestamp", "item", "price", "quantity"))
    tables = [
        read_events(engine, text, raw, file=file, behaviours=behaviours, behaviour_map=identity)
        for file, (text, raw) in enumerate([(clicked, _click), (bought, _buy)])
    ]
    return Log(in_order(*tables), behaviours, [clicks, buys], attributes=(CATEGORY,))


def _click(table: ir.Table) -> RawEvents:
    return RawEvents(
        session_id=table.session,
        item_id=table.item,
        behaviour=ibis.literal("click"),
        timestamp=table.timestamp,
        timestamp_format="iso",
        price=ibis.null("string"),
        quantity=ibis.null("string"),
        attributes={CATEGORY: words(table.category).nullif("0")},
    )


def _buy(table: ir.Table) -> RawEvents:
    return RawEvents(
        session_id=table.session,
        item_id=table.item,
        behaviour=ibis.literal("purchase"),
        timestamp=table.timestamp,
        timestamp_format="iso",
        price=words(table.price).nullif("0"),
        quantity=words(table.quantity).nullif("0"),
        attributes={CATEGORY: ibis.null("string")},
    )
