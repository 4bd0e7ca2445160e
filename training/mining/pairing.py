"""From counts to relations: complements, substitutes, ladders, brand, series, scenes and gifts.

The strength of a mined pair is the share of the anchor's sessions that bring the partner, beyond what chance would: the
lower bound of the share in recent sessions, less the expected one. So it lies in (0, 1], means the same for every
anchor, and a pair that two sessions tell of stays behind one that a thousand do. Shapes: N items, P pairs, G groups.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.significance import background, discoveries, lower_bound, surprise
from training.mining.traits import Traits

BARELY: Final = 1e-4
"""Strength of a pair that is beyond chance, but by less than its lower bound can tell."""
PRIOR: Final = 10.0
"""Sessions' worth of belief that a shopper goes on to what is popular in the same brand or series."""


@dataclass(frozen=True)
class Mined:
    """Pairs of one relation with what speaks for them; NaN where nothing was tested.

    Attributes:
        confidence: the share of the anchor's sessions that bring the item.
        lift: how many times as often as expected.
        chance: the probability that chance brings this count or more.
    """

    anchors: Ints
    items: Ints
    strengths: Floats
    counts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    confidence: Floats = field(default_factory=lambda: np.zeros(0))
    lift: Floats = field(default_factory=lambda: np.zeros(0))
    chance: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        for name in ("counts", "confidence", "lift", "chance"):
            if len(getattr(self, name)) != len(self.anchors):
                unknown = (
                    np.zeros(len(self.anchors), np.int64) if name == "counts" else np.full(len(self.anchors), np.nan)
                )
                object.__setattr__(self, name, unknown)

    def __len__(self) -> int:
        return len(self.anchors)

    def only(self, rows: Bools | Ints) -> "Mined":
        """Some of the pairs."""
        return Mined(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Evidence:
    """How much evidence is asked for.

    Attributes:
        false_share: of the pairs that are believed, how many may be chance.
        least: a pair must be in this many sessions.
        faintest: and be this strong, as a share of the strongest of the same anchor. In a large log even what goes with
            a rival of the anchor is no chance, but it stays faint.
    """

    false_share: float
    least: int
    faintest: float = 0.0


def _mined(pairs: Pairs, acts: Acts, expected: Floats, chance: Floats) -> Mined:
    of_anchor = acts.counts_N[pairs.anchors]
    recent = acts.recent_N[pairs.anchors]
    strengths = lower_bound(pairs.recent, recent) - expected / of_anchor
    return Mined(
        pairs.anchors,
        pairs.items,
        np.clip(strengths, BARELY, 1.0),
        pairs.counts,
        pairs.counts / of_anchor,
        pairs.counts / expected,
        chance,
    )


def _clear(pairs: Mined, evidence: Evidence) -> Mined:
    """Without what is faint beside the anchor's best."""
    best_N = np.zeros(int(pairs.anchors.max(initial=0)) + 1)
    np.maximum.at(best_N, pairs.anchors, pairs.strengths)
    return pairs.only(pairs.strengths >= evidence.faintest * best_N[pairs.anchors])


def complements(followed: Pairs, taken: Acts, traits: Traits, fits: Bools, *, evidence: Evidence) -> Mined:
    """What is taken with or soon after an item, of another category, far more often than departments explain.

    Args:
        followed: see ``counting.followed``.
        fits: whether each of these pairs is compatible, [P].
    """
    other = ~traits.same_category(followed.anchors, followed.items)
    followed, fits = followed.only(other), fits[other]
    expected = background(followed, taken.counts_N, departments_N=traits.departments, categories_N=traits.categories)
    chance = surprise(followed.counts, expected)
    sold = taken.counts_N > 0
    sold_C = np.bincount(traits.categories[sold & (traits.categories >= 0)])
    uncategorised = int((sold & (traits.categories < 0)).sum())
    possible = int(sold.sum()) ** 2 - int((sold_C**2).sum()) - uncategorised
    believed = discoveries(chance, tests=possible, false_share=evidence.false_share)
    believed &= fits & (followed.counts >= evidence.least)
    return _clear(_mined(followed.only(believed), taken, expected[believed], chance[believed]), evidence)


def substitutes(compared: Pairs, views: Acts, bought: Pairs, traits: Traits, *, evidence: Evidence) -> Mined:
    """What is compared with an item of its category, and not bought with it.

    A pair must be compared more often than the category's pairs are on average. Where none is, the category's items are
    all alike, and those pairs are taken that are compared more often than any two items of the shop.

    Args:
        compared: see ``counting.compared``; items without a category count as one category.
        bought: pairs taken in one session, of any category.
    """
    groups_N, seen_N = traits.categories + 1, views.counts_N.astype(float)
    of_all = compared.counts.sum() / max(seen_N.sum() ** 2 - (seen_N**2).sum(), 1.0)
    compared = compared.only(groups_N[compared.anchors] == groups_N[compared.items])
    group = groups_N[compared.anchors]
    products_G = np.bincount(groups_N, weights=seen_N) ** 2 - np.bincount(groups_N, weights=seen_N**2)
    of_own_G = np.bincount(group, weights=compared.counts, minlength=len(products_G)) / np.maximum(products_G, 1)
    sizes_G = np.bincount(groups_N[seen_N > 0], minlength=len(products_G))
    possible = int((sizes_G * (sizes_G - 1)).sum())
    products = seen_N[compared.anchors] * seen_N[compared.items]

    expected = of_own_G[group] * products
    chance = surprise(compared.counts, expected)
    believed = discoveries(chance, tests=possible, false_share=evidence.false_share)
    alike = np.bincount(group[believed], minlength=len(products_G))[group] == 0
    expected = np.where(alike, np.minimum(expected, of_all * products), expected)
    chance = np.where(alike, surprise(compared.counts, expected), chance)
    believed |= alike & discoveries(chance, tests=possible, false_share=evidence.false_share)

    believed &= (compared.counts >= evidence.least) & ~_bought_together(compared, bought, evidence, items=len(traits))
    return _clear(_mined(compared.only(believed), views, expected[believed], chance[believed]), evidence)


def _bought_together(compared: Pairs, bought: Pairs, evidence: Evidence, *, items: int) -> Bools:
    """Which compared pairs are bought together more often than pairs that are compared are on average."""
    counts = lookup(bought, compared, items=items)
    share = counts.sum() / max(compared.counts.sum(), 1)
    chance = surprise(counts, share * compared.counts)
    return discoveries(chance, tests=len(compared), false_share=evidence.false_share)


def lookup(pairs: Pairs, wanted: Pairs | Mined, *, items: int) -> Ints:
    """The counts that ``pairs`` have for the wanted pairs; 0 for those that it lacks."""
    codes, wanted_codes = pairs.codes(items), wanted.anchors * items + wanted.items
    if not len(codes):
        return np.zeros(len(wanted_codes), np.int64)
    place = np.searchsorted(codes, wanted_codes).clip(max=len(codes) - 1)
    return np.where(codes[place] == wanted_codes, pairs.counts[place], 0)


def ladders(substitute: Mined, series: Mined, traits: Traits, *, least: float, most: float) -> tuple[Mined, Mined]:
    """Upsell and downsell: substitutes, and models of the same series and category, that are dearer or cheaper.

    Args:
        least, most: how many times as dear the dearer of two may be.
    """
    models = series.only(traits.same_category(series.anchors, series.items))
    anchors = np.concatenate([substitute.anchors, models.anchors])
    partners = np.concatenate([substitute.items, models.items])
    size = len(traits)
    codes, first = np.unique(anchors * size + partners, return_index=True)
    both = Mined(*(np.concatenate([getattr(m, n) for m in (substitute, models)]) for n in Mined.__dataclass_fields__))
    rungs = both.only(first)  # of a pair that is both, the substitute comes first
    if len(models):
        place = np.searchsorted(codes, models.anchors * size + models.items)
        np.maximum.at(rungs.strengths, place, models.strengths)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = traits.prices[rungs.items] / traits.prices[rungs.anchors]
    bottom = traits.prices[rungs.anchors] > 0
    return rungs.only(bottom & (ratio >= least) & (ratio <= most)), rungs.only(
        bottom & (ratio <= 1 / least) & (ratio >= 1 / most)
    )


def of_one_group(met: Pairs, groups_N: Ints, counts_N: Ints, *, most: int) -> Mined:
    """Items of the same brand or series: where shoppers go on to, else what is popular there.

    The strength is the share of the meetings within the group, smoothed towards the items' popularity in it, so an item
    that was never met with another has partners too. Nothing is tested: that they belong together is declared.
    """
    codes, weights = [met.codes(len(groups_N))], [met.recent]
    popularity_N = counts_N + 1.0
    for members in _members(groups_N):
        best = members[np.lexsort((members, -popularity_N[members]))][: most + 1]
        anchors, partners = np.repeat(members, len(best)), np.tile(best, len(members))
        differ = anchors != partners
        codes.append(anchors[differ] * len(groups_N) + partners[differ])
        weights.append(np.zeros(int(differ.sum())))
    unique, place = np.unique(np.concatenate(codes), return_inverse=True)
    meetings = np.bincount(place, weights=np.concatenate(weights), minlength=len(unique))
    anchors, partners = np.divmod(unique, len(groups_N))
    known = groups_N >= 0
    mass_G = np.bincount(groups_N[known], weights=popularity_N[known])
    rest = mass_G[groups_N[anchors]] - popularity_N[anchors]
    total_N = np.bincount(met.anchors, weights=met.recent, minlength=len(groups_N))
    strengths = (meetings + PRIOR * popularity_N[partners] / rest) / (total_N[anchors] + PRIOR)
    found = Pairs(anchors, partners, np.zeros(len(anchors), np.int64), meetings)
    return Mined(anchors, partners, strengths.clip(max=1.0), lookup(met, found, items=len(groups_N)))


def _members(groups_N: Ints) -> list[Ints]:
    order = np.argsort(groups_N, kind="stable")
    order = order[groups_N[order] >= 0]
    return [part for part in np.split(order, np.flatnonzero(np.diff(groups_N[order])) + 1) if len(part) > 1]


def scene_mates(scenes_E: Ints, items_E: Ints, *, items: int, evidence: Evidence) -> Mined:
    """Items that the same live room, video or look shows.

    A scene shows the items that get more of its events than they do of all scenes', the faint ones left out: they are
    what its visitors went on to. The strength is the chance that, of
    the anchor's events in scenes, one stands in a scene that shows the item, times how much that scene is about it.
    """
    scenes_E, items_E = scenes_E[scenes_E >= 0], items_E[scenes_E >= 0]
    cells, counts = np.unique(scenes_E.astype(np.int64) * items + items_E, return_counts=True)
    scene_C, item_C = np.divmod(cells, max(items, 1))
    scene_size, item_size = np.bincount(scene_C, weights=counts), np.bincount(item_C, weights=counts, minlength=items)
    if not len(cells):
        return Mined(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    expected = scene_size[scene_C] * item_size[item_C] / counts.sum()
    possible = int((scene_size > 0).sum() * (item_size > 0).sum())
    shown = discoveries(surprise(counts, expected), tests=possible, false_share=evidence.false_share)
    most_S = np.zeros(int(scene_C.max()) + 1)
    np.maximum.at(most_S, scene_C[shown], counts[shown])
    shown &= (counts >= evidence.least) & (counts >= evidence.faintest * most_S[scene_C])
    scene_C, item_C, counts = scene_C[shown], item_C[shown], counts[shown]
    if not len(scene_C):
        return Mined(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    anchors, partners, strengths = [], [], []
    for members in _members(scene_C):
        given = np.repeat(np.arange(len(members)), len(members))
        other = np.tile(np.arange(len(members)), len(members))
        given, other = members[given[given != other]], members[other[given != other]]
        anchors.append(item_C[given])
        partners.append(item_C[other])
        strengths.append(counts[given] / item_size[item_C[given]] * counts[other] / most_S[scene_C[other]])
    if not anchors:
        return Mined(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    codes, place, scenes = np.unique(
        np.concatenate(anchors) * items + np.concatenate(partners), return_inverse=True, return_counts=True
    )
    total = np.bincount(place, weights=np.concatenate(strengths)).clip(max=1.0)
    return Mined(*np.divmod(codes, items), total, scenes)


def gifts(complement: Mined, traits: Traits, *, share: float) -> Mined:
    """Complements that cost at most ``share`` of the anchor's price, and no more than the shop's median item."""
    prices = traits.prices
    known = prices[np.isfinite(prices)]
    if not len(known):
        return complement.only(np.zeros(len(complement), bool))
    cheap = prices[complement.items] <= np.minimum(share * prices[complement.anchors], np.median(known))
    return complement.only(cheap)
