"""Sources compared by odds, carts of many anchors, and items kept apart by their vectors; worked out by hand."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy, place
from tillside.policy.candidates import BY_RANK, RANK_CHANCE
from tillside.policy.items.facts import NO_VECTORS, ItemVectors

SHOP = Shop(
    items=[Item(name) for name in ("phone", "case", "film", "cable", "kettle")],
    pairs=[
        ("complement", "phone", "case", 0.8),
        ("complement", "phone", "film", 0.6),
        ("complement", "kettle", "cable", 0.3),
    ],
)
ODDS = (
    "placements: {here: {fusion: odds, sources: {model: 1, complement: 0.5}, "
    "anchors: [cart], steering: 0, fill: false}}"
)


def test_odds_are_logarithms_of_chances_weighed():
    """Of e^0 and e^-log 3 the model gives 3/4 and 1/4; a chance of p is worth log(1 + 100 p)."""
    answer = SHOP.place(ODDS, cart=["phone"], model={"cable": 7.0, "film": 7.0 - log(3)}, explain=True)
    assert SHOP.ids(item.item for item in answer.items) == ["film", "cable", "case"]
    scores = [log(1 + 25) + 0.5 * log(1 + 60), log(1 + 75), 0.5 * log(1 + 80)]
    assert [item.score for item in answer.items] == pytest.approx(scores, rel=1e-6)
    assert answer.items[0].parts == pytest.approx(
        {"model": log(26), "complement": 0.5 * log(61), "boost": 1, "diversity": 0}, rel=1e-6
    )


def test_a_rung_below_the_model_has_chances_by_rank():
    """Its scores are counts; of a hundred places the first has the share 1 of the sum of 10 / (10 + r)."""
    answer = SHOP.place(ODDS, model={"cable": 7e5, "film": 3e5}, tier="covisitation")
    first = log(1 + 100 / sum(10 / (10 + rank) for rank in range(100)))
    assert answer.items[0].score == pytest.approx(first)
    assert answer.items[1].score == pytest.approx(log(1 + 100 * RANK_CHANCE * BY_RANK[1]))


def test_a_shelf_has_chances_by_rank_too():
    shelf = ODDS.replace("model: 1, complement: 0.5", "popular: 2")
    answer = SHOP.place(shelf)
    assert answer.items[0].score == pytest.approx(2 * log(1 + 100 * RANK_CHANCE))


@pytest.mark.parametrize(("most", "shown"), [(1, ["cable"]), (2, ["case", "film", "cable"])])
def test_so_many_anchors_are_asked_the_latest_first(most, shown):
    """.85 of what goes with the phone is more than all of what goes with the kettle."""
    text = f"placements: {{here: {{sources: {{complement: 1}}, anchors: [cart], fill: false, most_anchors: {most}}}}}"
    assert SHOP.shown(text, cart=["phone", "kettle"]) == shown


def test_items_whose_vectors_are_alike_keep_apart():
    """The last column, the trend, does not count. The film's cosine with the case is .6, the cable's 0.

    film: .8 of the best; it loses .5 * .6 of it and is left with .5, less than the cable's .55.
    """
    rows_WD = np.array([[1, 0, 9], [2, 0, 9], [3, 4, 9], [0, 1, -9]], np.float32)  # the kettle has none
    facts = replace(SHOP.facts(), vectors=replace(NO_VECTORS, rows_WD=rows_WD))
    assert facts.cosines(np.array([1, 2, 3, 4])) == pytest.approx(
        np.array([[1, 0.6, 0, 0], [0.6, 1, 0.8, 0], [0, 0.8, 1, 0], [0, 0, 0, 0]])
    )
    pairs = [("complement", "phone", "case", 1.0), ("complement", "phone", "film", 0.8)]
    shop = replace(SHOP, pairs=[*pairs, ("complement", "phone", "cable", 0.55)], _number={})
    rules = "rules: {diversity: {strength: 0.5, vector: 1}}"
    policy = parse_policy(f"placements: {{here: {{sources: {{complement: 1}}, anchors: [cart], {rules}}}}}")
    shelves = replace(shop.shelves(), facts=facts)

    def shown(shelves, policy):
        request = shop.request(cart=["phone"], k=3)
        return shop.ids(item.item for item in place(policy, request, shelves=shelves, relations=shop.relations()).items)

    assert shown(shelves, policy) == ["case", "cable", "film"]
    assert shown(shop.shelves(), policy) == ["case", "film", "cable"]  # no vectors: like nothing


def test_vectors_of_items_that_came_later():
    vectors = ItemVectors(
        np.array([[1, 2, 0.5]], np.float32), np.array([3, 7]), np.array([[3, 4, 0], [7, 8, 0]], np.float32)
    )
    assert vectors.of(np.array([7, 0, 5, 3])).tolist() == [[7, 8], [1, 2], [0, 0], [3, 4]]
    assert NO_VECTORS.of(np.array([2, 0])).shape == (2, 0)
