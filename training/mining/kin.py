"""Kin: categories that go together, and how much brands matter to them.

Two categories are kin if a rule says so, or if they are taken together significantly more often than their departments.
Shapes: P pairs, F finest categories, K pairs of them, D departments, N items.
"""

from typing import Final

import numpy as np

from tillside.fitting.kinship import shared_out
from tillside.fitting.rules import MAKES, Kin
from training.mining.compatibility import Compatibility
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.lifts import under
from training.mining.pairing import Evidence
from training.mining.significance import department_rates, discoveries, lower_bound, surprise
from training.mining.traits import Traits

PSEUDO: Final = 10.0
"""Pseudo-sessions of a rule's own strength, and pseudo-counts that brands do not matter."""
FAINTEST: Final = 1e-6
FAINTEST_KIN: Final = 0.05
"""A kin must be this strong, as a share of the category's strongest."""
LEAST_KIN: Final = 0.01
"""A kin that is not a rule's must be this strong: what not one anchor in a hundred takes along is nothing to sell."""
LEAST_LIFT: Final = 2.0
"""And its categories must meet so many times as often as any two of the shop: two that hardly meet anything outside
their departments may meet each other significantly more, and are of one season."""


def kin_of(
    followed: Pairs, taken: Acts, traits: Traits, fitting: Compatibility, *, fits: Bools, evidence: Evidence
) -> list[Kin]:
    """Categories that go together: those of the rules first, then those that the log shows.

    Args:
        followed: pairs of different categories, see ``counting.followed``.
        fits: whether each of these pairs is compatible, bool [P].
    """
    names = names_of(fitting, traits)
    size, codes_N = len(names), traits.categories
    ours, theirs = codes_N[followed.anchors], codes_N[followed.items]
    known = (ours >= 0) & (theirs >= 0)
    has = codes_N >= 0
    trials_F = np.bincount(codes_N[has], weights=taken.recent_N[has], minlength=size)
    found: list[Kin] = []
    told_FF = np.zeros((size, size), bool)
    for rule in fitting.rules:
        if rule.makes == MAKES[0]:
            one, other = (under(side.category, names) for side in (rule.one, rule.other))
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
        within_F = under(each.one, names)
        best_F[within_F] = np.maximum(best_F[within_F], each.strength)
    rate = counts.sum() / max(mass_F.sum() ** 2 - (mass_F**2).sum(), 1.0)
    believed &= counts >= LEAST_LIFT * rate * mass_F[one_K] * mass_F[other_K]
    believed &= strengths >= np.maximum(LEAST_KIN, FAINTEST_KIN * best_F[one_K])
    found += [
        Kin(names[one_K[row]], names[other_K[row]], min(1.0, float(strengths[row])))
        for row in np.flatnonzero(believed).tolist()
    ]
    return found


def groups_of(kin: Kin, fitting: Compatibility) -> list[tuple[Ints, Ints]]:
    """The anchors of a kin that no rule and no brand tells apart, and the members of the other category."""
    one, members = (
        np.flatnonzero(fitting.categories.having((path,))[fitting.categories.codes_N]) for path in (kin.one, kin.other)
    )
    alike = fitting.matching.classes_N[one] * (len(fitting.brands.sets) + 1) + fitting.brands.codes_N[one]
    order = np.argsort(alike, kind="stable")
    groups = np.split(one[order], np.flatnonzero(np.diff(alike[order])) + 1)
    return [(group, members) for group in groups if len(group) and len(members)]


def with_brands(kin: Kin, followed: Pairs, taken: Acts, fitting: Compatibility, worth_N: Floats) -> Kin:
    """The kin with how many times as often an item of the anchor's own brand is taken, as far as the log tells."""
    brands = fitting.brands.codes_N
    plain = Kin(kin.one, kin.other, kin.strength)
    due_same = due = 0.0
    for group, members in groups_of(plain, fitting):
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


def names_of(fitting: Compatibility, traits: Traits) -> list[str]:
    """The path of each finest category."""
    names = [""] * (int(traits.categories.max(initial=-1)) + 1)
    codes, first = np.unique(traits.categories, return_index=True)
    for code, item in zip(codes.tolist(), first.tolist(), strict=True):
        if code >= 0:
            own = fitting.categories.sets[fitting.categories.codes_N[item]]
            names[code] = max(own, key=lambda path: (path.count("."), path))
    return names
