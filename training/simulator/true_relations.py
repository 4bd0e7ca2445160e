"""Ground-truth relations of the shop: substitutes and complements.

Each item has a short weighted list of both, and shoppers sample from these lists, so the relations are present in the
events. Complements are per family: what fits a phone fits each of its models. Shapes: N items, F families, K list
entries; lists are padded with -1 and their cumulative weights with 1.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.simulator.goods import Floats, Goods, Ints
from training.simulator.products import KINDS, Goes, Match

SUBSTITUTES: Final = 8
COMPLEMENTS: Final = 5
RIVALS: Final = 4


@dataclass(frozen=True)
class Lists:
    """Weighted lists, one row per owner (item or family): entries and cumulative weights, each [owners, K]."""

    items_K: Ints
    cumulative_K: Floats

    def draw(self, owners: Ints, chance: Floats) -> Ints:
        """Sample one entry per owner by weight, given a uniform ``chance`` in [0, 1); -1 where the list is empty."""
        place = (chance[:, None] >= self.cumulative_K[owners]).sum(axis=1)
        return self.items_K[owners, np.minimum(place, self.items_K.shape[1] - 1)]

    def weights(self) -> Floats:
        """Normalised weight of each entry, [owners, K]."""
        return np.diff(self.cumulative_K, axis=1, prepend=0.0)


@dataclass(frozen=True)
class Relations:
    """Substitutes per item, complements per family, and the reason for each complement."""

    substitutes: Lists
    complements: Lists
    why_FK: list[list[Match]]


def make_relations(rng: np.random.Generator, goods: Goods) -> Relations:
    """Generate the ground-truth relations of ``goods``."""
    complements, why = _complements(rng, goods)
    return Relations(_substitutes(goods), complements, why)


def _substitutes(goods: Goods) -> Lists:
    """Models of the same family, then those nearest in price among other families with the same kind and fit."""
    rivals: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for item, family in enumerate(goods.family_N.tolist()):
        about = goods.families[family]
        rivals[about.kind, about.fits, about.connector].append(item)
    rows: list[dict[int, float]] = [{} for _ in range(len(goods))]
    for members in rivals.values():
        members.sort(key=lambda item: (goods.price_N[item], item))
        for place, item in enumerate(members):
            row, family = rows[item], int(goods.family_N[item])
            for other in goods.families[family].items:
                if other != item:
                    row[other] = 1.6 / abs(other - item)
            near = members[max(0, place - 12) : place + 13]
            near = [other for other in near if goods.family_N[other] != family]
            near.sort(key=lambda other: (abs(np.log(goods.price_N[other] / goods.price_N[item])), other))
            for order, other in enumerate(near[:RIVALS]):
                row[other] = 1.4 / (1 + 0.5 * order)
    return _lists(rows, SUBSTITUTES)


def _complements(rng: np.random.Generator, goods: Goods) -> tuple[Lists, list[list[Match]]]:
    number = {kind.key: index for index, kind in enumerate(KINDS)}
    made_for: dict[tuple[int, int], list[int]] = defaultdict(list)
    series: dict[tuple[int, str], list[int]] = defaultdict(list)
    connector: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index, family in enumerate(goods.families):
        made_for[family.kind, family.fits].append(index)
        series[family.kind, family.series].append(index)
        connector[family.kind, family.connector].append(index)
    rows: list[dict[int, float]] = []
    why: list[dict[int, Match]] = []
    for index, family in enumerate(goods.families):
        row: dict[int, float] = {}
        reason: dict[int, Match] = {}
        for goes in KINDS[family.kind].goes:
            kind = number[goes.kind]
            if goes.match == "fits":
                # a case's film is the one made for the case's phone
                found = made_for[kind, family.fits if family.fits >= 0 else index]
            elif goes.match == "series":
                found = series[kind, family.series]
            elif goes.match == "connector":
                found = _one(rng, goods, family.brand, connector[kind, family.connector])
            else:
                found = _one(rng, goods, family.brand, list(_families_of(goods, kind)))
            for item, weight in _models(rng, goods, goes, found):
                row[item] = weight
                reason[item] = goes.match
        best = sorted(row, key=lambda item: (-row[item], item))[:COMPLEMENTS]
        rows.append({item: row[item] for item in best})
        why.append({item: reason[item] for item in best})
    lists = _lists(rows, COMPLEMENTS)
    return lists, [list(reason.values()) for reason in why]


def _families_of(goods: Goods, kind: int) -> range:
    start, end = goods.kind_ranges[kind], goods.kind_ranges[kind + 1]
    return range(int(goods.family_N[start]), int(goods.family_N[end - 1]) + 1)


def _one(rng: np.random.Generator, goods: Goods, brand: int, candidates: list[int]) -> list[int]:
    """Sample one candidate family, preferring the same brand and earlier families."""
    if not candidates:
        return []
    weights = np.array([(4.0 if goods.families[other].brand == brand else 1.0) for other in candidates])
    weights /= np.arange(1, len(candidates) + 1) ** 0.5
    return [candidates[int(rng.choice(len(candidates), p=weights / weights.sum()))]]


def _models(rng: np.random.Generator, goods: Goods, goes: Goes, families: list[int]) -> list[tuple[int, float]]:
    """Up to two models of the first two matching families, the second at half weight."""
    models = [item for family in families[:2] for item in goods.families[family].items]
    chosen = rng.permutation(len(models))[:2]
    return [(models[place], goes.strength / (1 + order)) for order, place in enumerate(chosen.tolist())]


def _lists(rows: list[dict[int, float]], width: int) -> Lists:
    items_K = np.full((len(rows), width), -1, np.int64)
    cumulative_K = np.ones((len(rows), width))
    for owner, row in enumerate(rows):
        best = sorted(row, key=lambda item: (-row[item], item))[:width]
        weights = np.cumsum([row[item] for item in best])
        items_K[owner, : len(best)] = best
        if best:
            cumulative_K[owner, : len(best)] = weights / weights[-1]
            cumulative_K[owner, len(best) - 1 :] = 1.0
    return Lists(items_K, cumulative_K)
