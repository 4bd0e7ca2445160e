"""Traits by hand, from the tokens of the catalogue."""

import numpy as np

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import Catalogue
from training.mining.traits import Traits, values_of

ITEMS = [
    *[["category=shop", "category=shop.phone", f"series=p{number}"] for number in (1, 2)],
    *[["category=shop", "category=shop.case", *fits] for fits in (["fits=p1"], ["fits=p1", "fits=p2"], [])],
    ["category=shop", "category=shop.belt", "length=90"],
    *[["category=shop", "category=shop.waist", f"girth={girth}"] for girth in (85, 100)],
]


def catalogue(items=ITEMS) -> Catalogue:
    return make_catalogue(make_sessions([]), trained=len(items), tokens=items)


def test_traits_are_read_from_the_tokens():
    read = Traits.of(catalogue())
    assert read.categories.tolist() == [2, 2, 1, 1, 1, 0, 3, 3]
    assert read.departments.tolist() == [0] * 8
    assert read.series.tolist() == [0, 1, -1, -1, -1, -1, -1, -1]
    assert read.brands.tolist() == [-1] * 8
    nothing = Traits.of(catalogue([["brand=x"], []]))
    assert (nothing.categories.tolist(), nothing.departments.tolist()) == ([-1, -1], [0, 0])
    assert nothing.brands.tolist() == [0, -1]


def test_values_of_an_attribute_are_those_of_its_whole_name_and_all_of_them():
    assert values_of(catalogue(), "fits") == [[], [], ["p1"], ["p1", "p2"], [], [], [], []]
    assert values_of(catalogue([["brand=x", "brand_line=y"]]), "brand") == [["x"]]


def test_only_two_items_of_a_known_category_are_of_the_same_one():
    read = Traits.of(catalogue([["category=a"], ["category=a"], ["category=b"], [], []]))
    # the last two items have no category, which is not the same as having the same one
    assert read.same_category(np.array([0, 0, 3]), np.array([1, 2, 4])).tolist() == [True, False, False]
