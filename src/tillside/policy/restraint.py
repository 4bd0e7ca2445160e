"""Restraint: what a shopper saw too often or waved away rests, and a placement may say nothing at all.

Frequency caps are soft for items and categories; dismissals are hard. A whole placement rests where its cap or its
dismissals say so, and during moments that the policy names.

Shapes: N items, G sets of categories.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.policy.file.rule_terms import Rules
from tillside.policy.file.terms import PlacementPolicy
from tillside.policy.file.values import HOUR_MS
from tillside.policy.items.facts import ItemFacts
from tillside.policy.requests import PlacementRequest

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Resting:
    """What rests for one request.

    Attributes:
        capped: items at their frequency cap.
        dismissed: items that were waved away.
        capped_G, dismissed_G: category sets likewise; None for none.
        placement: why the placement shows nothing; None where it may.
    """

    capped: frozenset[int] = frozenset()
    dismissed: frozenset[int] = frozenset()
    capped_G: Mask | None = None
    dismissed_G: Mask | None = None
    placement: str | None = None


NOTHING_RESTS = Resting()


def resting(rules: Rules, request: PlacementRequest, facts: ItemFacts) -> Resting:
    """What rests by the caps and dismissals of a placement's rules."""
    if not request.dismissed and (rules.cap is None or not request.impressions):
        return NOTHING_RESTS
    silent = None
    capped: frozenset[int] = frozenset()
    capped_G = None
    if rules.cap is not None and request.impressions:
        cap, since = rules.cap, request.now_ms - rules.cap.within_hours * HOUR_MS
        seen = {item: shown for item, (shown, last_ms) in request.impressions.items() if last_ms > since}
        if cap.category_shown is not None:
            capped_G = _having(_often(seen, facts, least=cap.category_shown), facts)
        if cap.placement_shown is not None and (total := sum(seen.values())) >= cap.placement_shown:
            silent = f"the shopper saw {total} items of the {cap.placement_shown} that its cap allows"
        least = math.inf if cap.shown is None else cap.shown
        capped = frozenset([item for item, shown in seen.items() if shown >= least])
    if not request.dismissed:
        return Resting(capped, frozenset(), capped_G, None, silent)
    terms = rules.dismissals
    since = request.now_ms - terms.within_hours * HOUR_MS
    fresh = [each for each in request.dismissed if each.time_ms > since]
    items = {each.item: 1 for each in fresh if each.item is not None}
    paths = {each.category for each in fresh if each.category is not None}
    if terms.category_after is not None:
        paths.update(_often(items, facts, least=terms.category_after))
    if any(each.placement == request.placement for each in fresh):
        silent = "the shopper dismissed it"
    elif terms.placement_after is not None and len(fresh) >= terms.placement_after:
        silent = f"the shopper dismissed {len(fresh)} times"
    return Resting(capped, frozenset(items), capped_G, _having(paths, facts), silent)


def why_silent(placement: PlacementPolicy, request: PlacementRequest, rested: Resting) -> str | None:
    """Why a placement shows nothing, as the end of a sentence; None where it may show something."""
    if request.moment is not None and request.moment in placement.silent_during:
        return f"it is silent during {request.moment}"
    return rested.placement


def _often(counts: Mapping[int, int], facts: ItemFacts, *, least: int) -> set[str]:
    """Finest categories whose items' counts sum to ``least`` or more."""
    by_path: Counter[str] = Counter()
    for item, count in counts.items():
        if facts.knows(item):
            by_path[facts.categories.finest(facts.categories.codes_N.item(item))] += count
    return {path for path, count in by_path.items() if path and count >= least}


def _having(paths: Iterable[str], facts: ItemFacts) -> Mask | None:
    """Mask [G] of the category sets that hold any of the paths; None where no path is given."""
    known = [path for path in paths if path in facts.categories.values]  # masks are kept, so none of unknown ones
    return np.logical_or.reduce([facts.categories.having((path,)) for path in known]) if known else None
