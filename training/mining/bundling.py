"""Bundles: sets of 2 to 4 items bought in one session, mined with FP-Growth and filtered by a significance test.

A set may be frequent only because one of its items is, so a set must be *productive* (Webb, 2007): more frequent than
any partition into two independent parts explains. Each set size is tested separately. Besides, an item gets the set of
what goes with it best, which a small shop's log cannot hold often enough. Shapes: N items, R sets, C categories.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from tillside.relations import LEAST_BUNDLE, MOST_BUNDLE
from training.mining.compatibility import Compatibility
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.engines import MiningEngine
from training.mining.itemsets import Set, frequent_sets
from training.mining.pairing import Evidence, Mined, lookup
from training.mining.significance import discoveries, surprise
from training.mining.traits import Traits

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


def of_one_kind(found: Sets, traits: Traits, bought: Pairs, together: Pairs, *, evidence: Evidence) -> Bools:
    """Sets that hold two items of one category which shoppers do not buy together, bool [R].

    Two phones in one cart are being compared, two lipsticks are bought. So the two must have been bought together, and
    of the category's pairs that are taken together no significantly smaller share may be bought than of all pairs.

    Args:
        bought: pairs purchased in one session; ``together`` pairs taken in one, carts included.
    """
    share = bought.counts.sum() / max(together.counts.sum(), 1)
    bought_C, together_C = (_within_kinds(pairs, traits) for pairs in (bought, together))
    compared_C = stats.binom.cdf(bought_C, np.maximum(bought_C, together_C), share) <= evidence.false_share
    rows, ones, others = [], [], []
    for row, each in enumerate(found.sets):
        for one, other in itertools.combinations(each, 2):
            if traits.categories[one] >= 0 and traits.categories[one] == traits.categories[other]:
                rows.append(row)
                ones.append(one)
                others.append(other)
    pairs = Mined(np.array(ones, np.int64), np.array(others, np.int64), np.zeros(len(ones)))
    seldom = lookup(bought, pairs, items=len(traits)) < evidence.least
    wrong = np.zeros(len(found), bool)
    wrong[np.array(rows, np.int64)[seldom | compared_C[traits.categories[pairs.anchors]]]] = True
    return wrong


def _within_kinds(pairs: Pairs, traits: Traits) -> Ints:
    """Counts of the pairs within each category [C]."""
    ours, theirs = traits.categories[pairs.anchors], traits.categories[pairs.items]
    own = (ours == theirs) & (ours >= 0)
    counts = np.bincount(ours[own], weights=pairs.counts[own], minlength=int(traits.categories.max(initial=-1)) + 1)
    return counts.astype(np.int64)


def around_main_items(complement: Mined, traits: Traits, fitting: Compatibility, *, others: int = 2) -> Sets:
    """One set for each item with its strongest complements: of different kinds, each cheaper, and all fit together.

    The strength is the product of the complements' strengths: how often all of them are taken with the item, if each is
    taken on its own account.
    """
    order = np.lexsort((complement.items, -complement.strengths, complement.anchors))
    anchors, items = complement.anchors[order], complement.items[order]
    strengths = complement.strengths[order]
    cheaper = traits.prices[items] < traits.prices[anchors]
    chosen: dict[int, list[int]] = {}
    shares: dict[int, float] = {}
    rows = np.flatnonzero(cheaper & (traits.categories[items] >= 0) & (traits.categories[anchors] >= 0))
    for anchor, item, strength in zip(
        anchors[rows].tolist(), items[rows].tolist(), strengths[rows].tolist(), strict=True
    ):
        own = chosen.setdefault(anchor, [])
        kinds = {int(traits.categories[each]) for each in (anchor, *own)}
        if len(own) == others or int(traits.categories[item]) in kinds:
            continue
        if fitting.fits(np.full(len(own) + 1, item), np.array([anchor, *own])).all():
            own.append(item)
            shares[anchor] = shares.get(anchor, 1.0) * strength
    best: dict[Set, float] = {}
    for anchor, own in chosen.items():
        if own:
            each = tuple(sorted((anchor, *own)))
            best[each] = max(best.get(each, 0.0), shares[anchor])
    sets = sorted(best, key=lambda each: (-best[each], each))
    unknown = np.full(len(sets), np.nan)
    strength = np.array([best[each] for each in sets])
    return Sets(sets, strength, np.zeros(len(sets), np.int64), unknown, unknown)


def joined(mined: Sets, made: Sets, *, most: int) -> Sets:
    """The ``most`` strongest of both; a set that both know is the mined one."""
    known = set(mined.sets)
    made = compatible(made, np.array([each not in known for each in made.sets], bool))
    columns = ("strengths", "counts", "lift", "chance")
    merged = (np.concatenate([getattr(mined, name), getattr(made, name)]) for name in columns)
    both = Sets([*mined.sets, *made.sets], *merged)
    return _picked(both, np.argsort(-both.strengths, kind="stable")[:most])


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
    return _picked(found, np.flatnonzero(fits))


def _picked(found: Sets, rows: Ints) -> Sets:
    return Sets(
        [found.sets[row] for row in rows],
        found.strengths[rows],
        found.counts[rows],
        found.lift[rows],
        found.chance[rows],
    )
