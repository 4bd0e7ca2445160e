"""What a policy needs and a shop does not have: a feed, pairs of a relation, new items, prices; a sentence for each.

What it says in vain is told with it (``tillside.policy.idle``).

A placement that lacks something is often empty, or works in part, and nobody sees why; so a server says it at start.

Shapes: N items.
"""

from collections.abc import Iterator

import numpy as np

from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.idle import idle_settings
from tillside.policy.items.facts import ItemFacts
from tillside.policy.rules import DECIDED
from tillside.relations import RELATIONS, Relations


def unmet_needs(policy: Policy, facts: ItemFacts, relations: Relations, *, intent: bool = True) -> list[str]:
    """Sentences on what the placements of a policy need that is not there, in the order of the file, and on what they
    say in vain.

    Args:
        intent: whether the model tells a purchase intent.
    """
    found = [
        f"placement {name}: {each}"
        for name, placement in policy.placements.items()
        for each in _of_placement(name, placement, facts, relations)
    ]
    if not intent and any(placement.steering for placement in policy.placements.values()):
        found.append("the model tells no purchase intent, so steering follows the session's signals alone")
    return found + idle_settings(policy, facts, relations)


def _of_placement(name: str, placement: PlacementPolicy, facts: ItemFacts, relations: Relations) -> Iterator[str]:
    rules = placement.rules
    if facts.feed_time_ms is None and (rules.stock.unknown == "hide" or rules.stock.feed_max_age_minutes is not None):
        yield "its stock rule needs an items feed, and there is none, so it shows nothing until one comes"
    for source, weight in placement.sources.items():
        if not weight:
            continue
        if source in RELATIONS and not _has_pairs(source, facts, relations):
            yield f"source {source} has no pairs; python -m training.relate mines them, or set them by hand"
        if source == "new" and not facts.newest_ms:
            yield "source new has no items; new_until_ms of the items feed says what is new"
        if source == "clearance" and not (facts.clearance_N > 0).any():
            yield "source clearance has no items; clearance of the items feed says what is to go"
    for need in rules.at_least:
        if need.source is not None and not placement.sources.get(need.source):
            yield f"at_least wants source {need.source}, which is not among its sources"
    if rules.price_band is not None and np.isnan(facts.prices_N).all():
        yield "its price band needs prices, and no item has one"
    if rules.boosts.margin and np.isnan(facts.margin_N).all():
        yield "it boosts margins, and no item has one; they come by items feed"
    decided = rules.hide_kind.of in ("cart", "anchors") or (rules.hide_kind.of == "by_placement" and name in DECIDED)
    if decided and not facts.categories.codes_N.any():
        yield "no item has a category, so rivals of what is in the cart cannot be told and are shown"


def _has_pairs(source: str, facts: ItemFacts, relations: Relations) -> bool:
    if len(relations.tables[source].items) or (source == "complement" and facts.kinship is not None):
        return True
    number = RELATIONS.index(source)
    by_hand = relations.manual
    return bool((by_hand.relations == number).any()) or any(row[0] == source for row in by_hand.later)
