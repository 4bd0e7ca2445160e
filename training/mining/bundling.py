"""Bundles: sets of 2 to 4 items bought in one session, mined with FP-Growth and filtered by a significance test.

A set may be frequent only because one of its items is, so a set must be *productive* (Webb, 2007): more frequent than
any partition into two independent parts explains. Each set size is tested separately. Shapes: N items, R sets.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from tillside.relation_tables import LEAST_BUNDLE, MOST_BUNDLE
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.engines import MiningEngine
from training.mining.itemsets import Set, frequent_sets
from training.mining.pairing import Evidence, Mined
from training.mining.significance import discoveries, surprise

CANDIDATES: Final = 4
"""Frequent pairs that FP-Growth should find per requested bundle; sets its support threshold."""


@dataclass(frozen=True)
class Sets:
    """R item sets with their statistics.

    Attributes:
        sets: item indices, ascending within a set.
        strengths: support of the set over that of its most frequent item [R].
        counts: sessions that hold the set [R].
        lift: observed over expected count [R].
        chance: p-value of the count [R].
    """

    sets: list[Set]
    strengths: Floats
    counts: Ints
    lift: Floats
    chance: Floats

    def __len__(self) -> int:
        return len(self.sets)


def bundles(
    engine: MiningEngine, taken: Acts, together: Pairs, *, chance_of_meeting: float, evidence: Evidence, most: int
) -> Sets:
    """Top ``most`` productive sets by strength.

    Args:
        together: pairs taken in one session; their counts set the minimum support with which FP-Growth yields about
            CANDIDATES * ``most`` pairs.
        chance_of_meeting: from ``significance``; times the product of two parts' counts, it is the expected count of
            the whole set.
    """
    floor = _least_count(together, evidence.least, most=CANDIDATES * most)
    counted = frequent_sets(engine, taken.table, floor=floor)
    sizes = np.array([len(each) for each in counted], np.int64)
    counts = np.array(list(counted.values()), np.int64)
    expected = np.array([_expected(each, counted, chance_of_meeting) for each in counted])
    chance = surprise(counts, expected) if len(counted) else np.zeros(0)
    frequent = int((sizes == 1).sum())
    believed = np.zeros(len(counted), bool)
    for size in range(LEAST_BUNDLE, MOST_BUNDLE + 1):
        rows = np.flatnonzero(sizes == size)
        possible = math.comb(frequent, size)
        believed[rows] = discoveries(chance[rows], tests=possible, false_share=evidence.false_share)
    names = list(counted)
    largest = np.array([max(counted[(item,)] for item in each) for each in names], float)
    strengths = counts / largest if len(names) else np.zeros(0)
    rows = np.flatnonzero(believed)
    rows = rows[np.lexsort((rows, -counts[rows], -strengths[rows]))][:most]
    lift = counts[rows] / expected[rows]
    return Sets([names[row] for row in rows], strengths[rows], counts[rows], lift, chance[rows])


def _least_count(pairs: Pairs, least: int, *, most: int) -> int:
    once = pairs.counts[pairs.anchors < pairs.items]
    return max(least, int(np.partition(once, -most)[-most]) if len(once) > most else least)


def _expected(each: Set, counted: dict[Set, int], chance_of_meeting: float) -> float:
    """Largest expected count over all partitions of the set into two; infinite for a single item."""
    if len(each) == 1:
        return math.inf
    first, rest = each[0], each[1:]
    halves = (chosen for size in range(len(rest)) for chosen in itertools.combinations(rest, size))
    products = [
        counted[(first, *chosen)] * counted[tuple(item for item in rest if item not in chosen)] for chosen in halves
    ]
    return max(products) * chance_of_meeting


def as_pairs(found: Sets) -> Mined:
    """Relation ``bundle``: all ordered pairs within the sets, each with its strongest set's strength and count."""
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for each, strength, count in zip(found.sets, found.strengths.tolist(), found.counts.tolist(), strict=True):
        for pair in itertools.permutations(each, 2):
            best[pair] = max(best.get(pair, (0.0, 0)), (strength, count))
    pairs = sorted(best)
    anchors, items = np.array(pairs, np.int64).reshape(-1, 2).T
    return Mined(
        anchors,
        items,
        np.array([best[pair][0] for pair in pairs]),
        np.array([best[pair][1] for pair in pairs], np.int64),
    )


def compatible(found: Sets, fits: Bools) -> Sets:
    """Sets for which ``fits`` [R] is true."""
    rows = np.flatnonzero(fits)
    return Sets(
        [found.sets[row] for row in rows],
        found.strengths[rows],
        found.counts[rows],
        found.lift[rows],
        found.chance[rows],
    )
