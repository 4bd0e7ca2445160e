"""Bundles with their price, and tiered discounts: what they take off, and what is missing to the next step.

Discounts never add up: of several promotions the one that takes most off counts. Prices are those of the facts; where
one is unknown no sum is given, and the bundle is not offered.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tillside.policy.asking import Language, OfferedBundle, PlacementRequest, PromotionHint
from tillside.policy.candidates import cut
from tillside.policy.facts import ItemFacts
from tillside.policy.rules import VIEWED, Rulebook
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
    prices = [facts.prices_N.item(item) for item in _taking_part(promotion, items, facts)]
    step = reached(promotion, len(prices))
    if step is None or any(price != price for price in prices):
        return 0.0
    return (sum(prices) if step.off == "all" else min(prices)) * step.percent / 100


def bundles_around(
    anchors: Sequence[int], *, request: PlacementRequest, relations: Relations, facts: ItemFacts
) -> Iterator[list[int]]:
    """Bundles with an anchor and something that is not in the cart, the strongest first; items of the cart first."""
    table, cart = relations.bundles, set(request.cart_M.tolist())
    rows: dict[int, None] = {}
    for anchor in anchors:
        own = table.of(anchor)
        if len(own) > MOST_ROWS:
            own = own[: cut(table.strengths[own], MOST_ROWS)]
        rows.update(dict.fromkeys(own.tolist()))
    # rows stand the strongest first, so whoever needs only the first few bundles does not pay for the others
    for _, level in itertools.groupby(sorted(rows), table.strengths.item):
        named = []
        for row in level:
            items = table[row].tolist()
            if not cart.issuperset(items):
                named.append(sorted((item not in cart, facts.item_ids[item], item) for item in items))
        yield from ([item for *_, item in ids] for ids in sorted(named))


def offered(
    bundles: Iterable[list[int]],
    most: int,
    *,
    rulebook: Rulebook,
    request: PlacementRequest,
    promotions: Sequence[Promotion],
) -> list[OfferedBundle]:
    """The first ``most`` bundles of which all items may be shown or are in the cart, and all prices are known.

    What was looked at is not shown again, but a bundle may well be made of it.
    """
    facts, cart = rulebook.day.facts, set(request.cart_M.tolist())
    offers: list[OfferedBundle] = []
    for items in bundles:
        if len(offers) == most:
            break
        price = sum(map(facts.prices_N.item, items))
        missing = tuple(item for item in items if item not in cart)
        if price == price and all(rulebook.verdict(item) in (-1, VIEWED) for item in missing):
            savings = [saving(promotion, items, facts) for promotion in promotions]
            best = max(savings, default=0.0)
            name = promotions[savings.index(best)].name if best else None
            offers.append(OfferedBundle(tuple(items), missing, price, price - best if best else None, name))
    return offers


def promotion_hint(
    promotions: Sequence[Promotion], request: PlacementRequest, facts: ItemFacts
) -> PromotionHint | None:
    """The promotion whose next step is nearest to what is in the cart; of level ones the first of the file."""
    cart = [item for item in request.cart_M.tolist() if facts.knows(item)]
    best: PromotionHint | None = None
    for promotion in promotions:
        count = len(_taking_part(promotion, cart, facts))
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


def _taking_part(promotion: Promotion, items: Sequence[int], facts: ItemFacts) -> list[int]:
    if not promotion.categories:
        return list(items)
    within_G = facts.categories.having(promotion.categories)
    return [item for item in items if within_G.item(facts.categories.codes_N.item(item))]
