"""What an answer says of itself to the shop's staff: what each rule removed, and what a policy wanted and did not get.

Shapes: N items.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from tillside.policy.file.rule_terms import AtLeast, SourceName
from tillside.policy.file.terms import PlacementPolicy
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import group_of
from tillside.policy.requests import PlacedItem
from tillside.policy.rules import HARD, Rulebook

UNSURE: Final = "unsure"
"""Name, beside those of rules, of what removes an item below the placement's ``least_chance``."""


def removed(rulebook: Rulebook, dropped: Mapping[str, int]) -> dict[str, int]:
    """Items that each rule removed: of all items by rules that do not depend on the request, else of the candidates.

    Args:
        dropped: candidates that each rule removed or demoted.
    """
    verdicts_N = rulebook.verdicts_N
    counts = np.bincount(verdicts_N[verdicts_N >= 0], minlength=len(HARD)).tolist()
    standing = {name: count for name, count in zip(HARD, counts, strict=True) if count}
    return {**dropped, **standing}


def why_unmet(
    needs: Sequence[AtLeast], items: Sequence[PlacedItem], facts: ItemFacts, *, off: Collection[SourceName] = ()
) -> tuple[str, ...]:
    """A sentence for every need that the items of an answer do not meet.

    Args:
        off: sources that the shopper's mode switches off, which is then the reason.
    """
    notes = []
    for need in needs:
        met = sum(_meets(need, placed, facts) for placed in items)
        if met < need.n:
            kind = next(name for name in ("category", "brand", "source") if getattr(need, name) is not None)
            why = "the mode switches it off" if need.source in off else f"{met} could be shown"
            notes.append(f"at_least {need.n} of {kind} {getattr(need, kind)} is not met: {why}")
    return tuple(notes)


def why_empty(told: Mapping[str, int], placement: PlacementPolicy, rulebook: Rulebook) -> str:
    """Why an answer holds no item, in a sentence."""
    counts = ", ".join(f"{rule} {count:,}" for rule, count in sorted(told.items(), key=lambda row: -row[1]))
    if rulebook.standing.hidden >= 0:
        return f"nothing is shown: the rule {HARD[rulebook.standing.hidden]} hides every item"
    if counts:
        return f"nothing is shown: rules removed every candidate ({counts})"
    asked = ", ".join(placement.sources)
    return f"nothing is shown: no source ({asked}) has a candidate" + ("" if placement.fill else ", and fill is false")


def _meets(need: AtLeast, placed: PlacedItem, facts: ItemFacts) -> bool:
    if need.source is not None:
        return placed.source == need.source
    groups, value = group_of(need, facts)
    return value in groups.sets[groups.codes_N.item(placed.item)]
