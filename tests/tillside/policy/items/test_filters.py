"""A filter allows what meets all its conditions, by the feed before the catalogue, and says what no item has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shops import Item, Shop
from tillside.policy import ItemFacts
from tillside.policy.items.filters import Among, ItemFilter, groups_of

ITEMS = (
    Item("phone", price=500.0, category="tech.phone", brand="aster"),
    Item("phone-se", price=300.0, category="tech.phone", brand="bell"),
    Item("case", price=20.0, category="tech.case", brand="aster", attributes={"colour": "red"}),
    Item("film", price=None, category="tech.film"),
    Item("coat", price=180.0, category="fashion.coat", attributes={"colour": ["red", "blue"]}),
)


@pytest.fixture(scope="module")
def facts() -> ItemFacts:
    return Shop(ITEMS).facts()


def met(facts: ItemFacts, **conditions) -> list[str]:
    return [facts.item_ids[item] for item in ItemFilter(**conditions).among(facts).items_A]


def test_a_category_is_that_with_those_below_it(facts):
    assert met(facts, categories=("tech",)) == ["phone", "phone-se", "case", "film"]
    assert met(facts, categories=("tech.phone", "fashion")) == ["phone", "phone-se", "coat"]
    assert met(facts, categories=("tech",), without=("tech.phone",)) == ["case", "film"]


def test_bounds_of_a_price_are_inclusive_and_an_unknown_price_is_in_none(facts):
    assert met(facts, low=180.0, high=300.0) == ["phone-se", "coat"]
    assert met(facts, low=0.0) == ["phone", "phone-se", "case", "coat"]
    assert met(facts, high=20.0) == ["case"]
    assert met(facts) == ["phone", "phone-se", "case", "film", "coat"]


def test_of_an_attribute_one_value_is_enough_and_of_several_attributes_all_must_hold(facts):
    assert met(facts, attributes=(("colour", ("blue", "green")),)) == ["coat"]
    assert met(facts, attributes=(("brand", ("aster", "bell")), ("colour", ("red",)))) == ["case"]


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        ({"categories": ("garden",)}, "none is in the category garden"),
        ({"attributes": (("brand", ("nobody",)),)}, "none is whose brand is nobody"),
        ({"attributes": (("weight", ("9",)),)}, "none is whose weight is 9"),
        ({"categories": ("fashion",), "high": 5.0}, "none meets all its conditions"),
    ],
)
def test_what_no_item_has_is_said(facts, conditions, sentence):
    assert ItemFilter(**conditions).among(facts).problem == f"the filter leaves no item: {sentence}"


def test_an_attribute_that_no_item_has_is_not_remembered(facts):
    before = len(facts.tables._made)
    for number in range(5):
        groups_of(facts, f"made-up-{number}")
    assert len(facts.tables._made) <= before + 1


def test_a_set_holds_its_own_and_nothing_else():
    among = Among.of([7, 2, 2, 5])
    assert among.items_A.tolist() == [2, 5, 7]
    assert among.holding(np.array([0, 2, 6, 7, 9])).tolist() == [False, True, False, True, False]
    assert (among.holds(5), among.holds(4)) == (True, False)
    assert Among.of([]).holding(np.array([1])).tolist() == [False]
    assert among.also(Among.of([5, 7, 8])).items_A.tolist() == [5, 7]


def test_what_the_rules_allow_of_it_ends_at_the_items_of_the_model_and_is_remembered():
    among, verdicts = Among.of([0, 1, 3, 4]), np.array([-1, 2, -1, -1, -1], np.int8)
    allowed = among.allowed("rules", verdicts, items=4)
    assert allowed.tolist() == [0, 3]
    assert among.allowed("rules", verdicts, items=4) is allowed


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.lists(st.integers(0, 40), unique=True))
def test_sets_are_sets(one, other, judged):
    both = Among.of(one).also(Among.of(other))
    assert set(both.items_A.tolist()) == set(one) & set(other)
    judged.sort()
    assert both.holding(np.array(judged, np.int64)).tolist() == [item in both.items_A for item in judged]
