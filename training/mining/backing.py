"""Complements of a small shop: what kinds, series and brands tell of a pair that the log holds too seldom.

A pair's rate, how often the item is taken with the anchor, begins as the rate of the two categories, shared out over
the items that fit (``tillside.fitting.kinship``). Then the log speaks (``training.mining.shrinking``): what shoppers
look at once they have taken the anchor, which tells what of a kind they mean and is seen far more often than what they
take; then what they take.

Shapes: N items, P pairs, G series.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from tillside.fitting.kinship import shared_out
from tillside.fitting.rules import MAKES, Kin
from tillside.ragged import entries
from training.mining.compatibility import Compatibility
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.kin import FAINTEST, groups_of, with_brands
from training.mining.pairing import Mined, lookup
from training.mining.shrinking import Considered, shrunk
from training.mining.traits import Traits

TAKEN_BEFORE: Final = 1.0
EACH: Final = 16
"""Items considered for one anchor and kin, those that are taken most; besides those that its series was seen with."""
ENOUGH: Final = ((3, 0.005), (6, 0.01))
"""Numbers of complements and rates: an anchor with fewer is given the likeliest of each of its kin, however many share
the kin's strength out, unless the log excludes that such a rate is theirs. A small log excludes nothing, a large one
knows which dock it is, and that no other is."""
OF_A_KIN: Final = 2
"""Items of one kin that it is given at most."""


@dataclass(frozen=True)
class Backed:
    """Directed pairs of kin items with their estimated rates, [P], sorted by anchor, then item.

    Attributes:
        rates: how often the item is taken with the anchor, in (0, 1].
        at_most: upper bound of each rate: what the log does not exclude.
        ruled: whether a rule of the shop makes the pair, bool [P].
        kin: number of the kin that makes it, [P].
        supports: the learned k of series and of pairs, of what was taken.
    """

    anchors: Ints
    items: Ints
    rates: Floats
    at_most: Floats
    ruled: Bools
    kin: Ints
    supports: tuple[float, float]

    def __len__(self) -> int:
        return len(self.anchors)


class Seen(NamedTuple):
    """What each item's series was seen with: ``items[bounds_N[n] : bounds_N[n + 1]]`` for item n."""

    bounds_N: Ints
    items: Ints


def backed(
    kin: Sequence[Kin], followed: Pairs, looked: Pairs, taken: Acts, traits: Traits, fitting: Compatibility
) -> tuple[Backed, list[Kin]]:
    """Rates of the pairs of kin items that fit, and the kin with what brands matter to them.

    Args:
        followed, looked: see ``counting.followed`` and ``counting.looked``; pairs of different categories that fit.
    """
    worth_N = taken.counts_N + TAKEN_BEFORE
    kin = [with_brands(each, followed, taken, fitting, worth_N) for each in kin]
    size = len(traits)
    series_N = np.where(traits.series < 0, traits.series.max(initial=-1) + 1 + np.arange(size), traits.series)
    seen = _seen(series_N, followed, looked)
    anchors, items, rates, ruled, of_kin = _shared(kin, fitting, worth_N, seen=seen)
    first = np.unique(anchors * size + items, return_index=True)[1]
    anchors, items, rates, ruled, of_kin = (column[first] for column in (anchors, items, rates, ruled, of_kin))
    pairs = Considered(anchors, items, of_kin, series_N, taken.recent_N, taken.unit)
    # how often a kind is taken may change; which of it goes with an item does not, so all looks count alike
    ever = dataclasses.replace(pairs, trials_N=taken.counts_N.astype(float), unit=1.0)
    meant = shrunk(rates, ever, dataclasses.replace(looked, recent=looked.counts.astype(float)), by_kin=True)
    rates, at_most, supports = shrunk(meant.rates, pairs, followed)
    return Backed(anchors, items, np.clip(rates, FAINTEST, 1.0), at_most, ruled, of_kin, supports), kin


