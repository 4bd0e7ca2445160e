"""Answers that stand in the log more than once: one of them counts, whole, whichever days they were written on.

It is the first one with items: of an answer whose slots were damaged in one segment the sound copy counts.
"""

import ibis
import ibis.expr.types as ir

from training.mining.engines import MiningEngine

PLACE = ["rec_key", "file", "record"]
"""Names one copy of an answer."""


def later_copies(engine: MiningEngine, answers: ir.Table, first: int, last: int) -> ir.Table | None:
    """Copies that do not count, of recommendations answered on the days ``first`` to ``last``, kept; None: there are
    none.

    Args:
        answers: all that are staged, since the first copy may be of any day.
    """
    near = answers.filter(answers.day.between(first, last)).select("rec_key")
    every = answers.semi_join(near, "rec_key")
    often = every.group_by("rec_key").agg(copies=every.count()).filter(lambda t: t.copies > 1).select("rec_key")
    repeated = engine.keep(often)
    if not len(engine.arrays(repeated.limit(1), ["rec_key"])["rec_key"]):
        engine.drop(repeated)
        return None
    copied = answers.semi_join(repeated, "rec_key")
    order = ibis.window(group_by="rec_key", order_by=[copied.slots == 0, copied.time, copied.file, copied.record])
    placed = copied.mutate(place=ibis.row_number().over(order))
    later = engine.keep(placed.filter(placed.place > 0).select(*PLACE))
    engine.drop(repeated)
    return later


def without(table: ir.Table, copies: ir.Table | None) -> ir.Table:
    """``table`` (answers or slots) without copies."""
    return table if copies is None else table.anti_join(copies, PLACE)
