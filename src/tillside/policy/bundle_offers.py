"""Product bundles offered beside the items: mined ones around the anchors and the shop's own, with their prices.

Prices are those of the facts, in an offer to the hundredth; a bundle with an unknown price is not offered.

Shapes: M items in the cart, N items.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from tillside.policy.candidates import top_with_ties
from tillside.policy.file.offers import OwnBundle, Promotion
from tillside.policy.items.facts import ItemFacts
from tillside.policy.money import rounded
from tillside.policy.promotions import best_saving
from tillside.policy.requests import OfferedBundle, PlacementRequest
from tillside.policy.rules import VIEWED, Rulebook
from tillside.relations import Relations

MOST_ROWS: Final = 20
"""Product bundles considered per anchor."""


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

    As of the mined ones, every missing item must be allowed by the hard rules, and the price of every item known.
    """
    facts = rulebook.day.facts
    if not bundles:
        return []
    of_day: _Own = facts.days.get((id(bundles), "bundles", day), lambda: _own(bundles, facts, day))
    rows = sorted({row for anchor in anchors for row in of_day.by_item.get(anchor, ())})
    cart = set(request.cart_M.tolist())
    offers = []
    for number, items in rows:
        missing = [item for item in items if item not in cart]
        price = sum(map(facts.prices_N.item, items))
        if not missing or price != price or any(rulebook.verdict(item) not in (-1, VIEWED) for item in missing):
            continue
        bundle = bundles[number]
        kept = [item for item in items if item in cart]
        own, name = (None, None) if bundle.price is None else (rounded(bundle.price), bundle.name)
        offers.append(OfferedBundle((*kept, *missing), tuple(missing), rounded(price), own, name))
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
            best, name = best_saving(promotions, items, facts)
            left = rounded(price - best) if best else None
            offers.append(OfferedBundle(tuple(items), tuple(missing), rounded(price), left, name))
        if len(offers) == most:
            break
    return offers
