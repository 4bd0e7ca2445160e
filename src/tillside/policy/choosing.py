"""Selection of the shown items: soft-rule levels, minimum counts per kind, most of one kind, and diversity.

Diversity is maximal marginal relevance (Carbonell and Goldstein, 1998): an item's score is reduced by its similarity to
the most similar item chosen before it. Only a few top candidates per slot are compared.

Shapes: U candidates, R compared ones, N items, G sets of categories.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.file.rule_terms import Diversity
from tillside.policy.items.facts import ItemFacts

SPARE: Final = 12
SPARE_EACH: Final = 3
"""Candidates compared: the top SPARE_EACH * k + SPARE."""
LEVEL: Final = 1e6
"""Larger than any score, so that score - LEVEL * level sorts by level, then by score."""
CROWDED: Final = 0.1
"""What is left of the score of an item that stands behind as many of its kind as the policy wants."""
ALIKE_ABOVE: Final = 0.5
"""Similarity of two categories that share only the parent."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Need:
    """Minimum count: at least ``n`` of the candidates in the mask ``meets_U`` are chosen."""

    n: int
    meets_U: npt.NDArray[np.bool_]


def choose(
    items_U: Ints,
    scores_U: Floats,
    levels_U: Ints,
    *,
    k: int,
    facts: ItemFacts,
    diversity: Diversity,
    needs: Sequence[Need] = (),
    pick: "Callable[[Floats, Ints], int] | None" = None,
) -> list[tuple[int, float]]:
    """Rows of at most ``k`` candidates, in order, and what diversity takes from the score of each.

    Greedy: the next one is the best by level, then score minus penalty, then score, then item id. Once the remaining
    slots are all needed for unmet ``needs``, only candidates that meet one of them are taken, while there are any.

    Args:
        pick: chooses otherwise: the row to take, of an array of worth [R] with -inf for those that may not be taken,
            and the items [R]; below 0 for none, where something else stands in the slot.
    """
    worth_U = scores_U
    if diversity.most_of_a_kind is not None:
        crowded_U = _crowded(diversity.most_of_a_kind, items_U, scores_U, levels_U, facts)
        worth_U = np.where(crowded_U, CROWDED, 1.0) * scores_U
    keys_U = worth_U - LEVEL * levels_U
    rows = _best(keys_U, items_U, SPARE_EACH * k + SPARE, facts)
    for need in needs:
        if np.count_nonzero(need.meets_U.take(rows)) < need.n:
            own = need.meets_U.nonzero()[0]
            if len(own):
                more = own[_best(keys_U.take(own), items_U.take(own), need.n, facts)]
                rows = np.array(sorted({*rows.tolist(), *more.tolist()}), np.int64)
    rows = rows[np.lexsort((facts.rank_N.take(items_U.take(rows)), -keys_U.take(rows)))]
    kinds = [need.meets_U.take(rows) for need in needs]
    keys_R, lost_R, items_R = keys_U.take(rows), np.zeros(len(rows)), items_U.take(rows)
    alike_RR = None
    if diversity.strength and len(rows):
        alike_RR = _alike(items_R, facts, diversity)
        alike_RR *= diversity.strength * float(worth_U.max())
    missing = [min(need.n, int(np.count_nonzero(kind))) for need, kind in zip(needs, kinds, strict=True)]
    chosen: list[tuple[int, float]] = []
    for left in range(min(k, len(rows)), 0, -1):
        worth_R = keys_R - lost_R
        if 0 < sum(missing) >= left:
            wanted = np.logical_or.reduce([kind for kind, count in zip(kinds, missing, strict=True) if count])
            worth_R[~wanted] = -np.inf
        row = int(worth_R.argmax()) if pick is None else pick(worth_R, items_R)  # ties go to the first
        if row < 0:
            continue
        candidate = rows.item(row)
        chosen.append((candidate, lost_R.item(row) + scores_U.item(candidate) - worth_U.item(candidate)))
        keys_R[row] = -np.inf
        for number, count in enumerate(missing):
            if count and kinds[number].item(row):
                missing[number] = count - 1
        if alike_RR is not None and left > 1:
            np.maximum(lost_R, alike_RR[row], out=lost_R)
    return chosen


def _crowded(most: int, items_U: Ints, scores_U: Floats, levels_U: Ints, facts: ItemFacts) -> npt.NDArray[np.bool_]:
    """Which candidates stand behind ``most`` others of their finest category; an item without one stands alone."""
    codes_U = _alone_if_unknown(facts.categories.codes_N.take(items_U))
    order = np.lexsort((facts.rank_N.take(items_U), -scores_U, levels_U, codes_U))
    codes_U = codes_U.take(order)
    crowded_U = np.zeros(len(order), bool)
    crowded_U[order[most:]] = codes_U[most:] == codes_U[:-most]
    return crowded_U


def _alike(items_R: Ints, facts: ItemFacts, diversity: Diversity) -> Floats:
    """Pairwise similarity, from 0 to the sum of the weights, float64 [R, R]; unknown attributes contribute 0."""
    codes_R = facts.categories.codes_N.take(items_R)
    near_R = _alone_if_unknown(facts.categories.near_G.take(codes_R))
    codes_R, brands_R = _alone_if_unknown(codes_R), _alone_if_unknown(facts.brands.codes_N.take(items_R))
    alike_RR: Floats = (near_R[:, None] == near_R) * (ALIKE_ABOVE * diversity.category)
    alike_RR += (codes_R[:, None] == codes_R) * ((1 - ALIKE_ABOVE) * diversity.category)
    alike_RR += (brands_R[:, None] == brands_R) * diversity.brand
    if diversity.vector:
        alike_RR += diversity.vector * facts.cosines(items_R)
    return alike_RR


def _alone_if_unknown(codes_R: Ints) -> Ints:
    """Codes of which 0, the unknown, became numbers that no other row has."""
    return np.where(codes_R, codes_R, np.arange(-1, -1 - len(codes_R), -1)) if not codes_R.all() else codes_R


def _best(keys_U: Floats, items_U: Ints, count: int, facts: ItemFacts) -> Ints:
    """Rows of the ``count`` highest keys, in any order; ties go to the first by item id."""
    if len(keys_U) <= count:
        return np.arange(len(keys_U))
    least = np.partition(keys_U, len(keys_U) - count)[len(keys_U) - count]
    rows: Ints = (keys_U >= least).nonzero()[0]
    if len(rows) == count:
        return rows
    above, level = rows[keys_U[rows] > least], rows[keys_U[rows] == least]
    return np.concatenate([above, level[facts.rank_N[items_U[level]].argsort()[: count - len(above)]]])
