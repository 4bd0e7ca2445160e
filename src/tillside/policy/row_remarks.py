"""What of the rows set by hand is allowed and does nothing in this shop today, a sentence each, with the row.

Days that are over, and what the compatibility rules refuse. What a policy says in vain with the rows laid over it is
told by ``tillside.policy.idle``.
"""

import itertools
from collections.abc import Iterator
from datetime import date

import numpy as np

from tillside.policy.file.terms import Policy
from tillside.policy.file.values import on_one_line
from tillside.policy.items.facts import ItemFacts
from tillside.policy.merchandising import PARTS, ByHand


def row_remarks(by_hand: ByHand, policy: Policy, facts: ItemFacts, *, day: date) -> list[str]:
    """Sentences on rows that hold never again, and on those whose items do not fit one another, by part and row.

    Args:
        facts: bound to the shop's compatibility rules, if it has any.
        day: the shop's date.
    """
    found = [*_over(by_hand, day)]
    placements = [each for own in (policy, *policy.segments.values()) for each in own.placements.values()]
    if any(each.rules.fits != "none" for each in placements):
        found += _misfits(by_hand, facts)
    return [on_one_line(each) for each in found]


def _over(by_hand: ByHand, day: date) -> Iterator[str]:
    for part in PARTS:
        for number, row in enumerate(getattr(by_hand, part)):
            until = getattr(row, "until", None)
            if until is not None and until <= day:
                what = "has come" if until == day else "lies in the past"
                yield f"{part}[{number}].until: {until} {what} (today is {day}), so it never holds"


def _misfits(by_hand: ByHand, facts: ItemFacts) -> Iterator[str]:
    for number, pair in enumerate(by_hand.pairs):
        if pair.action != "ban" and _misfit(pair.item, pair.other, facts):
            what = f"the compatibility rules refuse {pair.other} with {pair.item}"
            yield f"pairs[{number}]: {what}, so it is hidden wherever fits holds"
    for number, bundle in enumerate(by_hand.bundles):
        for item, other in itertools.combinations(bundle.items, 2):
            if _misfit(item, other, facts):
                what = f"the compatibility rules refuse {other} with {item}"
                yield f"bundles[{number}]: {what}, so it is not offered beside either wherever fits holds"
                break


def _misfit(item: str, other: str, facts: ItemFacts) -> bool:
    known = [facts.index_of[each] for each in (item, other) if each in facts.index_of]
    if facts.matching is None or len(known) < 2:
        return False
    return not facts.matching.fits(np.array(known[:1], np.int64), np.array(known[1:], np.int64))[0]
