"""REES46 shop logs: one CSV with views, carts and purchases, session ids, prices, brands and category codes."""

from typing import Final

import ibis.expr.types as ir

from tillside.events import BRAND, CATEGORY
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, in_order, publisher_behaviours, read_log
from training.data.parsing.publisher_files import read_events
from training.data.parsing.source_file import open_source
from training.data.parsing.text_tables import delimited
from training.data.parsing.values import words
from training.settings.data import Rees46Config

BEHAVIOURS: Final = {"view": "click", "cart": "cart", "purchase": "purchase", "remove_from_cart": None}
COLUMNS: Final = (
    "event_time", "event_type", "product_id", "category_id", "category_code", "brand", "price", "user_id",
    "user_session",
)  # fmt: skip


@read_log.register
def read_rees46_log(config: Rees46Config, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; an item's category is its category code, else its category id."""
    behaviours = publisher_behaviours(config, allowed=("click", "cart", "purchase"))
    source = open_source(config.path, engine.scratch)
    text = delimited(engine, source)
    text.need(*COLUMNS)
    events = read_events(engine, text, _raw, file=0, behaviours=behaviours, behaviour_map=BEHAVIOURS)
    return Log(in_order(events), behaviours, [source], attributes=(CATEGORY, BRAND))


def _raw(table: ir.Table) -> RawEvents:
    return RawEvents(
        session_id=table.user_session,
        user_id=table.user_id,
        item_id=table.product_id,
        behaviour=table.event_type,
        timestamp=table.event_time,
        timestamp_format="iso",
        price=table.price,
        attributes={CATEGORY: words(table.category_code).coalesce(words(table.category_id)), BRAND: table.brand},
    )
