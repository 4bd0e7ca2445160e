"""Steering of the source weights by purchase intent and a few session signals, from comparing (0) to decided (1).

The policy's curve maps intent to a degree of decision, signals shift it, and it scales the weights: a decided shopper
gets complements (cross-sell), a comparing one gets value picks (down-sell) and nothing dearer (up-sell).

Shapes: L events of the session, M items in the cart, N items.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tillside.events import TIME_UNKNOWN
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.file.terms import CartMoves, Dwell, Intent, Point, RepeatViews
from tillside.policy.items.facts import ItemFacts
from tillside.policy.requests import CART, GOAL, VIEW, Mode, PlacementRequest

LATEST_EVENTS: Final = 50
"""Signals use the latest events of the session, this many."""


@dataclass(frozen=True, slots=True)
class Steering:
    """Degree of decision, 0 (comparing) to 1 (decided), the mode it implies, and the signals behind it."""

    decided: float
    mode: Mode
    why: tuple[str, ...]

    def weights(self, sources: Mapping[SourceName, float], intent: Intent, strength: float) -> dict[SourceName, float]:
        """Source weights, those of cross-, down- and up-sell sources multiplied by a factor from 0 to 2.

        Args:
            strength: effect of the degree of decision, 0 (none) to 1.
        """
        factors = self.factors(intent, strength)
        return {source: weight * factors.get(source, 1.0) for source, weight in sources.items()}

    def factors(self, intent: Intent, strength: float) -> dict[SourceName, float]:
        """Factor from 0 to 2 of each source that is moved; of several groups the last wins: up-, down-, cross-sell."""
        shift = strength * (2 * self.decided - 1)
        groups = (
            (intent.up_sell, min(1.0, 1 + shift)),
            (intent.down_sell, 1 - shift),
            (intent.cross_sell, 1 + shift),
        )
        return {source: factor for moved, factor in groups for source in moved}


def steer(intent: Intent, request: PlacementRequest, facts: ItemFacts, *, chance: float | None) -> Steering:
    """Steering for a request, from the purchase intent (``chance``, None if unknown) and the signals of the policy."""
    if chance is None:
        decided, why = intent.unknown, ["intent unknown"]
    else:
        decided, why = _on_curve(intent.curve, chance), [f"intent {chance:.2f}"]
    items, kinds = request.session_L[-LATEST_EVENTS:].tolist(), request.kinds_L[-LATEST_EVENTS:].tolist()
    cart = request.cart_M.tolist()
    signals = (
        ("repeat_views", intent.repeat_views and _repeat_views(intent.repeat_views, items, kinds, cart, facts)),
        ("dwell", intent.dwell and items and items[-1] not in cart and _dwell(intent.dwell, request)),
        ("cart", intent.cart and _cart(intent.cart, items, kinds, cart)),
    )
    for name, shift in signals:
        if shift:
            decided += shift
            why.append(f"{name} {shift:+.2f}")
    decided = min(max(decided, 0.0), 1.0)
    mode: Mode = "balanced"
    if decided >= intent.cross_sell_from:
        mode = "cross_sell"
    elif decided <= intent.down_sell_to:
        mode = "down_sell"
    return Steering(decided, mode, tuple(why))


def _on_curve(curve: tuple[Point, ...], value: float) -> float:
    """Piecewise linear interpolation, constant beyond the end points."""
    if value <= curve[0].intent:
        return curve[0].decided
    for left, right in itertools.pairwise(curve):
        if value <= right.intent:
            share = (value - left.intent) / (right.intent - left.intent)
            return left.decided + share * (right.decided - left.decided)
    return curve[-1].decided


def _repeat_views(
    signal: RepeatViews, items: Sequence[int], kinds: Sequence[int], cart: Sequence[int], facts: ItemFacts
) -> float:
    viewed = [item for item, kind in zip(items, kinds, strict=True) if kind == VIEW] if kinds else items
    if len(viewed) - len(set(viewed)) < signal.views - 1:  # too few repeats for any item
        return 0.0
    for item in dict.fromkeys(viewed):
        often = viewed.count(item) >= signal.views
        if often and facts.knows(item) and facts.prices_N[item] >= signal.price and item not in cart:
            return signal.shift
    return 0.0


def _dwell(signal: Dwell, request: PlacementRequest) -> float:
    if not len(request.times_L):
        return 0.0
    since = int(request.times_L[-1])
    seconds = (request.now_ms - since) / 1000
    return signal.shift if since != TIME_UNKNOWN and signal.seconds <= seconds <= signal.at_most_seconds else 0.0


def _cart(signal: CartMoves, items: Sequence[int], kinds: Sequence[int], cart: Sequence[int]) -> float:
    kept = {*cart, *(item for item, kind in zip(items, kinds, strict=False) if kind == GOAL)}  # bought is not put back
    for item, kind in zip(reversed(items), reversed(kinds), strict=False):
        if kind == CART:
            return signal.grew if item in kept else signal.shrank
    return 0.0