def with_backing(
    proven: Mined,
    pairs: Backed,
    followed: Pairs,
    *,
    floor: float,
    ruled_floor: float,
    enough: Sequence[tuple[int, float]] = ENOUGH,
) -> Mined:
    """Complements: the proven pairs, and those that kind, series and brand make likely enough.

    Where both know a pair its strength is the estimated rate, which support has brought as close to the log's as it
    deserves. An anchor with few of them is given the likeliest of each of its kin too: of sixteen docks that fit none
    is likely, and yet a dock goes with it.

    Args:
        floor: least rate of a pair that is not proven; ``ruled_floor`` if a rule of the shop makes it.
        enough: complements of an anchor that are no longer few, and the rate that must be possible for one more.
    """
    size = (
        int(
            max(
                followed.anchors.max(initial=0),
                pairs.anchors.max(initial=0),
                pairs.items.max(initial=0),
                followed.items.max(initial=0),
            )
        )
        + 1
    )
    codes, proven_codes = pairs.anchors * size + pairs.items, proven.anchors * size + proven.items
    strengths = proven.strengths.copy()
    if len(codes):
        place = np.searchsorted(codes, proven_codes).clip(max=len(codes) - 1)
        backed_too = codes[place] == proven_codes
        strengths[backed_too] = pairs.rates[place[backed_too]]
    known = np.isin(codes, proven_codes)
    kept = (pairs.rates >= np.where(pairs.ruled, ruled_floor, floor)) & ~known
    for number, possible in enough:
        kept = _filled(pairs, kept, proven, known=known, enough=number, possible=possible)
    anchors, items = pairs.anchors[kept], pairs.items[kept]
    counts = lookup(followed, Pairs(anchors, items, anchors, anchors.astype(float)), items=size)
    unknown = np.full(len(anchors), np.nan)
    added = Mined(anchors, items, pairs.rates[kept], counts, unknown, unknown, unknown)
    both = [
        np.concatenate([getattr(one, name), getattr(added, name)])
        for one, name in (
            (dataclasses.replace(proven, strengths=strengths), name) for name in Mined.__dataclass_fields__
        )
    ]
    return Mined(*both)


def _filled(pairs: Backed, kept: Bools, proven: Mined, *, known: Bools, enough: int, possible: float) -> Bools:
    """The kept pairs, and the likeliest others of anchors that have not enough, OF_A_KIN at most of a kin.

    Args:
        known: the pairs that are proven, bool [P].
    """
    if not len(pairs):
        return kept
    have = kept | known
    count_N = np.bincount(np.r_[pairs.anchors[kept], proven.anchors], minlength=int(pairs.anchors.max()) + 1)
    order = np.lexsort((pairs.items, -pairs.rates, ~have, pairs.kin, pairs.anchors))
    spare = np.zeros(len(pairs), bool)
    spare[order] = _places(pairs.anchors[order] * (int(pairs.kin.max()) + 1) + pairs.kin[order]) < OF_A_KIN
    spare &= ~have & (pairs.at_most >= possible)
    rows = np.flatnonzero(spare)
    rows = rows[np.lexsort((pairs.items[rows], -pairs.rates[rows], pairs.anchors[rows]))]
    anchors = pairs.anchors[rows]
    found = kept.copy()
    found[rows[_places(anchors) < enough - count_N[anchors]]] = True
    return found


def _places(grouped: Ints) -> Ints:
    """Place of each element within its run of equal ones."""
    starts = np.r_[True, grouped[1:] != grouped[:-1]][: len(grouped)]
    first = np.flatnonzero(starts)
    return np.arange(len(grouped)) - np.repeat(first, np.diff(np.r_[first, len(grouped)]))


def _shared(
    kin: Sequence[Kin], fitting: Compatibility, worth_N: Floats, *, seen: Seen
) -> tuple[Ints, Ints, Floats, Bools, Ints]:
    """The first estimate: pairs of kin items that fit, their rates, highest first, whether a rule makes them, and the
    kin's number.

    A pair of two kin stands there twice.
    """
    made = {(rule.one.category, rule.other.category) for rule in fitting.rules if rule.makes == MAKES[0]}
    columns: list[tuple[Ints, Ints, Floats, Bools, Ints]] = []
    place_N = np.full(len(worth_N), -1)
    for number, each in enumerate(kin):
        for group, members in groups_of(each, fitting):
            fit, shares = shared_out(
                each, int(group[0]), members, fitting.matching, brands=fitting.brands, worth_N=worth_N
            )
            best = np.lexsort((fit, -shares))[: EACH + 1]
            place_N[fit] = np.arange(len(fit))
            place_N[fit[best]] = -1
            rows, sizes = entries(seen.bounds_N, group)
            places = place_N[seen.items[rows]]
            place_N[fit] = -1
            more, places = np.repeat(group, sizes)[places >= 0], places[places >= 0]
            anchors = np.concatenate([np.repeat(group, len(best)), more])
            places = np.concatenate([np.tile(best, len(group)), places])
            items, rates = fit[places], shares[places]
            differ = anchors != items
            size = int(differ.sum())
            ruled = np.full(size, (each.one, each.other) in made)
            columns.append((anchors[differ], items[differ], rates[differ], ruled, np.full(size, number)))
    if not columns:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0), np.zeros(0, bool), nothing
    anchors, items, rates, ruled, numbers = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(-rates, kind="stable")
    return anchors[order], items[order], rates[order], ruled[order], numbers[order]


def _seen(series_N: Ints, *kinds: Pairs) -> Seen:
    """What the series of each item was seen with, by any kind of evidence."""
    size = len(series_N)
    codes = np.unique(np.concatenate([series_N[pairs.anchors] * size + pairs.items for pairs in kinds]))
    bounds_G = np.searchsorted(codes, np.arange(int(series_N.max(initial=-1)) + 2) * size)
    rows, sizes = entries(bounds_G, series_N)
    return Seen(np.r_[0, np.cumsum(sizes)], codes[rows] % size)
