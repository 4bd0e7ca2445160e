"""Retailrocket log: events.csv, and the hashed item properties, of which only the category is used.

Each visitor's events are split into sessions at idle gaps. An item's category is the latest one in the properties, as a
path from the root if category_tree.csv is present.
"""

from collections.abc import Mapping
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from tillside.events import CATEGORY, ITEM_ID, TIMESTAMP
from training.data.columns import FILE, LEAF, PATH, RECORD
from training.data.engine import QueryEngine
from training.data.parsing.canonical import Log, RawEvents, in_order, publisher_behaviours, read_log
from training.data.parsing.item_files import item_rows, last_of_each
from training.data.parsing.publisher_files import open_member, open_member_if_there, read_events
from training.data.parsing.source_file import SourceFile
from training.data.parsing.text_tables import delimited, keep_rows
from training.data.parsing.values import milliseconds, words
from training.settings.data import RetailrocketConfig

BEHAVIOURS: Final = {"view": "click", "addtocart": "cart", "transaction": "purchase"}
PROPERTIES: Final = ("item_properties_part1.csv", "item_properties_part2.csv")


@read_log.register
def read_retailrocket_log(config: RetailrocketConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; the property files and the category tree are optional."""
    behaviours = publisher_behaviours(config, allowed=("click", "cart", "purchase"))
    source = open_member(engine, config.path, "events.csv")
    text = delimited(engine, source)
    text.need("timestamp", "visitorid", "event", "itemid")
    events = read_events(engine, text, _raw, file=0, behaviours=behaviours, behaviour_map=BEHAVIOURS)
    sources = [source]
    items = _items(config, engine, sources)
    return Log(in_order(events), behaviours, sources, items=items)


def _items(config: RetailrocketConfig, engine: QueryEngine, sources: list[SourceFile]) -> ir.Table | None:
    found = [open_member_if_there(engine, config.path, name) for name in PROPERTIES]
    tables = []
    for source in filter(None, found):
        text = delimited(engine, source)
        text.need("timestamp", "itemid", "property", "value")
        rows = item_rows(engine, text, _category)
        tables.append(rows.mutate(**{FILE: ibis.literal(len(sources), "int8")}).filter(rows[CATEGORY].notnull()))
        sources.append(source)
    if not tables:
        return None
    rows = tables[0] if len(tables) == 1 else ibis.union(*tables)
    latest = last_of_each(rows.mutate(**{TIMESTAMP: milliseconds(rows[TIMESTAMP])}), by=(TIMESTAMP, FILE, RECORD))
    tree = open_member_if_there(engine, config.path, "category_tree.csv")
    if tree is None:
        return latest
    sources.append(tree)
    text = delimited(engine, tree)
    text.need("categoryid", "parentid")
    rows = engine.rows(keep_rows(engine, text))
    paths = category_paths({str(row["categoryid"]): row["parentid"] for row in rows})
    table = ibis.memtable(pa.table({LEAF: list(paths), PATH: list(paths.values())}))
    joined = latest.left_join(table, latest[CATEGORY] == table[LEAF])
    return joined.select(ITEM_ID, **{CATEGORY: joined[PATH].coalesce(joined[CATEGORY])})


def category_paths(parents: Mapping[str, str | None]) -> dict[str, str]:
    """Map each category to its dot-separated path from the root; a cycle is cut where it closes."""
    paths = {}
    for leaf in parents:
        path, node = [leaf], parents[leaf]
        while node is not None and node not in path:
            path.append(node)
            node = parents.get(node)
        paths[leaf] = ".".join(reversed(path))
    return paths


def _raw(table: ir.Table) -> RawEvents:
    return RawEvents(
        user_id=table.visitorid,
        item_id=table.itemid,
        behaviour=table.event,
        timestamp=table.timestamp,
        timestamp_format="epoch_ms",
    )


def _category(table: ir.Table) -> dict[str, ir.Value]:
    # Only one in twenty of the twenty million properties is a category: the other values are not kept.
    value = ibis.ifelse(words(table.property) == "categoryid", table.value, None)
    return {ITEM_ID: table.itemid, CATEGORY: value, TIMESTAMP: table.timestamp}
