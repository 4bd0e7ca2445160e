"""What chance alone would give, measured on the log itself, and which counts are too large for it.

Shoppers who take much take everything together more often, and so do those who keep to one department; neither says
that two items belong together. So a pair is held against the *background*: how often two items of these two departments
follow one another in this log, in proportion to how often each is taken. Nothing here is set by hand but the share of
false discoveries (Benjamini and Hochberg, 1995). Shapes: N items, P pairs, D departments.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.mining.counting import Bools, Floats, Ints, Pairs


def background(pairs: Pairs, counts_N: Ints, *, departments_N: Ints, categories_N: Ints) -> Floats:
    """The count expected of each pair of two categories [P].

    The factor of two departments is the sum of all their pairs' counts over the sum of the products of the items'
    counts, pairs within one category left out of both.

    Args:
        pairs: of different categories only.
        counts_N: sessions that hold each item.
        departments_N: number of each item's department, from 0.
        categories_N: number of each item's category, -1 where it is unknown; a category lies in one department.
    """
    size = int(departments_N.max(initial=0)) + 1
    mass_D = np.bincount(departments_N, weights=counts_N, minlength=size)
    products_DD = np.outer(mass_D, mass_D)
    known = categories_N >= 0
    mass_C = np.bincount(categories_N[known], weights=counts_N[known])
    department_C = np.zeros(len(mass_C), np.int64)
    department_C[categories_N[known]] = departments_N[known]
    alone_D = np.bincount(department_C, weights=mass_C**2, minlength=size).astype(float)
    # an item of no category is in one with itself only
    alone_D += np.bincount(departments_N[~known], weights=counts_N[~known].astype(float) ** 2, minlength=size)
    products_DD[np.arange(size), np.arange(size)] -= alone_D
    sums_DD = np.zeros((size, size))
    ours, theirs = departments_N[pairs.anchors], departments_N[pairs.items]
    np.add.at(sums_DD, (ours, theirs), pairs.counts)
    factor_DD = sums_DD / np.maximum(products_DD, 1)
    expected: Floats = factor_DD[ours, theirs] * counts_N[pairs.anchors] * counts_N[pairs.items]
    return expected


def chance_of_meeting(sizes: Ints, counts_N: Ints) -> float:
    """The count expected of a pair of any two items in one session, for items that one session each holds.

    All pairs that sessions of these ``sizes`` hold, over the products of all items' counts.
    """
    counts = counts_N.astype(float)
    products = float(counts.sum() ** 2 - (counts**2).sum())
    return float((sizes * (sizes - 1)).sum() / products) if products else 0.0


def surprise(counts: Ints, expected: Floats) -> Floats:
    """The probability of a count this large or larger where it is Poisson with the expected mean."""
    probabilities: Floats = stats.poisson.sf(counts - 1, expected)
    return probabilities


def discoveries(probabilities: Floats, *, tests: int, false_share: float) -> Bools:
    """Which tests to believe so that at most ``false_share`` of those are wrong (Benjamini and Hochberg).

    Args:
        probabilities: of the tests that could be believed; all others count with a probability of 1.
        tests: how many were made in all.
    """
    order = np.argsort(probabilities, kind="stable")
    bounds = false_share * np.arange(1, len(order) + 1) / max(tests, 1)
    below = np.flatnonzero(probabilities[order] <= bounds)
    return probabilities <= (probabilities[order[below[-1]]] if len(below) else -1.0)


def lower_bound(counts: npt.NDArray[np.floating], trials: npt.NDArray[np.floating]) -> Floats:
    """Wilson's lower bound (one-sided, 95 %) of a share: 2 of 2 tell less than 500 of 1000."""
    z = 1.6448536269514722
    trials = np.maximum(trials, counts)
    share = counts / trials
    middle = share + z**2 / (2 * trials)
    wide = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    bound: Floats = np.maximum((middle - wide) / (1 + z**2 / trials), 0.0)
    return bound
