"""Promotions: the saving, and what is missing to the next step, in a sentence.

One promotion applies at a time, the one with the largest saving, but for those that the policy lets combine: they add
up. Prices are those of the facts, and a sum of them is what it is to the hundredth: 10.9 + 589.1 reaches 600.

Shapes: G sets of categories, N items, M items in the cart.
"""

import math
from collections.abc import Sequence
from typing import Final

from tillside.policy.file.offers import Promotion, Step
from tillside.policy.items.facts import OUT_OF_STOCK, ItemFacts
from tillside.policy.money import rounded, told
from tillside.policy.requests import Language, PlacementRequest, PromotionHint

WANTED: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "items": "{count} more {what}",
        "first": "{count} {what}",
        "spend": "{sum} more{on}",
        "first_spend": "From {sum}{on}",
    },
    "zh": {
        "items": "再买{count}件{what}",
        "first": "买{count}件{what}",
        "spend": "{on}再消费{sum}",
        "first_spend": "{on}满{sum}",
    },
}
"""What is wanted of the shopper, by whether anything that takes part is in the cart."""
GIVEN: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "all": "{percent:g} % off all of them",
        "everything": "{percent:g} % off everything",
        "cheapest": "{percent:g} % off the cheapest of them",
        "amount": "{amount} off",
        "gift": "{gift} comes free",
    },
    "zh": {
        "all": "全部{fold:g}折",
        "everything": "全部{fold:g}折",
        "cheapest": "其中最低价一件{fold:g}折",
        "amount": "立减{amount}",
        "gift": "送{gift}",
    },
}
COLON: Final[dict[Language, str]] = {"en": ": ", "zh": ":"}


def reached(promotion: Promotion, height: float) -> Step | None:
    """The highest step that a number of items, or a sum, reaches; None below the first."""
    return next((step for step in reversed(promotion.steps) if step.height <= height), None)


def _saving(promotion: Promotion, prices: Sequence[float]) -> float:
    """Saving of the promotion on items of these prices; 0 if it does not apply, gives something free, or one is NaN."""
    if not prices:
        return 0.0
    total = rounded(sum(prices))
    if total != total:
        return 0.0
    step = reached(promotion, len(prices) if promotion.by_items else total)
    return 0.0 if step is None else _taken_off(step, prices)


def _taken_off(step: Step, prices: Sequence[float]) -> float:
    total = sum(prices)
    if step.percent is not None:
        return (total if step.off == "all" else min(prices)) * step.percent / 100
    return min(step.amount or 0.0, total)


def best_saving(promotions: Sequence[Promotion], items: Sequence[int], facts: ItemFacts) -> tuple[float, str | None]:
    """The largest saving on the items and the name of its promotion; those that combine are named together."""
    return _best([(promotion, _prices(promotion, items, facts)) for promotion in promotions], items, facts)


def _best(
    parts: Sequence[tuple[Promotion, list[float]]], items: Sequence[int], facts: ItemFacts
) -> tuple[float, str | None]:
    """:func:`best_saving` from each promotion with the prices of the items that take part in it."""
    alone, name, added = 0.0, None, 0.0
    together = []
    for promotion, prices in parts:
        off = _saving(promotion, prices)
        if off > alone:
            alone, name = off, promotion.name
        if promotion.combines and off:
            added += off
            together.append(promotion.name)
    if added > alone:
        return min(added, sum(map(facts.prices_N.item, items))), " + ".join(together)
    return alone, name


