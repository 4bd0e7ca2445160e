"""Which candidates are official: of the brand of what they go with.

Shapes: N items, U candidates of all sources.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tillside.policy.file.terms import PlacementPolicy
from tillside.policy.fusion import Candidates
from tillside.policy.items.facts import ItemFacts
from tillside.relations import RELATIONS


def of_own_brand(
    found: Candidates, anchors: Sequence[int], placement: PlacementPolicy, facts: ItemFacts
) -> npt.NDArray[np.bool_] | None:
    """Which candidates are of the brand of the anchor that they go with, bool [U]; None where the placement lifts none.

    An item goes with the anchors whose relations bring it. Of a phone and its case in the cart the phone alone counts:
    its maker's film is the official one, not the case's maker's. Where the placement asks no relation the first anchor
    counts for all.
    """
    if not placement.rules.boosts.same_brand or not len(anchors):
        return None
    matching, brands_N = facts.matching, facts.brands.codes_N
    counted = [
        each
        for each in anchors
        if matching is None or not any(matching.accessory(each, of=other) for other in anchors if other != each)
    ] or list(anchors)
    if not placement.sources.keys().isdisjoint(RELATIONS):
        return found.of_anchor_U({each: brands_N.item(each) for each in counted}, brands_N)
    first = brands_N.item(counted[0]) if counted else 0
    found_U: npt.NDArray[np.bool_] = (brands_N.take(found.items_U) == first) & (first > 0)
    return found_U
