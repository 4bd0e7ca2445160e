"""What a policy says and what will do nothing in a shop: a setting that another undoes, or that nothing here meets.

Each is allowed, and nobody sees that it is idle: a boost above its own bound, a pin behind the last slot, a minimum of
a category that is never shown, a bundle that costs as much as its items. Days are not asked, so what holds at some time
counts as holding.

Shapes: N items.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from tillside.policy.day_rules import Standing
from tillside.policy.file.offers import OwnBundle
from tillside.policy.file.rule_terms import Boosts, Rules
from tillside.policy.file.spelling import Suggestions
from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.items.facts import OUT_OF_STOCK, ItemFacts
from tillside.policy.items.filters import group_of, groups_of
from tillside.policy.money import rounded, told
from tillside.relations import Relations

Mask = npt.NDArray[np.bool_]


def idle_settings(policy: Policy, facts: ItemFacts, relations: Relations) -> list[str]:
    """Sentences on what does nothing, in the order of the file's placements; what concerns all of them comes last."""
    suggestions = Suggestions()
    found = [
        f"placement {name}: {each}"
        for name, placement in policy.placements.items()
        for each in _of_placement(placement, facts, suggestions)
    ]
    offering = [name for name, placement in policy.placements.items() if placement.bundles]
    if policy.bundles and not offering:
        found.append("bundles are set, and no placement offers any; bundles: 1 in a placement does")
    found += _of_bundles(policy.bundles, facts)
    if not policy.bundles and not len(relations.bundles):
        found += [f"placement {name}: it offers bundles, and there are none" for name in offering]
    views = policy.intent.repeat_views
    if views is not None and views.price > np.nanmax(facts.prices_N, initial=0.0):
        found.append(f"repeat_views is never met: no item costs {told(views.price)}")
    return found


def _of_bundles(bundles: Iterable[OwnBundle], facts: ItemFacts) -> Iterator[str]:
    for bundle in bundles:
        prices = {item: facts.prices_N.item(facts.index_of[item]) for item in bundle.items if item in facts.index_of}
        if len(prices) < len(bundle.items):  # an item that the shop lacks is told elsewhere
            continue
        unknown, total = [item for item, price in prices.items() if price != price], rounded(sum(prices.values()))
        if unknown:
            yield f"bundle {bundle.name} is never offered: no price of {', '.join(unknown)} is known"
        elif bundle.price is not None and bundle.price >= total:
            sums = f"{told(bundle.price)}, which is not below {told(total)}, the sum of its items' prices"
            yield f"bundle {bundle.name} costs {sums}"


def _of_placement(placement: PlacementPolicy, facts: ItemFacts, suggestions: Suggestions) -> Iterator[str]:
    rules, slots = placement.rules, placement.slots
    if not any(placement.sources.values()):
        yield "none of its sources has a weight above 0"
    forbidden_N = _forbidden(rules, facts)
    if len(facts) and forbidden_N.all():
        yield "categories and bans leave no item, so it shows nothing"
        return
    for pin in rules.pins:
        item = facts.index_of.get(pin.item)
        if pin.slot > slots:
            yield f"pin {pin.name} is for slot {pin.slot} of {slots}, so it is never shown"
        elif item is not None and forbidden_N[item]:
            yield f"pin {pin.name} is of an item that categories or bans forbid, so it is never shown"
    for need in rules.at_least:
        what = f"at_least {need.n} of {need.category or need.brand or need.source}"
        if need.n > slots:
            yield f"{what} cannot be met in {slots} slots"
        if need.source is None:
            groups, value = group_of(need, facts)
            meets_N = groups.having((value,)).take(groups.codes_N)
            if meets_N.any() and forbidden_N[meets_N].all():
                yield f"{what} is never met: categories and bans forbid all of them"
    if facts.matching is None and rules.fits == "anchors":
        yield "fits has nothing to go by; rules= of python -m training.relate says what fits what"
    if facts.matching is None and rules.related_first:
        yield "related_first has nothing to go by; rules= of python -m training.relate says what goes with what"
    if rules.diversity.vector and not rules.diversity.strength:
        yield "diversity has a vector and no strength, so it does nothing"
    yield from _of_boosts(rules.boosts, facts, suggestions)


def _of_boosts(boosts: Boosts, facts: ItemFacts, suggestions: Suggestions) -> Iterator[str]:
    given = [(name, getattr(boosts, name)) for name in ("clearance", "margin", "new", "same_brand")]
    given += [(f"{each.attribute}={each.value}", each.boost) for each in boosts.attributes]
    given += [(season.name, season.boost) for season in boosts.seasons]
    room = boosts.at_most - 1
    for name, boost in given:
        if boost > room:
            yield f"boosts: {name} {boost:g} counts as {room:g}, since at_most is {boosts.at_most:g}"
    if boosts.same_brand and not facts.brands.values:
        yield "boosts: same_brand lifts nothing: no item has a brand"
    for each in boosts.attributes:
        values = groups_of(facts, each.attribute).values
        if values and each.value not in values:
            near = suggestions.meant(each.attribute, each.value, values)
            yield f"boosts: no item has {each.value} as its {each.attribute}{near}"


def _forbidden(rules: Rules, facts: ItemFacts) -> Mask:
    """Items that categories and bans forbid, [N]."""
    never = (*rules.categories.never, *(ban.category for ban in rules.bans if ban.category is not None))
    brands = tuple(ban.brand for ban in rules.bans if ban.brand is not None)
    oldest = int(facts.minimum_age_N.max(initial=0))
    standing = Standing(rules.categories.only, never, brands, least_stock=OUT_OF_STOCK, age=oldest, hidden=-1)
    forbidden_N: Mask = standing.verdicts(facts) >= 0
    forbidden_N[[facts.index_of[item] for ban in rules.bans if (item := ban.item or "") in facts.index_of]] = True
    return forbidden_N
