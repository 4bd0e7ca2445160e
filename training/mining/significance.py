"""Significance of pair counts: expected counts estimated from the log itself, p-values and false-discovery control.

Large baskets, and shoppers who stay in one department, raise all co-occurrence counts without relating any two items.
So a pair is tested against the *background*: the rate at which items of its two departments follow each other in this
log, proportional to both items' counts. The only hand-set parameter is the false discovery rate (Benjamini and
Hochberg, 1995). Shapes: N items, P pairs, D departments, C categories.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.mining.counting import Bools, Floats, Ints, Pairs


def background(pairs: Pairs, counts_N: Ints, *, departments_N: Ints, categories_N: Ints) -> Floats:
    """Expected count of each cross-category pair, float64 [P]: its departments' rate times both items' counts."""
    factor_DD = department_rates(pairs, counts_N, departments_N=departments_N, categories_N=categories_N)
    ours, theirs = departments_N[pairs.anchors], departments_N[pairs.items]
    expected: Floats = factor_DD[ours, theirs] * counts_N[pairs.anchors] * counts_N[pairs.items]
    return expected


def department_rates(pairs: Pairs, counts_N: Ints, *, departments_N: Ints, categories_N: Ints) -> Floats:
    """Expected count of a cross-category pair per unit product of its items' counts, float64 [D, D].

    The rate of two departments is the sum of their pairs' counts over the sum of the products of the items' counts,
    pairs within one category excluded from both.

    Args:
        pairs: of different categories only.
        counts_N: sessions that hold each item.
        departments_N: each item's department, from 0.
        categories_N: each item's category, -1 where unknown; a category lies in one department.
    """
    size = int(departments_N.max(initial=0)) + 1
    mass_D = np.bincount(departments_N, weights=counts_N, minlength=size)
    products_DD = np.outer(mass_D, mass_D)
    known = categories_N >= 0
    mass_C = np.bincount(categories_N[known], weights=counts_N[known])
    department_C = np.zeros(len(mass_C), np.int64)
    department_C[categories_N[known]] = departments_N[known]
    alone_D = np.bincount(department_C, weights=mass_C**2, minlength=size).astype(float)
    # an item without a category forms its own
    alone_D += np.bincount(departments_N[~known], weights=counts_N[~known].astype(float) ** 2, minlength=size)
    products_DD[np.arange(size), np.arange(size)] -= alone_D
    sums_DD = np.zeros((size, size))
    ours, theirs = departments_N[pairs.anchors], departments_N[pairs.items]
    np.add.at(sums_DD, (ours, theirs), pairs.counts)
    factor_DD: Floats = sums_DD / np.maximum(products_DD, 1)
    return factor_DD


def chance_of_meeting(sizes: Ints, counts_N: Ints) -> float:
    """Expected count of a pair in one session, per unit product of the two items' counts.

    All ordered pairs in sessions of these ``sizes``, over the sum of the products of all items' counts.
    """
    counts = counts_N.astype(float)
    products = float(counts.sum() ** 2 - (counts**2).sum())
    return float((sizes * (sizes - 1)).sum() / products) if products else 0.0


def surprise(counts: Ints, expected: Floats) -> Floats:
    """Upper-tail p-value of each count under a Poisson distribution with the expected mean."""
    probabilities: Floats = stats.poisson.sf(counts - 1, expected)
    return probabilities


def discoveries(probabilities: Floats, *, tests: int, false_share: float) -> Bools:
    """Mask of the significant tests at false discovery rate ``false_share`` (Benjamini and Hochberg).

    Args:
        probabilities: p-values of the candidate tests; all other tests count as p = 1.
        tests: number of tests in all.
    """
    order = np.argsort(probabilities, kind="stable")
    bounds = false_share * np.arange(1, len(order) + 1) / max(tests, 1)
    below = np.flatnonzero(probabilities[order] <= bounds)
    return probabilities <= (probabilities[order[below[-1]]] if len(below) else -1.0)


def lower_bound(counts: npt.NDArray[np.floating], trials: npt.NDArray[np.floating]) -> Floats:
    """Wilson lower confidence bound (one-sided, 95 %) of ``counts / trials``: shrinks shares of few trials."""
    z = 1.6448536269514722
    trials = np.maximum(trials, counts)
    share = counts / trials
    middle = share + z**2 / (2 * trials)
    wide = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    bound: Floats = np.maximum((middle - wide) / (1 + z**2 / trials), 0.0)
    return bound
