"""Sizes of arms: chi-square and the sequential test against published and hand-made figures."""

import numpy as np
import pytest

from training.experiments.sample_ratio import log_odds, mismatch, sequential_mismatch


def test_the_textbooks_mismatch_is_found() -> None:
    """Kohavi, Tang and Xu (2020, chapter 3): 821,588 against 815,482 where halves were asked for, p = 1.8e-6."""
    assert mismatch([821_588, 815_482], [0.5, 0.5]) == pytest.approx(1.8e-6, rel=0.05)
    assert mismatch([500, 500], [0.5, 0.5]) == 1


def test_odds_by_hand() -> None:
    """Against a uniform prior one subject says nothing: 1/2 / (1/2) = 1. Two of one arm: (1/3) / (1/4) = 4/3."""
    found = log_odds(np.array([[1, 0], [2, 0]]), np.array([0.5, 0.5]), concentration=2)
    assert np.exp(found) == pytest.approx([1, 4 / 3])


def test_the_sequential_p_value_only_falls() -> None:
    """Two of one arm, then two of the other: the first look stands, p = 3/4."""
    found = sequential_mismatch(np.array([[2, 0], [2, 2]]), np.array([0.5, 0.5]), concentration=2)
    assert found == pytest.approx([0.75, 0.75])


def test_a_mismatch_is_found_and_none_is_invented() -> None:
    rng = np.random.default_rng(5)
    days, runs = 30, 300
    for share, least, most in ((0.48, 0.95, 1.0), (0.5, 0.0, 0.01)):
        first = rng.binomial(2000, share, (runs, days)).cumsum(1)
        total = np.arange(1, days + 1) * 2000
        counts = np.stack([first, total - first], -1)
        found = np.mean([sequential_mismatch(each, np.array([0.5, 0.5]))[-1] < 0.001 for each in counts])
        assert least <= found <= most
