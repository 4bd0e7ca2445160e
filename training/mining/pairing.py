"""Relations from counts: complements, substitutes, upsell and downsell, brand, series, scenes and gifts.

The strength of a mined pair is its confidence beyond chance: the lower confidence bound of the share of the anchor's
recent sessions that hold the partner, minus the expected share. So it lies in (0, 1], is comparable across anchors, and
ranks a pair seen in two sessions below one seen in a thousand. Shapes: N items, P pairs, G groups, S scenes, E events;
C categories in ``complements``, scene-item cells in ``scene_mates``.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.significance import background, discoveries, lower_bound, surprise
from training.mining.traits import Traits

BARELY: Final = 1e-4
"""Strength floor of a significant pair whose lower bound does not exceed the expected share."""
PRIOR: Final = 10.0
"""Pseudo-sessions of the prior that shoppers move on to popular items of the same brand or series."""


@dataclass(frozen=True)
class Mined:
    """Directed pairs of one relation with their statistics, each [P]; NaN where nothing was tested.

    Attributes:
        counts: sessions that hold the pair.
        confidence: share of the anchor's sessions that hold the item.
        lift: observed over expected count.
        chance: p-value, the probability of this count or more by chance.
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
        """Subset of the pairs, by mask or row numbers."""
        return Mined(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Evidence:
    """Evidence required of a pair.

    Attributes:
        false_share: false discovery rate of the accepted pairs.
        least: minimum sessions that hold the pair.
        faintest: minimum strength relative to the anchor's strongest pair. In a large log even complements of a
            competing item are significant, but weak.
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
    """Drop pairs below ``evidence.faintest`` of their anchor's strongest pair."""
    best_N = np.zeros(int(pairs.anchors.max(initial=0)) + 1)
    np.maximum.at(best_N, pairs.anchors, pairs.strengths)
    return pairs.only(pairs.strengths >= evidence.faintest * best_N[pairs.anchors])


def complements(followed: Pairs, taken: Acts, traits: Traits, fits: Bools, *, evidence: Evidence) -> Mined:
    """Pairs of different categories taken together or soon after, significantly above the departments' background rate.

    Args:
        followed: see ``counting.followed``.
        fits: whether each of these pairs is compatible, bool [P].
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
    """Pairs of the same category that are compared, but not bought together.

    A pair must be compared significantly more often than the category's average pair. A category where no pair is has
    interchangeable items; there the test is against the average pair of the whole shop.

    Args:
        compared: see ``counting.compared``; items without a category form one category.
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
    """Which compared pairs are bought together significantly more often than the average compared pair, bool [P]."""
    counts = lookup(bought, compared, items=items)
    share = counts.sum() / max(compared.counts.sum(), 1)
    chance = surprise(counts, share * compared.counts)
    return discoveries(chance, tests=len(compared), false_share=evidence.false_share)


def lookup(pairs: Pairs, wanted: Pairs | Mined, *, items: int) -> Ints:
    """Counts in ``pairs`` of the wanted pairs, 0 where absent."""
    codes, wanted_codes = pairs.codes(items), wanted.anchors * items + wanted.items
    if not len(codes):
        return np.zeros(len(wanted_codes), np.int64)
    place = np.searchsorted(codes, wanted_codes).clip(max=len(codes) - 1)
    return np.where(codes[place] == wanted_codes, pairs.counts[place], 0)


def ladders(substitute: Mined, series: Mined, traits: Traits, *, least: float, most: float) -> tuple[Mined, Mined]:
    """Upsell and downsell pairs: pricier or cheaper substitutes, and models of the same series and category.

    Args:
        least, most: bounds of the price ratio, higher over lower price.
    """
    models = series.only(traits.same_category(series.anchors, series.items))
    anchors = np.concatenate([substitute.anchors, models.anchors])
    partners = np.concatenate([substitute.items, models.items])
    size = len(traits)
    codes, first = np.unique(anchors * size + partners, return_index=True)
    both = Mined(*(np.concatenate([getattr(m, n) for m in (substitute, models)]) for n in Mined.__dataclass_fields__))
    rungs = both.only(first)  # for a pair that is both, np.unique keeps the substitute, which comes first
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
    """Pairs of the same brand or series: those in ``met``, plus each item with its group's ``most`` most popular.

    The strength is the partner's share of the anchor's co-occurrences within the group, smoothed towards the partner's
    popularity there, so items without co-occurrences have partners too. Nothing is tested: the catalogue declares the
    groups.
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
    """Pairs of items shown by the same scene: a live room, video or look.

    A scene shows the items that are over-represented in its events against all scenes; weak ones are dropped, as its
    visitors merely moved on to them. The strength is the share of the anchor's scene events that lie in a scene which
    shows the partner, each scene weighted by the partner's count over the scene's top item's.
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


def gifts(complement: Mined, taken: Acts, traits: Traits, *, share: float, alone: float) -> Mined:
    """Complements that cost little and that hardly anybody would go and buy.

    Args:
        share: maximum price over the anchor's price; besides, at most the catalogue's median price.
        alone: maximum share of an item's sessions that take nothing else, over the mean share of all items.
    """
    prices = traits.prices
    known = prices[np.isfinite(prices)]
    if not len(known):
        return complement.only(np.zeros(len(complement), bool))
    cheap = prices[complement.items] <= np.minimum(share * prices[complement.anchors], np.median(known))
    mean = taken.alone_N.sum() / max(taken.counts_N.sum(), 1)
    sought_N = taken.alone_N > alone * mean * taken.counts_N
    return complement.only(cheap & ~sought_N[complement.items])
