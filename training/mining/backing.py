"""Complements of a small shop: what kinds, series and brands tell of a pair that the log holds too seldom.

A pair's rate, how often the item is taken with the anchor, is estimated three times, each time shrunk towards the last:
the rate of the two categories, shared out over the items that fit (``tillside.fitting.kinship``); what the log says of
the rest of the anchor's series; what it says of the pair itself. Each step is a gamma-Poisson posterior (DuMouchel,
1999): with expected count E and count n the rate is multiplied by (n + k) / (E + k). How much support k outweighs is
learned by maximum likelihood from all pairs that were considered, those never seen included.

Two categories are kin if a rule says so, or if they are taken together significantly more often than their departments.
Shapes: N items, P pairs, F finest categories, K pairs of them, D departments, G series.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from tillside.fitting.kinship import shared_out
from tillside.fitting.rules import MAKES, Kin
from training.mining.compatibility import Compatibility
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.pairing import Evidence, Mined, lookup
from training.mining.significance import department_rates, discoveries, lower_bound, surprise
from training.mining.traits import Traits

PSEUDO: Final = 10.0
"""Pseudo-sessions of a rule's own strength, and pseudo-counts that brands do not matter."""
TAKEN_BEFORE: Final = 1.0
EACH: Final = 16
"""Items considered for one anchor and kin, those that are taken most."""
SUPPORTS: Final = np.geomspace(0.01, 100, 41)
FAINTEST_KIN: Final = 0.05
"""A kin must be this strong, as a share of the category's strongest."""
FAINTEST: Final = 1e-6
ENOUGH: Final = 6
"""An anchor with fewer complements is given the best of each of its kin, however many share the kin's strength out."""
OF_A_KIN: Final = 2
"""Items of one kin that it is given at most."""


@dataclass(frozen=True)
class Backed:
    """Directed pairs of kin items with their estimated rates, [P], sorted by anchor, then item.

    Attributes:
        rates: how often the item is taken with the anchor, in (0, 1].
        ruled: whether a rule of the shop makes the pair, bool [P].
        kin: number of the kin that makes it, [P].
        supports: the learned k of series and of pairs.
    """

    anchors: Ints
    items: Ints
    rates: Floats
    ruled: Bools
    kin: Ints
    supports: tuple[float, float]

    def __len__(self) -> int:
        return len(self.anchors)


def kin_of(
    followed: Pairs, taken: Acts, traits: Traits, fitting: Compatibility, *, fits: Bools, evidence: Evidence
) -> list[Kin]:
    """Categories that go together: those of the rules first, then those that the log shows.

    Args:
        followed: pairs of different categories, see ``counting.followed``.
        fits: whether each of these pairs is compatible, bool [P].
    """
    names = _names(fitting, traits)
    size, codes_N = len(names), traits.categories
    ours, theirs = codes_N[followed.anchors], codes_N[followed.items]
    known = (ours >= 0) & (theirs >= 0)
    has = codes_N >= 0
    trials_F = np.bincount(codes_N[has], weights=taken.recent_N[has], minlength=size)
    found: list[Kin] = []
    told_FF = np.zeros((size, size), bool)
    for rule in fitting.rules:
        if rule.makes == MAKES[0]:
            one, other = (_under(side.category, names) for side in (rule.one, rule.other))
            rows = known & fits & one[ours] & other[theirs]
            told_FF |= one[:, None] & other
            strength = (followed.recent[rows].sum() + PSEUDO * rule.strength) / (trials_F[one].sum() + PSEUDO)
            found.append(Kin(rule.one.category, rule.other.category, min(1.0, float(strength)), rule.same_brand))
    rates_DD = department_rates(
        followed, taken.counts_N, departments_N=traits.departments, categories_N=traits.categories
    )
    mass_F = np.bincount(codes_N[has], weights=taken.counts_N[has], minlength=size)
    department_F = np.zeros(size, np.int64)
    department_F[codes_N[has]] = traits.departments[has]
    keys, place = np.unique(ours[known] * size + theirs[known], return_inverse=True)
    counts, recent = (
        np.bincount(place, weights=c[known], minlength=len(keys)) for c in (followed.counts, followed.recent)
    )
    one_K, other_K = np.divmod(keys, max(size, 1))
    expected = rates_DD[department_F[one_K], department_F[other_K]] * mass_F[one_K] * mass_F[other_K]
    chance = surprise(counts.astype(np.int64), expected)
    believed = discoveries(chance, tests=size * (size - 1), false_share=evidence.false_share)
    trials_K = np.maximum(trials_F[one_K], 1e-9)
    strengths = lower_bound(recent, trials_K) - expected / np.maximum(mass_F[one_K], 1)
    believed &= (counts >= evidence.least) & ~told_FF[one_K, other_K]
    best_F = np.zeros(size)
    np.maximum.at(best_F, one_K[believed], strengths[believed])
    for each in found:
        under = _under(each.one, names)
        best_F[under] = np.maximum(best_F[under], each.strength)
    believed &= (strengths > FAINTEST) & (strengths >= FAINTEST_KIN * best_F[one_K])
    found += [
        Kin(names[one_K[row]], names[other_K[row]], min(1.0, float(strengths[row])))
        for row in np.flatnonzero(believed).tolist()
    ]
    return found


