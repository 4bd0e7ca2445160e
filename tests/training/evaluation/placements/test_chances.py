"""Curves of sources: the fit by its defining equations, and questions that a tiny log can and cannot ask."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from training.evaluation.placements.chances import LEANING, LEAST_QUESTIONS, fit_curve
from training.evaluation.placements.questions import ask_sessions


def test_a_curve_meets_the_share_of_hits_at_each_strength() -> None:
    """1,000 of 10,000 rows of strength .1 are hits, odds of 1/9, and 3,333 of 10,000 of strength .5, odds of 1/2.

    So the slope is log(9 / 2) / log(5) = .9345 and the level log(1 / 2) + .9345 * log 2 = -.0454, but for the prior.
    """
    strengths = np.repeat([0.1, 0.5], 10_000)
    hits = np.concatenate([np.arange(10_000) < 1000, np.arange(10_000) < 3333])
    level, slope = fit_curve(strengths, hits)
    assert (level, slope) == pytest.approx((-0.0454, 0.9345), abs=0.01)


def test_without_evidence_a_curve_is_that_of_all_relations() -> None:
    """One row moves the level by less than a tenth of what it may differ."""
    around = (-2.0, 0.8)
    level, slope = fit_curve(np.array([0.2]), np.array([False]), around=around)
    assert level == pytest.approx(around[0], abs=LEANING[0] / 10)
    assert slope == pytest.approx(around[1], abs=LEANING[1] / 10)


def test_much_evidence_outweighs_the_curve_of_all_relations() -> None:
    strengths, hits = np.full(20_000, 0.2), np.arange(20_000) % 2 == 0
    level, slope = fit_curve(strengths, hits, around=(-2.0, 0.8))
    assert level + slope * np.log(0.2) == pytest.approx(0.0, abs=0.01)


def test_some_questions_are_evenly_spaced() -> None:
    sessions = make_sessions([[(number, "cart"), (number + 1, "purchase")] for number in range(40)])
    questions = ask_sessions(sessions, taken=[1, 2], asked=1, at_cart=True)
    assert len(questions) == 40 > LEAST_QUESTIONS
    assert questions.some(100) is questions
    some = questions.some(10)
    assert some.sessions_Q.tolist() == list(range(0, 40, 4))
    assert [cart.tolist() for cart in some.carts] == [[number] for number in range(0, 40, 4)]
