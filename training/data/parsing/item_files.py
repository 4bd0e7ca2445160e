"""Item files: one row per item, or several of which the last one applies."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np

from tillside.events import ITEM_ID, PRICE
from training.data.columns import RANK, RECORD, REJECT
from training.data.engine import QueryEngine
from training.data.parsing.canonical import BAD_PRICE, MISSING_ITEM
from training.data.parsing.text_tables import TextTable, keep_rows, note_bad
from training.data.parsing.values import number, words


def item_rows(engine: QueryEngine, text: TextTable, columns: Callable[[ir.Table], dict[str, ir.Value]]) -> ir.Table:
    """Valid rows of an item file, with RECORD; rows without an item or with a bad price go to ``source.malformed``.

    Args:
        engine: owner of the table.
        text: the item file, not yet scanned.
        columns: selects the columns, ITEM_ID among them; PRICE is parsed, lists stay lists, the rest becomes text.
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
    """Last row per item in the order of ``by``."""
    order = [table[name].desc() for name in by]
    ranked = table.mutate(**{RANK: ibis.row_number().over(group_by=table[ITEM_ID], order_by=order)})
    return ranked.filter(ranked[RANK] == 0).drop(RANK, *by)


def _texts(column: ir.Value) -> ir.Value:
    return column.cast("array<string>") if column.type().is_array() else words(column)
