"""Kin: categories that go together, by hand."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tests.training.mining.test_backing import CATALOGUE, EVIDENCE, RULE, TRAITS, acts, pairs
from training.mining.compatibility import Compatibility
from training.mining.kin import kin_of
from training.mining.traits import Traits


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


def test_what_hardly_one_anchor_in_a_hundred_takes_along_makes_no_kin() -> None:
    """Of 5,000 phones 40 brought one of 50 toys: a hundred times what chance gives, and nothing to sell."""
    traits, fitting = shop("shop.phone", "shop.case", "shop.toy", "shop.book")
    followed, taken = pairs((0, 1, 450), (0, 2, 40)), acts(5000, 500, 50, 30_000)
    found = kin_of(followed, taken, traits, fitting, fits=np.ones(2, bool), evidence=EVIDENCE)
    assert [(kin.one, kin.other) for kin in found] == [("shop.phone", "shop.case")]


def test_two_that_meet_more_than_their_departments_but_less_than_any_two_are_of_one_season() -> None:
    """Fans and sun creams: in 60 sessions, where departments so far apart have 19, and any two of the shop 106."""
    traits, fitting = shop("home.fan", "home.heater", "beauty.sun", "beauty.soap")
    followed = pairs((0, 1, 600), (2, 3, 600), (0, 2, 60), (0, 3, 5), (1, 2, 5), (1, 3, 5))
    taken = acts(1000, 1000, 1000, 1000)
    found = kin_of(followed, taken, traits, fitting, fits=np.ones(6, bool), evidence=EVIDENCE)
    assert sorted((kin.one, kin.other) for kin in found) == [("beauty.sun", "beauty.soap"), ("home.fan", "home.heater")]


def shop(*categories: str) -> tuple[Traits, Compatibility]:
    """A shop of one item of each category, without rules."""
    tokens = [[f"category={name.partition('.')[0]}", f"category={name}"] for name in categories]
    catalogue = make_catalogue(make_sessions([]), trained=len(tokens), tokens=tokens)
    return Traits.of(catalogue), Compatibility.of([], catalogue)
