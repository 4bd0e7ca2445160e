"""Chance, by hand."""

import numpy as np
import pytest

from training.mining.counting import Pairs
from training.mining.significance import background, chance_of_meeting, discoveries, lower_bound, surprise


def pairs(*rows: tuple[int, int, int]) -> Pairs:
    anchors, items, counts = np.array(rows, np.int64).reshape(-1, 3).T
    return Pairs(anchors, items, counts, counts.astype(float))


def test_the_background_is_the_rate_of_the_departments():
    counts = np.array([10, 20, 5, 5])
    found = pairs((0, 2, 6), (3, 1, 3))
    # 40² - 30² - 10² = 600 ways between the two categories, 9 seen: 0.015 each
    one = background(found, counts, departments_N=np.zeros(4, int), categories_N=np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(one, [0.015 * 10 * 5, 0.015 * 5 * 20])
    # of two departments: 30 * 10 = 300 ways there with 6 seen, and 300 back with 3
    two = background(found, counts, departments_N=np.array([0, 0, 1, 1]), categories_N=np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(two, [6 / 300 * 50, 3 / 300 * 100])


def test_an_item_without_a_category_is_of_another_one_than_all_others():
    # 40² - 10² - 20² - 5² - 5² = 1050 ways
    found = background(
        pairs((0, 1, 7)), np.array([10, 20, 5, 5]), departments_N=np.zeros(4, int), categories_N=np.full(4, -1)
    )
    np.testing.assert_allclose(found, [7 / 1050 * 200])


def test_chance_of_meeting_is_all_pairs_over_all_products():
    # a session of 3 holds 6 directed pairs, a session of 1 none; (1 + 1 + 2)² - 1 - 1 - 4 = 10
    assert chance_of_meeting(np.array([3, 1]), np.array([1, 1, 2])) == pytest.approx(0.6)
    assert chance_of_meeting(np.zeros(0, int), np.zeros(3, int)) == 0


def test_surprise_is_the_upper_tail_of_a_poisson():
    # P(X >= 1) = 1 - e^-0.5; P(X >= 2) = 1 - e^-0.5 * 1.5
    np.testing.assert_allclose(
        surprise(np.array([0, 1, 2]), np.full(3, 0.5)), [1, 1 - np.exp(-0.5), 1 - 1.5 * np.exp(-0.5)]
    )


def test_benjamini_and_hochberg_by_hand():
    probabilities = np.array([0.5, 0.02, 0.01, 0.03])
    assert discoveries(probabilities, tests=4, false_share=0.04).tolist() == [False, True, True, True]
    assert not discoveries(probabilities, tests=8, false_share=0.04).any()  # 0.01 > 0.04 / 8, 0.03 > 3 * 0.04 / 8
    assert discoveries(np.zeros(0), tests=0, false_share=0.1).tolist() == []


def test_chance_alone_is_hardly_ever_believed():
    rng = np.random.default_rng(0)
    expected = rng.exponential(2.0, 200_000)
    believed = discoveries(surprise(rng.poisson(expected), expected), tests=200_000, false_share=0.01)
    assert believed.sum() <= 2


def test_two_of_two_tell_less_than_five_hundred_of_a_thousand():
    # z² = 2.70554: 2 of 2 has 1 / (1 + z²/2) = 0.42503
    np.testing.assert_allclose(lower_bound(np.array([2.0]), np.array([2.0])), [0.42503], atol=1e-5)
    small, large = lower_bound(np.array([2.0, 500.0]), np.array([2.0, 1000.0]))
    assert small < large < 0.5
    assert lower_bound(np.array([0.0]), np.array([5.0]))[0] == pytest.approx(0, abs=1e-12)
