"""Which items may answer a request without a placement: its candidates, what meets its filter, what is in stock and not
banned.

A shop's own list is never shortened for what the bundle does not know: such candidates come last, in the order sent.

Shapes: N items known to the facts, W items that the model ranks, V eligible ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from serving.policy.stockroom import Stockroom
from serving.protocol.messages import RecommendRequest
from tillside.policy.items.filters import Among

SOLD_OUT: Final = 0

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scope:
    """Items that may answer one request.

    Attributes:
        eligible_V: those that the model ranks, ascending; None for all.
        given: candidates that it does not rank, in the order sent.
        listed: number of candidates; None without.
        narrow: whether the request limits the items itself, by candidates or a filter.
        problem: why a filter leaves no item, in a sentence; empty if it leaves some.
    """

    stockroom: Stockroom
    eligible_V: Ints | None
    given: tuple[str, ...] = ()
    listed: int | None = None
    narrow: bool = False
    problem: str = ""

    def in_stock(self, item_id: str) -> bool:
        """Whether an item is not known to be sold out, and not banned."""
        number = self.stockroom.facts.index_of.get(item_id)
        return number is None or bool(self.stockroom.stock_N[number] != SOLD_OUT)


def scope_of(
    request: RecommendRequest,
    stockroom: Stockroom,
    *,
    index_of: Mapping[str, int],
    items: int,
    unknown: dict[str, None],
) -> Scope | None:
    """Scope of a request; None if all items may answer it.

    Args:
        index_of: indices of the ``items`` items that the model ranks.
        unknown: receives the candidates that it does not.
    """
    candidates, asked = request.candidates, request.filter
    if candidates is UNSET and asked is UNSET:
        return Scope(stockroom, stockroom.in_stock(items)) if stockroom.limits else None
    among = None if asked is UNSET else stockroom.among(asked)
    problem = "" if among is None else among.problem
    given: list[str] = []
    listed = None
    if candidates is not UNSET:
        own = dict.fromkeys(candidates)
        listed = len(own)
        numbers = stockroom.facts.index_of
        for item_id in own:
            if item_id in index_of:
                continue
            unknown[item_id] = None
            number = numbers.get(item_id)
            if number is None:
                if among is None and item_id not in stockroom.banned_ids:
                    given.append(item_id)
            elif stockroom.stock_N[number] != SOLD_OUT and (among is None or among.holds(number)):
                given.append(item_id)
        among = Among.of(index_of[item_id] for item_id in own if item_id in index_of).also(among)
    assert among is not None
    eligible_V = among.allowed(None, stockroom.stock_N, items=items)
    return Scope(stockroom, eligible_V, tuple(given), listed, True, problem)