def promotion_hint(
    promotions: Sequence[Promotion], request: PlacementRequest, facts: ItemFacts
) -> PromotionHint | None:
    """Hint for the promotion whose next step is nearest, counted in items; ties go to the first in the file.

    None unless the cart holds an item of a promotion that has a next step worth more than what applies already. For an
    empty cart it is the first step of the first promotion.
    """
    cart = [item for item in request.cart_M.tolist() if facts.knows(item)]
    if not cart:
        found = (_next_step(promotion, [], facts) for promotion in promotions)
        return next((_told(*step, request.language, facts) for step in found if step is not None), None)
    parts = [(promotion, _prices(promotion, cart, facts)) for promotion in promotions]
    applied, _ = _best(parts, cart, facts)
    best: tuple[float, tuple[Promotion, Step, float, float]] | None = None
    for promotion, prices in parts:
        step = _next_step(promotion, prices, facts) if prices else None
        if step is None:
            continue
        mean = sum(prices) / len(prices)
        missing = float(step[2]) if promotion.by_items else step[2] / mean
        compared = step[1].gift is None and mean == mean and not promotion.combines
        worthless = compared and _taken_off(step[1], [*prices, *[mean] * math.ceil(missing)]) <= applied
        if not worthless and (best is None or missing < best[0]):
            best = missing, step
    return None if best is None else _told(*best[1], request.language, facts)


def _next_step(
    promotion: Promotion, prices: Sequence[float], facts: ItemFacts
) -> tuple[Promotion, Step, float, float] | None:
    """The next step, what is missing to it, and the height reached; None without one that can be had."""
    height = float(len(prices)) if promotion.by_items else rounded(sum(prices))
    step = next((step for step in promotion.steps if step.height > height), None)
    if step is None or height != height or not _to_be_had(step, facts):
        return None
    return promotion, step, step.height - height, height


def _to_be_had(step: Step, facts: ItemFacts) -> bool:
    if step.gift is None:
        return True
    item = facts.index_of.get(step.gift)
    return item is not None and facts.stock_N.item(item) != OUT_OF_STOCK


def _told(
    promotion: Promotion, step: Step, missing: float, height: float, language: Language, facts: ItemFacts
) -> PromotionHint:
    """A step as a hint, with its sentence."""
    count = round(missing) if promotion.by_items else 0
    what, on = _named(promotion, count, language)
    wanted = ("items" if height else "first") if promotion.by_items else ("spend" if height else "first_spend")
    given = "amount" if step.amount is not None else "gift"
    if step.percent is not None:
        given = "everything" if step.off == "all" and not promotion.categories else step.off
    gift = "" if step.gift is None else facts.name(facts.index_of[step.gift]) or step.gift
    percent = step.percent or 0.0
    sentence = (
        COLON[language]
        .join((WANTED[language][wanted], GIVEN[language][given]))
        .format(
            count=count,
            what=what,
            on=on,
            sum=told(missing),
            percent=percent,
            fold=(100 - percent) / 10,
            amount=told(step.amount or 0.0),
            gift=gift,
        )
    )
    now = reached(promotion, height)
    return PromotionHint(
        promotion=promotion.name,
        missing=count,
        percent=percent,
        reached_percent=(now.percent or 0.0) if now else 0.0,
        text=sentence,
        missing_spend=None if promotion.by_items else rounded(missing),
        amount=step.amount,
        gift=step.gift,
    )


def _named(promotion: Promotion, count: int, language: Language) -> tuple[str, str]:
    """What takes part: after a number of pieces, and after a sum."""
    called = promotion.called
    if language == "zh":
        name = called.zh if called else ""
        name = name or ("活动商品" if promotion.categories else "")
        return name, name
    if called is not None:
        return (called.one if count == 1 else called.many), f" on {called.many}"
    of = ", ".join(path.rpartition(".")[2].replace("_", " ") for path in promotion.categories)
    noun = "item" if count == 1 else "items"
    return (f"{noun} of {of}", f" on {of}") if of else (noun, "")


def _prices(promotion: Promotion, items: Sequence[int], facts: ItemFacts) -> list[float]:
    """Prices of the items that take part."""
    price = facts.prices_N.item
    if not promotion.categories:
        return [price(item) for item in items]
    within, code = facts.categories.having(promotion.categories).item, facts.categories.codes_N.item
    return [price(item) for item in items if within(code(item))]
