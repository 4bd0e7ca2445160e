"""Plans: the size that a textbook gives, and the smallest effect of each length."""

import math

import numpy as np
import pytest

from tillside.experiments.terms import Arm, Experiment, Reading, Slice
from training.experiments.planning import Plan, chosen, needed, plan
from training.experiments.statistics import Moments


def test_the_textbooks_size() -> None:
    """Kohavi et al. (2009, section 3.2): a conversion of 5 % and a change of 5 % of it need 16 s^2 / d^2 =
    16 * .05 * .95 / .0025^2 = 121,600 users a variant; 16 is 2 (1.96 + .8416)^2 = 15.698 rounded up: 119,303."""
    found = needed(0.05, math.sqrt(0.05 * 0.95), effect=0.05)
    assert found == pytest.approx(15.698 / 16 * 121_600, rel=1e-3)
    assert found < 121_600


def test_a_length_finds_what_its_subjects_allow() -> None:
    """Mean 1, deviation 1, halves of 31,396 subjects: 2 * 15.698 / 2 (s / d)^2 = 15,698 each at d = 1/sqrt(1000)."""
    values = np.tile([0.0, 2.0], 15_698)
    read = Reading(goal="revenue", cuped=False)
    experiment = Experiment(arms={"a": Arm(share=0.5), "b": Arm(share=0.5)}, read=read)
    [found] = plan(experiment, {2: Moments.of({"revenue": values})})
    assert (found.weeks, found.subjects) == (2, 31_396)
    assert found.smallest == pytest.approx(1 / math.sqrt(1000), rel=1e-3)


def test_a_slice_and_a_holdout_cost_subjects() -> None:
    values = np.tile([0.0, 2.0], 10_000)
    whole = Experiment(arms={"a": Arm(share=0.5), "b": Arm(share=0.5)}, read=Reading(cuped=False))
    part = Experiment(arms=whole.arms, slice=Slice(low=0, high=0.25), read=whole.read)
    [wide], [narrow] = (plan(each, {1: Moments.of({"revenue": values})}) for each in (whole, part))
    assert narrow.subjects == wide.subjects / 4
    assert narrow.smallest == pytest.approx(2 * wide.smallest, rel=1e-3)
    [held] = plan(whole, {1: Moments.of({"revenue": values})}, held=0.1)
    assert held.subjects == 18_000


def test_the_shortest_that_is_enough_is_chosen() -> None:
    plans = [Plan(1, 10, 0.05), Plan(2, 18, 0.03), Plan(3, 25, 0.02)]
    assert chosen(plans, 0.03) == plans[1]
    assert chosen(plans, 0.01) is None
    assert chosen([Plan(1, 0, math.nan)], 0.5) is None
