"""Rates of pairs after the log has spoken: by hand, and on counts whose spread is known."""

import numpy as np
import pytest

from training.mining.counting import Pairs
from training.mining.shrinking import UNLEARNED, Considered, counts_of, shrunk, support

NO_PAIRS = Pairs(*[np.zeros(0, np.int64)] * 3, np.zeros(0))


def pairs(*rows: tuple[int, int, float]) -> Pairs:
    anchors, items, recent = np.array(sorted(rows), float).reshape(-1, 3).T
    return Pairs(anchors.astype(int), items.astype(int), np.ceil(recent).astype(int), recent)


def considered(anchors: list[int], items: list[int], *, trials: list[float], unit: float = 1.0) -> Considered:
    """Items 0 and 1 are one series; all pairs are of kin 0."""
    series_N = np.array([0, 0, 1, 2, 3])
    return Considered(np.array(anchors), np.array(items), np.zeros(len(items), int), series_N, np.array(trials), unit)


def test_the_rest_of_the_series_speaks_first_then_the_pair_itself() -> None:
    """Phone 0 was taken 20 times and 6 of these brought case 3, phone 1 10 times and 5 did; .2 was expected.

    For phone 0 the series says (5 + k) / (2 + k), as 10 times .2 is 2; of the pair itself .2 times 20 times that
    were expected.
    """
    given = considered([0, 0, 1, 1], [3, 4, 3, 4], trials=[20, 10, 0, 0, 0])
    rates, at_most, (k, own_k) = shrunk(np.full(4, 0.2), given, pairs((0, 3, 6), (1, 3, 5)))
    more = (5 + k) / (2 + k)
    assert rates[0] == pytest.approx(0.2 * more * (6 + own_k) / (4 * more + own_k))
    less = k / (2 + k)
    assert rates[1] == pytest.approx(0.2 * less * own_k / (4 * less + own_k))
    # each is the mean of a gamma variable of shape 6 + k and k; 95 % of it lie below the bound
    drawn = np.random.default_rng(0).gamma(6 + own_k, rates[0] / (6 + own_k), 200_000)
    assert (drawn < at_most[0]).mean() == pytest.approx(0.95, abs=0.002)
    assert at_most[1] > rates[1]


def test_decayed_counts_are_worth_as_much_as_the_sessions_behind_them() -> None:
    """Each session weighs a half: half the counts of half the trials tell what the whole ones do."""
    anchors, items = [0, 0, 1, 1], [3, 4, 3, 4]
    whole = shrunk(np.full(4, 0.2), considered(anchors, items, trials=[20, 10, 0, 0, 0]), pairs((0, 3, 6), (1, 3, 5)))
    half = considered(anchors, items, trials=[10, 5, 0, 0, 0], unit=0.5)
    rates, _, ks = shrunk(np.full(4, 0.2), half, pairs((0, 3, 3), (1, 3, 2.5)))
    assert ks == whole.supports
    assert rates == pytest.approx(whole.rates)


def test_looks_say_which_items_of_a_kin_are_meant_not_how_often_the_kin_is_taken() -> None:
    """A hundred looks at case 3 and as many at case 4, where one was to be taken: as they are even, nothing changes."""
    given = considered([0, 0], [3, 4], trials=[10, 0, 0, 0, 0])
    even, *_ = shrunk(np.array([0.05, 0.05]), given, pairs((0, 3, 100), (0, 4, 100)), by_kin=True)
    assert even == pytest.approx([0.05, 0.05])
    one, *_ = shrunk(np.array([0.05, 0.05]), given, pairs((0, 3, 200)), by_kin=True)
    assert one[0] > 0.05 > one[1]


def test_without_evidence_rates_stay() -> None:
    given = considered([0, 0], [3, 4], trials=[0, 0, 0, 0, 0])
    rates, _, ks = shrunk(np.array([0.1, 0.3]), given, NO_PAIRS, by_kin=True)
    assert rates.tolist() == [0.1, 0.3]
    assert ks == (UNLEARNED, UNLEARNED)


@pytest.mark.parametrize(("shape", "low", "high"), [(0.5, 0.3, 0.8), (20.0, 8.0, 50.0)])
def test_how_much_support_it_takes_is_learned(shape: float, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    expected = rng.uniform(0.1, 8, 6000)
    counts = rng.poisson(expected * rng.gamma(shape, 1 / shape, 6000)).astype(float)
    assert low < support(counts, expected) < high


def test_counts_of_what_is_not_there_are_zero() -> None:
    assert counts_of(np.array([2, 5]), np.array([1.0, 3.0]), np.array([5, 4, 9])).tolist() == [3, 0, 0]
