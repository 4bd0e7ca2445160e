"""Which of the candidates are shown, in which order: soft rules level by level, enough of each kind, not all alike.

Maximal marginal relevance (Carbonell and Goldstein, 1998) with a likeness by category and brand: an item loses what it
shares with those chosen before it. That loss only grows, so a heap whose best entry is looked at again before it is
taken finds the same as looking at all of them each time. Shape: U candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.facts import ItemFacts
from tillside.policy.terms import Diversity

SPARE: Final = 20
SPARE_EACH: Final = 4
"""Diversity looks at so many candidates for each slot and so many more, the best ones."""
LEVEL: Final = 1e6
"""Above any score, so that one key orders by level and then by score."""
ALIKE_ABOVE: Final = 0.5
"""The likeness of two items of which only the category above is the same."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Need:
    """At least ``n`` of the candidates that ``meets_U`` marks."""

    n: int
    meets_U: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate's row and what diversity took from its score."""

    row: int
    lost: float


def choose(
    items_U: Ints,
    scores_U: Floats,
    levels_U: Ints,
    *,
    k: int,
    facts: ItemFacts,
    diversity: Diversity,
    needs: Sequence[Need] = (),
) -> list[Chosen]:
    """At most ``k`` candidates, best first: by level, then by score less what is shown already, then by item id.

    Only candidates of level 0 and below count for a need, and only as many as there are.
    """
    keys_U = scores_U - LEVEL * levels_U
    rows = _best(keys_U, facts.rank_N[items_U], SPARE_EACH * k + SPARE)
    needed = [np.flatnonzero(need.meets_U & (levels_U <= 0)) for need in needs]
    for need, own in zip(needs, needed, strict=True):
        rows = np.union1d(rows, own[_best(keys_U[own], facts.rank_N[items_U[own]], need.n)])
    items = items_U[rows]
    categories, brands = facts.categories.codes_N[items].tolist(), facts.brands.codes_N[items].tolist()
    ranks, above = facts.rank_N[items].tolist(), facts.categories.above_G
    keys = keys_U[rows].tolist()
    best = float(scores_U[rows].max(initial=0.0)) * diversity.strength
    missing = [min(need.n, len(own)) for need, own in zip(needs, needed, strict=True)]
    members = [set(np.searchsorted(rows, np.intersect1d(own, rows)).tolist()) for own in needed]
    shown_categories: set[int] = set()
    shown_above: set[int] = set()
    shown_brands: set[int] = set()

    def lost(place: int) -> float:
        code, share = categories[place], 0.0
        if code and code in shown_categories:
            share = diversity.category
        elif code and above[code] in shown_above:
            share = ALIKE_ABOVE * diversity.category
        return best * (share + (diversity.brand if brands[place] in shown_brands else 0.0))

    heap = [(-key, rank, place) for place, (key, rank) in enumerate(zip(keys, ranks, strict=True))]
    heapify(heap)
    chosen: list[Chosen] = []
    aside: list[tuple[float, int, int]] = []
    while heap and len(chosen) < k:
        entry = heappop(heap)
        place = entry[2]
        taken = lost(place)
        now = (taken - keys[place], entry[1], place)
        if now[0] > entry[0] and heap and now > heap[0]:
            heappush(heap, now)
            continue
        if sum(missing) >= k - len(chosen) and any(missing):
            if not any(count and place in own for count, own in zip(missing, members, strict=True)):
                aside.append(entry)
                continue
        chosen.append(Chosen(int(rows[place]), taken))
        missing = [max(0, count - (place in own)) for count, own in zip(missing, members, strict=True)]
        shown_categories.add(categories[place])
        if above[categories[place]] >= 0:
            shown_above.add(above[categories[place]])
        if brands[place]:
            shown_brands.add(brands[place])
        for entry in aside:
            heappush(heap, entry)
        aside.clear()
    return chosen


def _best(keys_U: Floats, ranks_U: Ints, count: int) -> Ints:
    """Rows of the ``count`` highest keys, ascending; of level ones the first by rank."""
    if len(keys_U) <= count:
        return np.arange(len(keys_U))
    least = np.partition(keys_U, len(keys_U) - count)[len(keys_U) - count]
    above, level = np.flatnonzero(keys_U > least), np.flatnonzero(keys_U == least)
    level = level[np.argsort(ranks_U[level])[: count - len(above)]]
    return np.sort(np.concatenate([above, level]))
