"""Which candidates are official: of the brand of what they go with.

Shapes: N items, U candidates of all sources.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tillside.policy.fusion import Candidates
from tillside.policy.items.facts import ItemFacts


def of_own_brand(found: Candidates, anchors: Sequence[int], facts: ItemFacts) -> npt.NDArray[np.bool_]:
    """Which candidates are of the brand of the anchor that they go with, bool [U].

    An item goes with the anchors whose relations bring it. Of a phone and its case in the cart the phone alone counts:
    its maker's film is the official one, not the case's maker's. Where no relation brings anything, the first anchor
    counts for all.
    """
    matching, brands_N = facts.matching, facts.brands.codes_N
    counted = [
        each
        for each in anchors
        if matching is None or not any(matching.accessory(each, of=other) for other in anchors if other != each)
    ] or list(anchors)
    related_U = found.of_anchor_U({each: brands_N.item(each) for each in counted}, brands_N)
    if related_U is not None:
        return related_U
    first = brands_N.item(counted[0]) if counted else 0
    found_U: npt.NDArray[np.bool_] = (brands_N.take(found.items_U) == first) & (first > 0)
    return found_U
