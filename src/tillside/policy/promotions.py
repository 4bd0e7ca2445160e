"""Product bundles with prices, and tiered discounts: the saving, and the items missing to the next step.

Discounts do not stack: of several promotions the one with the largest saving applies. Prices are those of the facts; a
bundle with an unknown price is not offered.

Shapes: G sets of categories, N items, M items in the cart.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from tillside.policy.candidates import top_with_ties
from tillside.policy.file.terms import OwnBundle, Promotion, Step
from tillside.policy.items.facts import ItemFacts
from tillside.policy.requests import Language, OfferedBundle, PlacementRequest, PromotionHint
from tillside.policy.rules import VIEWED, Rulebook
from tillside.relations import Relations

MOST_ROWS: Final = 20
"""Product bundles considered per anchor."""
HINTS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "all": "{missing} more and everything is {percent:g} % off",
        "cheapest": "{missing} more and one of them is {percent:g} % off",
    },
    "zh": {"all": "再买{missing}件,全部{fold:g}折", "cheapest": "再买{missing}件,其中一件{fold:g}折"},
}


def reached(promotion: Promotion, count: int) -> Step | None:
    """The highest step that ``count`` items reach; None below the first."""
    return next((step for step in reversed(promotion.steps) if step.items <= count), None)


def saving(promotion: Promotion, items: Sequence[int], facts: ItemFacts) -> float:
    """Saving of the promotion on the items; 0 if it does not apply or a price is unknown."""
    prices = [facts.prices_N.item(item) for item in _taking_part(promotion, items, facts)]
    step = reached(promotion, len(prices))
    if step is None or any(price != price for price in prices):
        return 0.0
    return (sum(prices) if step.off == "all" else min(prices)) * step.percent / 100


def bundles_around(
    anchors: Sequence[int], *, request: PlacementRequest, relations: Relations, rulebook: Rulebook
) -> Iterator[tuple[list[int], list[int]]]:
    """Product bundles that hold an anchor, strongest first: items (those of the cart first), and the missing ones.

    Every missing item must be allowed by the hard rules, except that items hidden because they were viewed may be part
    of a product bundle.
    """
    table, cart, ids = relations.bundles, set(request.cart_M.tolist()), rulebook.day.facts.item_ids
    rows: dict[int, None] = {}
    for anchor in anchors:
        own = table.of(anchor)
        if len(own) > MOST_ROWS:
            own = own[: top_with_ties(table.strengths[own], MOST_ROWS)]
        rows.update(dict.fromkeys(own.tolist()))
    # rows are sorted by strength: a lazy generator, so callers that need only a few bundles do not pay for the rest
    for _, level in itertools.groupby(sorted(rows), table.strengths.item):
        found = []
        for row in level:
            items = table[row].tolist()
            missing = [item for item in items if item not in cart]
            if missing and all(rulebook.verdict(item) in (-1, VIEWED) for item in missing):
                kept = [item for item in items if item in cart]
                found.append((sorted(kept, key=ids.__getitem__), sorted(missing, key=ids.__getitem__)))
        if len(found) > 1:
            found.sort(key=lambda parts: [(where, ids[item]) for where, part in enumerate(parts) for item in part])
        yield from ((kept + missing, missing) for kept, missing in found)


@dataclass(frozen=True)
class _Own:
    """The bundles set by hand of one day, by each item number they hold; ``bundles`` keeps the key's id alive."""

    bundles: tuple[OwnBundle, ...]
    by_item: dict[int, list[tuple[int, tuple[int, ...]]]]


def own_offers(
    bundles: tuple[OwnBundle, ...], anchors: Sequence[int], *, request: PlacementRequest, rulebook: Rulebook, day: date
) -> list[OfferedBundle]:
    """Offers of the bundles set by hand that hold an anchor, in the order of the file.

    As of the mined ones, every missing item must be allowed by the hard rules; a price must be known or given.
    """
    facts = rulebook.day.facts
    if not bundles:
        return []
    own: _Own = facts.days.get((id(bundles), "bundles", day), lambda: _own(bundles, facts, day))
    rows = sorted({row for anchor in anchors for row in own.by_item.get(anchor, ())})
    cart = set(request.cart_M.tolist())
    offers = []
    for number, items in rows:
        missing = [item for item in items if item not in cart]
        price = sum(map(facts.prices_N.item, items))
        if not missing or price != price or any(rulebook.verdict(item) not in (-1, VIEWED) for item in missing):
            continue
        bundle = bundles[number]
        kept = [item for item in items if item in cart]
        name = None if bundle.price is None else bundle.name
        offers.append(OfferedBundle((*kept, *missing), tuple(missing), price, bundle.price, name))
    return offers


def _own(bundles: tuple[OwnBundle, ...], facts: ItemFacts, day: date) -> _Own:
    by_item: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for number, bundle in enumerate(bundles):
        if bundle.holds(day) and all(item in facts.index_of for item in bundle.items):
            items = tuple(facts.index_of[item] for item in bundle.items)
            for item in items:
                by_item.setdefault(item, []).append((number, items))
    return _Own(bundles, by_item)


def offered(
    bundles: Iterable[tuple[list[int], list[int]]],
    most: int,
    *,
    promotions: Sequence[Promotion],
    facts: ItemFacts,
    own: Sequence[OfferedBundle] = (),
) -> list[OfferedBundle]:
    """Offers of the first ``most`` product bundles whose prices are all known, those set by hand (``own``) first."""
    offers: list[OfferedBundle] = list(own[:most])
    known = {frozenset(offer.items) for offer in offers}
    if len(offers) == most:
        return offers
    for items, missing in bundles:
        if known and frozenset(items) in known:
            continue
        price = sum(map(facts.prices_N.item, items))
        if price == price:
            savings = [saving(promotion, items, facts) for promotion in promotions]
            best = max(savings, default=0.0)
            name = promotions[savings.index(best)].name if best else None
            offers.append(OfferedBundle(tuple(items), tuple(missing), price, price - best if best else None, name))
        if len(offers) == most:
            break
    return offers


def promotion_hint(
    promotions: Sequence[Promotion], request: PlacementRequest, facts: ItemFacts
) -> PromotionHint | None:
    """Hint for the promotion whose next step lacks the fewest items; ties go to the first in the file.

    None unless the cart holds an item of a promotion that has a next step.
    """
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
