"""Diginetica log of the CIKM Cup 2016: item views and purchases, semicolon-delimited, with a date and session time.

``timeframe`` is milliseconds since the session's first query. Added to midnight of ``eventdate`` it gives the order of
a session's events and their day; the publisher gave no time of day. Prices are base-2 logarithms.
"""

import ibis
import ibis.expr.types as ir

from tillside.events import CATEGORY, ITEM_ID, PRICE
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, in_order, publisher_behaviours, read_log
from training.data.parsing.item_files import item_rows, last_of_each
from training.data.parsing.publisher_files import open_member, open_member_if_there, read_events
from training.data.parsing.source_file import SourceFile
from training.data.parsing.text_tables import delimited
from training.data.parsing.values import milliseconds, number, words
from training.settings.data import DigineticaConfig

VIEWS = "train-item-views.csv"
PURCHASES = "train-purchases.csv"


@read_log.register
def read_diginetica_log(config: DigineticaConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; the purchase, category and product files are optional."""
    behaviours = publisher_behaviours(config, allowed=("click", "purchase"))
    identity = {"click": "click", "purchase": "purchase"}
    sources = [open_member(engine, config.path, VIEWS)]
    purchases = open_member_if_there(engine, config.path, PURCHASES)
    sources += [purchases] if purchases is not None else []
    tables = []
    for file, (source, behaviour) in enumerate(zip(sources, ("click", "purchase"), strict=False)):
        text = delimited(engine, source, delimiter=";")
        text.need("sessionId", "userId", "itemId", "timeframe", "eventdate")

        def raw(table: ir.Table, behaviour: str = behaviour) -> RawEvents:
            return RawEvents(
                session_id=table.sessionId,
                user_id=words(table.userId).nullif("NA"),
                item_id=table.itemId,
                behaviour=ibis.literal(behaviour),
                timestamp=_time(table),
                timestamp_format="epoch_ms",
            )

        tables.append(read_events(engine, text, raw, file=file, behaviours=behaviours, behaviour_map=identity))
    items = _items(config, engine, sources)
    return Log(in_order(*tables), behaviours, sources, items=items)


def _items(config: DigineticaConfig, engine: QueryEngine, sources: list[SourceFile]) -> ir.Table | None:
    found: list[ir.Table] = []
    for name, column, attribute in (
        ("product-categories.csv", "categoryId", CATEGORY),
        ("products.csv", "pricelog2", PRICE),
    ):
        source = open_member_if_there(engine, config.path, name)
        if source is None:
            continue
        text = delimited(engine, source, delimiter=";")
        text.need("itemId", column)

        def columns(table: ir.Table, column: str = column, attribute: str = attribute) -> dict[str, ir.Value]:
            value = table[column] if attribute == CATEGORY else _price(table[column])
            return {ITEM_ID: table.itemId, attribute: value}

        found.append(last_of_each(item_rows(engine, text, columns)))
        sources.append(source)
    if len(found) < 2:
        return found[0] if found else None
    categories, prices = found
    joined = categories.outer_join(prices, ITEM_ID)
    item_id = joined[ITEM_ID].coalesce(joined[f"{ITEM_ID}_right"])
    return joined.select(joined[CATEGORY], joined[PRICE], **{ITEM_ID: item_id})


def _time(table: ir.Table) -> ir.IntegerValue:
    since = number(table.timeframe)
    day = milliseconds(table.eventdate, "iso")
    return day + ibis.ifelse((since >= 0) & (since < 1e12), since, None).round().cast("int64")


def _price(column: ir.Value) -> ir.Value:
    return ibis.literal(2.0) ** number(column)
