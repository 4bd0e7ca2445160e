"""Lifts of categories from counts: how often something of one is taken with, or after, one of another, over chance.

By chance a category follows another in proportion to how often both are taken. First the two departments speak, then
the two categories, each by a gamma-Poisson posterior whose support is learned from all pairs
(``training.mining.shrinking``). Where a rule of the shop says that two go together that counts as a few sessions.

Shapes: N items, F finest categories, D departments, P paths.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tillside.fitting.rules import MAKES, Rule
from tillside.relations.lifts import MOST_LOG, NO_LIFTS, Lifts
from training.mining.counting import Acts, Bools, Floats, Ints, Pairs
from training.mining.shrinking import support

MOST: Final = 1000
"""Categories that have lifts of their own, those that are taken most; the others have their department's."""
PSEUDO: Final = 10.0
"""Pseudo-sessions of a rule."""


def lifts_of(
    followed: Pairs, taken: Acts, categories_N: Ints, *, names: Sequence[str], rules: Sequence[Rule] = ()
) -> Lifts:
    """Lifts of the categories, and of their departments for those that are not among them.

    Args:
        followed: see ``counting.followed``.
        categories_N: finest category of each item, -1 where unknown.
        names: path of each, F.
        rules: those that make complements count.
    """
    taken_N = taken.recent_N / taken.unit
    has = categories_N >= 0
    taken_F = np.bincount(categories_N[has], weights=taken_N[has], minlength=len(names))
    if not taken_F.any():
        return NO_LIFTS
    most = np.sort(np.argsort(-taken_F, kind="stable")[:MOST])
    paths = [names[code] for code in most]
    departments, of_F = np.unique([path.partition(".")[0] for path in paths], return_inverse=True)
    place_N = np.searchsorted(most, categories_N).clip(max=len(most) - 1)
    place_N = np.where(has & (most[place_N] == categories_N), place_N, -1)
    counts_FF, expected_FF = _counted(followed, taken_N, taken.unit, place_N, size=len(paths))
    for rule in rules:
        if rule.makes == MAKES[0]:
            rows, columns = (under(side.category, paths) for side in (rule.one, rule.other))
            _assume(rule, counts_FF, expected_FF, rows, columns, worth_F=taken_F[most] + 1)
    size = len(departments)
    counts_DD, expected_DD = np.zeros((size, size)), np.zeros((size, size))
    np.add.at(counts_DD, (of_F[:, None], of_F[None]), counts_FF)
    np.add.at(expected_DD, (of_F[:, None], of_F[None]), expected_FF)
    lifts_DD = _posterior(counts_DD, expected_DD)
    lifts_FF = lifts_DD[of_F[:, None], of_F[None]]
    lifts_FF = lifts_FF * _posterior(counts_FF, expected_FF * lifts_FF)
    more = [place for place, name in enumerate(departments.tolist()) if name not in set(paths)]
    of_P = np.concatenate([of_F, np.array(more, np.int64)])
    lifts_PP = lifts_DD[of_P[:, None], of_P[None]]
    lifts_PP[: len(paths), : len(paths)] = lifts_FF
    logs_PP = np.log(lifts_PP).clip(-MOST_LOG, MOST_LOG).astype(np.float32)
    return Lifts((*paths, *(str(departments[place]) for place in more)), logs_PP)


def _counted(followed: Pairs, taken_N: Floats, unit: float, place_N: Ints, *, size: int) -> tuple[Floats, Floats]:
    """Sessions that hold each pair of categories, and as many as chance would have, of pairs of different items."""
    counts_FF = np.zeros((size, size))
    rows, columns = place_N[followed.anchors], place_N[followed.items]
    known = (rows >= 0) & (columns >= 0)
    np.add.at(counts_FF, (rows[known], columns[known]), followed.recent[known] / unit)
    inside = place_N >= 0
    taken_F, squares_F = (
        np.bincount(place_N[inside], weights=weights[inside], minlength=size) for weights in (taken_N, taken_N**2)
    )
    products_FF = np.outer(taken_F, taken_F)
    products_FF[np.diag_indices(size)] -= squares_F
    products_FF = products_FF.clip(min=0)
    total = products_FF.sum()
    return counts_FF, products_FF * (counts_FF.sum() / total if total else 0.0)


def _assume(
    rule: Rule, counts_FF: Floats, expected_FF: Floats, rows: Bools, columns: Bools, *, worth_F: Floats
) -> None:
    """Add a rule's pseudo-sessions, shared out over the categories below its sides."""
    of_one, of_other = worth_F * rows, worth_F * columns
    if not of_one.any() or not of_other.any():
        return
    among_FF = np.outer(of_one / of_one.sum(), of_other / of_other.sum())
    chance = counts_FF.sum() / max(worth_F.sum(), 1.0) * of_other.sum() / worth_F.sum()
    counts_FF += PSEUDO * rule.strength * among_FF
    expected_FF += PSEUDO * chance * among_FF


def _posterior(counts: Floats, expected: Floats) -> Floats:
    """Lifts of counts over what was expected; 1 where neither says anything."""
    trust = support(counts.ravel(), expected.ravel())
    found: Floats = (counts + trust) / (expected + trust)
    return found


def under(path: str, names: Sequence[str]) -> Bools:
    """Which categories are one of this path, or lie below it."""
    return np.array([name == path or name.startswith(f"{path}.") for name in names], bool)
