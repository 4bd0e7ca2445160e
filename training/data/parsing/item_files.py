"""Item files: one row per item, or several of which the last one applies."""

from collections.abc import Callable, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np

from tillside.events import ITEM_ID, PRICE
from training.data.columns import CLEARED, RANK, RECORD, REJECT
from training.data.engine import QueryEngine
from training.data.parsing.canonical import BAD_PRICE, item_checks
from training.data.parsing.text_tables import TextTable, keep_rows, note_bad
from training.data.parsing.values import money, words


def item_rows(
    engine: QueryEngine,
    text: TextTable,
    columns: Callable[[ir.Table], dict[str, ir.Value]],
    *,
    nothing: Sequence[str] = (),
) -> ir.Table:
    """Valid rows of an item file, with RECORD; rows without an item go to ``source.malformed``, a bad price is none.

    Args:
        engine: owner of the table.
        nothing: words that say that there is nothing.
        text: the item file, not yet scanned.
        columns: selects the columns, ITEM_ID among them; PRICE is parsed, lists stay lists, the rest becomes text.
    """

    def shape(table: ir.Table) -> ir.Table:
        given = columns(table)
        shaped = {RECORD: table[RECORD]} if RECORD in table.columns else {}
        shaped |= {name: _texts(column, nothing) for name, column in given.items() if name != PRICE}
        if PRICE in given:
            price = money(given[PRICE])
            sound = (price >= 0) & (price < 2**31)
            bad = words(given[PRICE], nothing).notnull() & ~sound.fill_null(False)
            shaped |= {PRICE: ibis.ifelse(sound, price, None), CLEARED: ibis.ifelse(bad, BAD_PRICE, None)}
        return table.select(**shaped, **{REJECT: ibis.cases(*item_checks(shaped[ITEM_ID]))})

    kept = keep_rows(engine, text, shape)
    if CLEARED in kept.columns:
        if bad := engine.value(kept[CLEARED].count()):
            text.source.cleared[BAD_PRICE] += bad
        kept = kept.drop(CLEARED)
    bad = engine.rows(kept.filter(kept[REJECT].notnull()).select(RECORD, REJECT).order_by(RECORD))
    note_bad(
        text.source, records=np.array([row[RECORD] for row in bad], np.int64), reasons=[row[REJECT] for row in bad]
    )
    return kept.filter(kept[REJECT].isnull()).drop(REJECT)


def without_fractions(engine: QueryEngine, table: ir.Table) -> ir.Table:
    """``table`` with ids 100010 where every one is written 100010.0, as by a program that takes ids for fractions."""
    ids = table[ITEM_ID]
    other = table.filter(~ids.re_search(r"^[0-9]+\.0$")).select(ITEM_ID).limit(1)  # most logs' first id is one
    return table if engine.rows(other) else table.mutate(**{ITEM_ID: ids.re_replace(r"\.0$", "")})


def last_of_each(table: ir.Table, *, by: tuple[str, ...] = (RECORD,)) -> ir.Table:
    """Last row per item in the order of ``by``."""
    order = [table[name].desc() for name in by]
    ranked = table.mutate(**{RANK: ibis.row_number().over(group_by=table[ITEM_ID], order_by=order)})
    return ranked.filter(ranked[RANK] == 0).drop(RANK, *by)


def _texts(column: ir.Value, nothing: Sequence[str]) -> ir.Value:
    return column.cast("array<string>") if column.type().is_array() else words(column, nothing)
