"""What each source brings: lists without scores by rank, shelves, and as many anchors as are asked, latest first."""

from math import log

import pytest

from tests.shops import Item, Shop
from tillside.policy.candidates import BY_RANK, RANK_CHANCE

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
