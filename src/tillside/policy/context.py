"""What speaks for an item besides the sources that bring it: the cart's categories, and that it was looked at.

A model that learned from a small log gives everything in its list a chance, so fans beside a phone too; that nobody
takes a fan along with a phone is known by category long before. What the shopper looked at in this session is the
likelier to follow into the cart.

Shapes: N items, U of them, ascending, G sets of categories, L events of the session, M items in the cart, C classes
of the compatibility rules.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.fitting.matching import Grouped
from tillside.policy.items.facts import ItemFacts
from tillside.policy.requests import NOTHING, PlacementRequest
from tillside.relations import Relations
from tillside.relations.chances import Evidence

MOST_CARTED: Final = 16
"""Items of the cart whose categories count, the latest."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def told_by(
    scale: Evidence, request: PlacementRequest, categories: Grouped, relations: Relations
) -> Callable[[Ints], Floats] | None:
    """Log odds that the context adds to each of some items' chances; None where it says nothing."""
    lifts_G = lifts_of(request, categories, relations) if scale.lift else None
    session_L = request.session_L if scale.viewed else NOTHING
    if lifts_G is None and not len(session_L):
        return None

    def told(items_U: Ints) -> Floats:
        found_U = np.zeros(len(items_U)) if lifts_G is None else lifts_G.take(categories.codes_N.take(items_U))
        found_U *= scale.lift
        if len(session_L) and len(items_U):
            places_L = items_U.searchsorted(session_L)
            met_L = items_U.take(places_L, mode="clip") == session_L
            found_U[places_L[met_L]] += scale.viewed  # once, however often it was seen
        return found_U

    return told


def lifts_of(request: PlacementRequest, categories: Grouped, relations: Relations) -> Floats | None:
    """Logarithm of the lift of each set of categories by the cart, the highest of its items' [G]; None without one."""
    if not len(relations.lifts) or not len(request.cart_M):
        return None
    bound, codes_N = relations.lifts.bound(categories), categories.codes_N
    known = [item for item in request.cart_M[-MOST_CARTED:].tolist() if 0 <= item < len(codes_N)]
    rows = [bound.row(code) for code in dict.fromkeys(codes_N.item(item) for item in known)]
    if len(rows) < 2:
        return rows[0] if rows else None
    found_G: Floats = np.maximum.reduce(rows)
    return found_G


def unrelated(
    items_U: Ints, related_U: npt.NDArray[np.bool_], request: PlacementRequest, facts: ItemFacts, relations: Relations
) -> npt.NDArray[np.bool_] | None:
    """Which items go with nothing in the cart; None where the shop's rules make complements of nothing in it.

    Args:
        related_U: whether a relation of an anchor brings the item.
    """
    matching = facts.matching
    if matching is None:
        return None
    known = [item for item in request.cart_M.tolist() if facts.knows(item)]
    if not known or not matching.leads_C.take(matching.classes_N.take(known)).any():
        return None
    lifts_G = lifts_of(request, facts.categories, relations)
    if lifts_G is None:
        return None
    found_U: npt.NDArray[np.bool_] = ~related_U & (lifts_G.take(facts.categories.codes_N.take(items_U)) <= 0)
    return found_U
