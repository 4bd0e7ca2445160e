"""How many events an item needs to be trained, where nobody says: as many as the log can afford.

With few events an item's vector is hardly learned; but an item without one is never ranked, or by its attributes
alone, and its events are lost to the items beside it. Most logs have enough events for five each; in a log of a day, or
of a catalogue as wide as hotels, that would leave most of it unused.
"""

from collections.abc import Callable
from typing import Final

import ibis.expr.types as ir

from training.data.columns import ITEM, LENGTH, PART, SESSION, TRAINED
from training.data.engine import QueryEngine
from training.data.preparation.splits import TRAIN

USUAL: Final = 5
ENOUGH: Final = 0.75
"""Share of the training events that session lengths leave, which support must leave too. Recall@20 of sequential rules
on two logs with a support of 5, 2 and 1: .161, .201, .203 (three hours of REES46); .042, .088, .087 (Trivago)."""


def choose_support(
    engine: QueryEngine,
    events: ir.Table,
    sessions: ir.Table,
    ranked: Callable[[int], ir.Table],
    *,
    min_length: int,
) -> tuple[int, ir.Table]:
    """The largest support, from USUAL down, that leaves ENOUGH of the training events; with the items it gives.

    Args:
        events: in sessions.
        sessions: with their parts.
        ranked: items ranked under a support, from ``rank_items``.
        min_length: minimum events of a training session.
    """
    train = events.select(SESSION, ITEM).inner_join(sessions.filter(sessions[PART] == TRAIN).select(SESSION), SESSION)

    def used(items: ir.Table) -> int:
        """Events of trained items in sessions that keep enough of them."""
        known = train.semi_join(items.filter(items[TRAINED]), ITEM)
        lengths = known.group_by(SESSION).agg(**{LENGTH: known.count()})
        return int(engine.value(lengths.filter(lengths[LENGTH] >= min_length)[LENGTH].sum()) or 0)

    every = ranked(1)
    most = used(every)
    for support in range(USUAL, 1, -1):
        items = ranked(support)
        if used(items) >= ENOUGH * most:
            return support, items
    return 1, every