def backed(
    kin: Sequence[Kin], followed: Pairs, taken: Acts, traits: Traits, fitting: Compatibility
) -> tuple[Backed, list[Kin]]:
    """Rates of the pairs of kin items that fit, and the kin with what brands matter to them."""
    worth_N = taken.counts_N + TAKEN_BEFORE
    kin = [_with_brands(each, followed, taken, fitting, worth_N) for each in kin]
    anchors, items, rates, ruled, of_kin = _shared(kin, fitting, worth_N)
    size = len(traits)
    codes, first = np.unique(anchors * size + items, return_index=True)
    anchors, items, rates, ruled, of_kin = (column[first] for column in (anchors, items, rates, ruled, of_kin))
    own = _counts(followed.anchors * size + followed.items, followed.recent, codes)
    # the rest of the series: all of it less the anchor itself, so that nothing is counted twice
    alone = traits.series < 0
    series_N = np.where(alone, traits.series.max(initial=-1) + 1 + np.arange(size), traits.series)
    trials_G = np.bincount(series_N, weights=taken.recent_N)
    groups, wanted = series_N[followed.anchors] * size + followed.items, series_N[anchors] * size + items
    keys, place = np.unique(groups, return_inverse=True)
    of_series = _counts(keys, np.bincount(place, weights=followed.recent, minlength=len(keys)), wanted)
    once = np.unique(wanted, return_index=True)[1]
    trials = trials_G[series_N[anchors]]
    by_series = _support(of_series[once], (trials * rates)[once])
    others, other_trials = of_series - own, trials - taken.recent_N[anchors]
    rates = rates * (others + by_series) / (other_trials * rates + by_series)
    seen = taken.recent_N[anchors]
    by_pair = _support(own, seen * rates)
    rates = rates * (own + by_pair) / (seen * rates + by_pair)
    return Backed(anchors, items, np.clip(rates, FAINTEST, 1.0), ruled, of_kin, (by_series, by_pair)), kin


