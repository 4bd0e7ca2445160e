"""Lifts of categories from counts, by hand."""

import math

import numpy as np
import pytest

from tests.training.mining.test_backing import acts, pairs
from tillside.fitting.rules import Rule, Side
from tillside.relations.lifts import NO_LIFTS, Lifts
from training.mining import lifts
from training.mining.lifts import PSEUDO, lifts_of
from training.mining.shrinking import support

NAMES = ["shop.phone", "shop.case", "home.fan"]
CATEGORIES = np.array([0, 0, 1, 2])


def lift(found: Lifts, one: str, other: str) -> float:
    return math.exp(found.logs_PP[found.paths.index(one), found.paths.index(other)])


def test_departments_speak_first_then_categories() -> None:
    """Of 20 phones, 20 cases and 20 fans 30 were taken with another one of them, a case with a phone 20 times.

    The products of counts are 200 for two phones, 0 for one case or fan with itself, and 400 each for the six other
    pairs, 2,600 in all; so chance would have had 30 / 2600 times 400, 4.615 of each. In the shop's department 28 were
    seen where 11.538 were expected, of 200 + 2 * 400; of a case with a phone 20.
    """
    followed = pairs((0, 2, 15), (1, 2, 5), (2, 0, 8), (0, 3, 1), (3, 2, 1))
    found = lifts_of(followed, acts(10, 10, 20, 20), CATEGORIES, names=NAMES)
    assert found.paths == (*NAMES, "home", "shop")
    each = 30 / 2600 * 400
    departments = np.array([[0, each], [0, 2.5 * each]]), np.array([[0, 1], [1, 28]])
    expected = np.array([[0, 2 * each], [2 * each, 2.5 * each]])
    trust = support(departments[1].ravel(), expected.ravel())
    shop, home = (28 + trust) / (2.5 * each + trust), (1 + trust) / (2 * each + trust)
    assert lift(found, "shop", "shop") == pytest.approx(shop, rel=1e-5)
    assert lift(found, "shop", "home") == pytest.approx(home, rel=1e-5)
    counts = np.array([[0, 20, 1], [8, 0, 0], [0, 1, 0]])
    chance = np.array([[each / 2 * shop, each * shop, each * home], [each * shop, 0, each * home]])
    chance = np.vstack([chance, [each * home, each * home, 0]])
    own = support(counts.ravel(), chance.ravel())
    assert lift(found, "shop.phone", "shop.case") == pytest.approx(shop * (20 + own) / (each * shop + own), rel=1e-5)
    assert lift(found, "shop.case", "home.fan") == pytest.approx(home * own / (each * home + own), rel=1e-5)
    assert lift(found, "shop.phone", "shop.case") > 2 > 0.5 > lift(found, "shop.case", "home.fan")


def test_decayed_counts_are_worth_as_much_as_the_sessions_behind_them() -> None:
    followed, taken = pairs((0, 2, 15), (2, 0, 8), (3, 2, 1)), acts(10, 10, 20, 20)
    whole = lifts_of(followed, taken, CATEGORIES, names=NAMES)
    half = lifts_of(
        type(followed)(followed.anchors, followed.items, followed.counts, followed.recent / 2),
        type(taken)(taken.table, taken.counts_N, taken.recent_N / 2, taken.alone_N, taken.sizes, 0.5),
        CATEGORIES,
        names=NAMES,
    )
    np.testing.assert_allclose(half.logs_PP, whole.logs_PP, rtol=1e-5)


def test_a_rule_counts_as_a_few_sessions() -> None:
    """Nobody took anything with a fan yet; a rule says that three in ten buyers of a phone take a fan."""
    rule = Rule("cooling", Side("shop.phone"), Side("home"), strength=0.3)
    followed, taken = pairs((0, 2, 15), (2, 0, 8)), acts(10, 10, 20, 5)
    plain = lifts_of(followed, taken, CATEGORIES, names=NAMES)
    ruled = lifts_of(followed, taken, CATEGORIES, names=NAMES, rules=[rule])
    assert PSEUDO * rule.strength == 3
    assert lift(ruled, "shop.phone", "home.fan") > 3 * lift(plain, "shop.phone", "home.fan")
    assert lift(ruled, "shop.phone", "home.fan") > 3 * lift(ruled, "home.fan", "shop.phone")  # no rule says that


def test_categories_beyond_the_most_taken_have_their_department_s(monkeypatch) -> None:
    monkeypatch.setattr(lifts, "MOST", 2)
    found = lifts_of(pairs((0, 2, 15), (2, 0, 8)), acts(10, 10, 20, 5), CATEGORIES, names=NAMES)
    assert found.paths == ("shop.phone", "shop.case", "shop")


def test_without_categories_nothing_is_known() -> None:
    assert lifts_of(pairs((0, 1, 5)), acts(5, 5), np.array([-1, -1]), names=[]) is NO_LIFTS
    assert lifts_of(pairs(), acts(0, 0), np.array([0, 0]), names=["shop"]) is NO_LIFTS
