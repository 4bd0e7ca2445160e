"""Bundles with their price, and tiered discounts: what they take off, and what is missing to the next step.

Discounts never add up: of several promotions the one that takes most off counts. Prices are those of the facts; where
one is unknown no sum is given, and the bundle is not offered.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from tillside.policy.asking import Language, OfferedBundle, PlacementRequest, PromotionHint
from tillside.policy.facts import ItemFacts
from tillside.policy.rules import Rulebook
from tillside.policy.terms import Promotion, Step
from tillside.relations import Relations

MOST_ROWS: Final = 20
"""Bundles of one anchor that are looked at."""
HINTS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "all": "{missing} more and everything is {percent:g} % off",
        "cheapest": "{missing} more and one of them is {percent:g} % off",
    },
    "zh": {"all": "再买{missing}件,全部{fold:g}折", "cheapest": "再买{missing}件,其中一件{fold:g}折"},
}


def reached(promotion: Promotion, count: int) -> Step | None:
    """The highest step that ``count`` pieces reach."""
    return next((step for step in reversed(promotion.steps) if step.items <= count), None)


def saving(promotion: Promotion, items: Sequence[int], facts: ItemFacts) -> float:
    """What the promotion takes off the items' prices, 0 if it does not hold for them or a price is unknown."""
    prices = [float(facts.prices_N[item]) for item in _taking_part(promotion, items, facts)]
    step = reached(promotion, len(prices))
    if step is None or any(price != price for price in prices):
        return 0.0
    return (sum(prices) if step.off == "all" else min(prices)) * step.percent / 100


def offered_bundles(
    most: int,
    *,
    anchors: Sequence[int],
    request: PlacementRequest,
    promotions: Sequence[Promotion],
    rulebook: Rulebook,
    relations: Relations,
    day: date,
) -> list[OfferedBundle]:
    """The strongest bundles around the anchors whose other items may all be shown."""
    facts, bundles = rulebook.facts, relations.bundles
    if not most or not len(bundles):
        return []
    cart = set(request.cart_M.tolist())
    held = cart | set(anchors)
    rows = dict.fromkeys(row for anchor in anchors for row in bundles.of(anchor)[:MOST_ROWS].tolist())
    found = {row: bundles[row].tolist() for row in rows}
    others = np.array(sorted({item for items in found.values() for item in items} - held), np.int64)
    shown = set(others[rulebook.allowed(others)].tolist())
    kept = [
        (-float(bundles.strengths[row]), sorted(items, key=lambda item: (item not in cart, facts.item_ids[item])))
        for row, items in found.items()
        if all(item in shown or item in held for item in items) and not cart.issuperset(items)
    ]
    kept.sort(key=lambda entry: (entry[0], [facts.item_ids[item] for item in entry[1]]))
    offers: list[OfferedBundle] = []
    for _, items in kept:
        price = sum(float(facts.prices_N[item]) for item in items)
        if price == price and len(offers) < most:
            offers.append(_offer(items, cart, price, [p for p in promotions if p.holds(day)], facts))
    return offers


def promotion_hint(
    promotions: Sequence[Promotion], request: PlacementRequest, facts: ItemFacts, *, day: date
) -> PromotionHint | None:
    """The promotion whose next step is nearest to what is in the cart; of level ones the first of the file."""
    cart = [item for item in request.cart_M.tolist() if facts.knows(item)]
    best: PromotionHint | None = None
    for promotion in promotions:
        count = len(_taking_part(promotion, cart, facts)) if promotion.holds(day) else 0
        step = next((step for step in promotion.steps if step.items > count), None)
        if not count or step is None:
            continue
        missing = step.items - count
        if best is None or missing < best.missing:
            now = reached(promotion, count)
            text = HINTS[request.language][step.off].format(
                missing=missing, percent=step.percent, fold=(100 - step.percent) / 10
            )
            best = PromotionHint(promotion.name, missing, step.percent, now.percent if now else 0.0, text)
    return best


def _offer(
    items: list[int], cart: set[int], price: float, promotions: Sequence[Promotion], facts: ItemFacts
) -> OfferedBundle:
    missing = tuple(item for item in items if item not in cart)
    best = max(promotions, key=lambda promotion: saving(promotion, items, facts), default=None)
    saved = saving(best, items, facts) if best else 0.0
    discounted, name = (price - saved, best.name) if best and saved else (None, None)
    return OfferedBundle(tuple(items), missing, price, discounted, name)


def _taking_part(promotion: Promotion, items: Sequence[int], facts: ItemFacts) -> list[int]:
    if not promotion.categories:
        return list(items)
    within_G = facts.categories.having(promotion.categories)
    return [item for item in items if within_G[facts.categories.codes_N[item]]]
