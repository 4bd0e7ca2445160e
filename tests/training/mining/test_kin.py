"""Kin: categories that go together, by hand."""

import numpy as np
import pytest

from tests.training.mining.test_backing import CATALOGUE, EVIDENCE, RULE, TRAITS, acts, pairs
from training.mining.compatibility import Compatibility
from training.mining.kin import kin_of


def test_a_rule_makes_kin_whatever_the_log_holds() -> None:
    """(6 + 10 * .5) / (20 + 10): of 20 phones 6 had a case that fits, the rule assumed half; the misfit is no case."""
    fitting = Compatibility.of([RULE], CATALOGUE)
    followed = pairs((0, 4, 6), (0, 6, 9))
    fits = fitting.fits(followed.anchors, followed.items)
    found = kin_of(followed, acts(20, 0, 0, 0, 6, 0, 9, 0, 0), TRAITS, fitting, fits=fits, evidence=EVIDENCE)
    assert [(kin.one, kin.other) for kin in found] == [("shop.phone", "shop.case")]
    assert found[0].strength == pytest.approx(11 / 30)


def test_without_rules_kin_are_what_meets_more_often_than_the_department_does() -> None:
    fitting = Compatibility.of([], CATALOGUE)
    followed = pairs((0, 4, 40), (1, 5, 40), (0, 8, 2), (4, 8, 2), (8, 0, 2))
    taken = acts(50, 50, 0, 0, 50, 50, 0, 0, 100)
    found = kin_of(followed, taken, TRAITS, fitting, fits=np.ones(5, bool), evidence=EVIDENCE)
    assert [(kin.one, kin.other) for kin in found] == [("shop.phone", "shop.case")]
