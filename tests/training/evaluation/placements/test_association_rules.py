"""Association rules by hand: confidence, lift, the best rule of an item, and what a cart sets off."""

import numpy as np
import pytest

from tests.datasets import make_dataset
from training.evaluation.placements.association_rules import AssociationRules

COUNTED = {(0,): 8, (1,): 4, (2,): 5, (3,): 2, (0, 1): 4, (0, 2): 3, (1, 2): 2, (0, 1, 2): 2, (2, 3): 2}
"""Of 10 sessions."""


@pytest.fixture
def rules() -> AssociationRules:
    return AssociationRules.of(COUNTED, sessions=10, items=5)


def suggested(rules, cart):
    items, confidences = rules.suggest(np.array(cart, np.int64))
    return dict(zip(items.tolist(), confidences.tolist(), strict=True))


def test_a_cart_of_one_item_sets_off_the_pairs(rules):
    # 0 -> 1: 4 of 8; 0 -> 2: 3 of 8
    assert suggested(rules, [0]) == {1: 4 / 8, 2: 3 / 8}
    assert list(suggested(rules, [0])) == [1, 2]
    # 1 -> 0: all 4 of 4; 1 -> 2: 2 of 4
    assert suggested(rules, [1]) == {0: 1.0, 2: 0.5}


def test_an_item_is_worth_its_most_confident_rule_and_what_is_in_the_cart_is_left_out(rules):
    # 2 follows from 0 (3/8), from 1 (2/4) and from both (2 of the 4 with both)
    assert suggested(rules, [1, 0]) == {2: 0.5}
    # 0 from 2 alone: 3/5; from 1 and 2: 2 of 2. 3 from 2: 2/5
    assert suggested(rules, [2, 1]) == {0: 1.0, 3: 2 / 5}


def test_level_rules_are_ordered_by_lift_and_then_by_number():
    # all four follow from 0 half of the time; 3 is the rarest, then 4; 1 and 2 are level in all
    counted = {(0,): 4, (1,): 4, (2,): 4, (3,): 2, (4,): 3, (0, 1): 2, (0, 2): 2, (0, 3): 2, (0, 4): 2}
    rules = AssociationRules.of(counted, sessions=8, items=5)
    assert list(suggested(rules, [0])) == [3, 4, 1, 2]


def test_a_cart_that_no_rule_knows_gets_nothing(rules):
    assert suggested(rules, []) == suggested(rules, [4]) == {}
    assert suggested(AssociationRules.of({}, sessions=0, items=2), [1]) == {}


def test_rules_are_mined_from_what_came_before_the_test_part(tmp_path):
    pair, other = [(0, "cart"), (1, "purchase")], [(2, "purchase"), (3, "purchase")]
    train = [pair, pair, [(0, "purchase")], [0, 4]]  # a click takes nothing
    dataset = make_dataset(tmp_path / "d", train=train, validation=[pair], test=[other] * 9, trained=5)
    rules = AssociationRules.fit(dataset, taken=[1, 2])
    assert suggested(rules, [0]) == {1: 3 / 4}
    assert suggested(rules, [1]) == {0: 1.0}
    assert suggested(rules, [2]) == suggested(rules, [4]) == {}