def with_backing(
    proven: Mined, pairs: Backed, followed: Pairs, *, floor: float, ruled_floor: float, enough: int = ENOUGH
) -> Mined:
    """Complements: the proven pairs, and those that kind, series and brand make likely enough.

    Where both know a pair its strength is the estimated rate, which support has brought as close to the log's as it
    deserves. An anchor with few of them is given the likeliest of each of its kin too: of sixteen docks that fit none
    is likely, and yet a dock goes with it.

    Args:
        floor: least rate of a pair that is not proven; ``ruled_floor`` if a rule of the shop makes it.
        enough: complements of an anchor that are no longer few.
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
    kept = _enough(pairs, kept, proven, known=known, enough=enough)
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


def _enough(pairs: Backed, kept: Bools, proven: Mined, *, known: Bools, enough: int) -> Bools:
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
    spare &= ~have
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


def _shared(kin: Sequence[Kin], fitting: Compatibility, worth_N: Floats) -> tuple[Ints, Ints, Floats, Bools, Ints]:
    """The first estimate: pairs of kin items that fit, their rates, highest first, whether a rule makes them, and the
    kin's number.

    A pair of two kin stands there twice.
    """
    made = {(rule.one.category, rule.other.category) for rule in fitting.rules if rule.makes == MAKES[0]}
    columns: list[tuple[Ints, Ints, Floats, Bools, Ints]] = []
    for number, each in enumerate(kin):
        for group, members in _groups(each, fitting):
            items, rates = shared_out(
                each, int(group[0]), members, fitting.matching, brands=fitting.brands, worth_N=worth_N
            )
            best = np.lexsort((items, -rates))[: EACH + 1]
            items, rates = items[best], rates[best]
            anchors, items, rates = np.repeat(group, len(items)), np.tile(items, len(group)), np.tile(rates, len(group))
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


def _groups(kin: Kin, fitting: Compatibility) -> list[tuple[Ints, Ints]]:
    """The anchors of a kin that no rule and no brand tells apart, and the members of the other category."""
    one, members = (
        np.flatnonzero(fitting.categories.having((path,))[fitting.categories.codes_N]) for path in (kin.one, kin.other)
    )
    alike = fitting.matching.classes_N[one] * (len(fitting.brands.sets) + 1) + fitting.brands.codes_N[one]
    order = np.argsort(alike, kind="stable")
    groups = np.split(one[order], np.flatnonzero(np.diff(alike[order])) + 1)
    return [(group, members) for group in groups if len(group) and len(members)]


def _with_brands(kin: Kin, followed: Pairs, taken: Acts, fitting: Compatibility, worth_N: Floats) -> Kin:
    """The kin with how many times as often an item of the anchor's own brand is taken, as far as the log tells."""
    brands = fitting.brands.codes_N
    plain = Kin(kin.one, kin.other, kin.strength)
    due_same = due = 0.0
    for group, members in _groups(plain, fitting):
        items, rates = shared_out(
            plain, int(group[0]), members, fitting.matching, brands=fitting.brands, worth_N=worth_N
        )
        trials = taken.recent_N[group].sum()
        due += trials * rates.sum()
        own = brands[group[0]]
        due_same += trials * rates[(brands[items] == own) & bool(own)].sum()
    inside = [fitting.categories.having((path,))[fitting.categories.codes_N] for path in (kin.one, kin.other)]
    rows = inside[0][followed.anchors] & inside[1][followed.items]
    same = rows & (brands[followed.anchors] == brands[followed.items]) & (brands[followed.anchors] > 0)
    had_same, had = followed.recent[same].sum(), followed.recent[rows].sum()
    scale = had / due if due else 1.0
    lift = (had_same + PSEUDO) / (due_same * scale + PSEUDO)
    others = (had - had_same + PSEUDO) / ((due - due_same) * scale + PSEUDO)
    return Kin(kin.one, kin.other, kin.strength, float(np.clip(lift / others, kin.same_brand, 100.0)))


def _names(fitting: Compatibility, traits: Traits) -> list[str]:
    """The path of each finest category."""
    names = [""] * (int(traits.categories.max(initial=-1)) + 1)
    codes, first = np.unique(traits.categories, return_index=True)
    for code, item in zip(codes.tolist(), first.tolist(), strict=True):
        if code >= 0:
            own = fitting.categories.sets[fitting.categories.codes_N[item]]
            names[code] = max(own, key=lambda path: (path.count("."), path))
    return names


def _under(path: str, names: Sequence[str]) -> Bools:
    return np.array([name == path or name.startswith(f"{path}.") for name in names], bool)


def _counts(keys: Ints, counts: Floats, wanted: Ints) -> Floats:
    """Counts by ascending key, 0 for a wanted one that is not there."""
    if not len(keys):
        return np.zeros(len(wanted))
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0.0)


def _support(counts: Floats, expected: Floats) -> float:
    """The k under which counts are likeliest, if each rate is expected times a gamma variable of mean 1 and shape k."""
    asked = expected > 0
    counts, expected = counts[asked], expected[asked]
    if not len(counts):
        return float(PSEUDO)
    worth = [
        float(
            (
                special.gammaln(counts + k)
                - special.gammaln(k)
                + k * np.log(k / (k + expected))
                + counts * np.log(expected / (k + expected))
            ).sum()
        )
        for k in SUPPORTS
    ]
    return float(SUPPORTS[int(np.argmax(worth))])
