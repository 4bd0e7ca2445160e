"""Intervals by hand, and that they hold what they promise."""

import numpy as np
import pytest

from training.feedback.intervals import Moments, effective_size, ratio_interval, share_interval, surely, wilson, z_of


def moments(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return Moments(*(np.array([value]) for value in (len(x), x.sum(), y.sum(), x @ x, x @ y, y @ y)))


def test_the_variance_of_a_ratio_is_the_delta_methods_over_shoppers():
    """Shoppers saw 1, 1, 2 and clicked 1, 0, 1: the ratio is 2/4. Residuals y - x/2 are .5, -.5, 0, their squares sum
    to .5, and 3/2 * .5 / 4^2 = .046875."""
    told = moments([1, 1, 2], [1, 0, 1])
    assert told.ratio == pytest.approx(0.5)
    assert told.variance == pytest.approx(0.046875)
    low, high = ratio_interval(told, 2.0)
    assert (low[0], high[0]) == pytest.approx((0.5 - 2 * 0.046875**0.5, 0.5 + 2 * 0.046875**0.5))


def test_nothing_in_ten_has_wilsons_upper_end():
    """z^2 / (n + z^2) = 3.8415 / 13.8415."""
    low, high = wilson(np.array([0.0]), np.array([10.0]), z_of(0.95))
    assert (low[0], high[0]) == pytest.approx((0.0, 0.27753), abs=1e-5)


def test_ten_looks_of_one_shopper_are_one_trial_where_nobody_clicked():
    assert effective_size(moments([10, 10, 10], [0, 0, 0])) == pytest.approx(3)
    assert np.isnan(effective_size(moments([10], [0])))


def test_an_interval_of_a_share_that_comes_in_clusters_covers_it():
    """200 shoppers of 1 to 20 looks whose own rates differ: of 95 % intervals at least 92 % cover the truth."""
    draw, covered = np.random.default_rng(1), 0
    for _ in range(400):
        looks = draw.integers(1, 20, 200)
        low, high = share_interval(moments(looks, draw.binomial(looks, draw.beta(1, 9, 200))), z_of(0.95))
        covered += low[0] <= 0.1 <= high[0]
    assert covered / 400 >= 0.92


def test_of_many_hypotheses_those_are_kept_that_stay_under_the_line():
    """Sorted .001 .02 .03 .9 against .0125 .025 .0375 .05: three."""
    assert surely([0.9, 0.001, 0.03, 0.02], 0.05).tolist() == [False, True, True, True]
    assert surely([], 0.05).tolist() == []
