"""Item files beside the events: one row an item, or several of which the last one holds."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np

from tillside.events import ITEM_ID, PRICE
from training.data.columns import RECORD, REJECT
from training.data.engine import Engine
from training.data.parsing.canonical import BAD_PRICE, MISSING_ITEM
from training.data.parsing.text_tables import TextTable, keep_rows, note_bad
from training.data.parsing.values import number, words


def item_rows(engine: Engine, text: TextTable, columns: Callable[[ir.Table], dict[str, ir.Value]]) -> ir.Table:
    """The good rows of an item file with RECORD; rows without an item or with a bad price are noted in the source.

    Args:
        engine: where the table lives.
        text: the file.
        columns: gives the columns, of which ITEM_ID is one; PRICE is parsed, lists stay lists, the rest is text.
    """

    def shape(table: ir.Table) -> ir.Table:
        given = columns(table)
        shaped = {RECORD: table[RECORD]} if RECORD in table.columns else {}
        shaped |= {name: _texts(column) for name, column in given.items() if name != PRICE}
        checks = [(words(given[ITEM_ID]).isnull(), MISSING_ITEM)]
        if PRICE in given:
            price = number(given[PRICE])
            sound = (price >= 0) & (price < 2**31)
            checks.append((words(given[PRICE]).notnull() & ~sound.fill_null(False), BAD_PRICE))
            shaped[PRICE] = price
        return table.select(**shaped, **{REJECT: ibis.cases(*checks)})

    kept = keep_rows(engine, text, shape)
    bad = engine.rows(kept.filter(kept[REJECT].notnull()).select(RECORD, REJECT).order_by(RECORD))
    note_bad(
        text.source, records=np.array([row[RECORD] for row in bad], np.int64), reasons=[row[REJECT] for row in bad]
    )
    return kept.filter(kept[REJECT].isnull()).drop(REJECT)


def last_of_each(table: ir.Table, *, by: tuple[str, ...] = (RECORD,)) -> ir.Table:
    """One row an item, the last in the order of ``by``."""
    order = [table[name].desc() for name in by]
    ranked = table.mutate(__rank=ibis.row_number().over(group_by=table[ITEM_ID], order_by=order))
    return ranked.filter(ranked["__rank"] == 0).drop("__rank", *by)


def _texts(column: ir.Value) -> ir.Value:
    return column.cast("array<string>") if column.type().is_array() else words(column)
