"""What all sources give, merged and compared by odds; the main source of all items at once is that of each alone."""

from math import log
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shops import Item, Shop
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.fusion import SOURCES, merged

ITEMS = 6
ENTRIES = st.lists(
    st.tuples(st.integers(0, ITEMS - 1), st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from(range(len(SOURCES)))),
    max_size=30,
)

SHOP = Shop(
    items=[Item(name) for name in ("phone", "case", "film", "cable")],
    pairs=[("complement", "phone", "case", 0.8), ("complement", "phone", "film", 0.6)],
)
ODDS = (
    "placements: {here: {fusion: odds, sources: {model: 1, complement: 0.5}, "
    "anchors: [cart], steering: 0, fill: false}}"
)


@given(ENTRIES)
def test_the_main_source_of_all_items_is_that_of_each(entries):
    made = [(np.array([item]), np.array([strength]), 1.0, source, -1) for item, strength, source in entries]
    found = merged(made, np.ones(len(SOURCES)), frozenset(), ITEMS, odds=False)
    assert found.items_U.tolist() == sorted({item for item, _, _ in entries})
    mains = [found.main(row)[0] for row in range(len(found.items_U))]
    for source in get_args(SourceName):
        assert found.mainly(source).tolist() == [main == source for main in mains]


def test_odds_are_logarithms_of_chances_weighed():
    """Of e^0 and e^-log 3 the model gives 3/4 and 1/4; a chance of p is worth log(1 + 100 p)."""
    answer = SHOP.place(ODDS, cart=["phone"], model={"cable": 7.0, "film": 7.0 - log(3)}, explain=True)
    assert SHOP.ids(item.item for item in answer.items) == ["film", "cable", "case"]
    scores = [log(1 + 25) + 0.5 * log(1 + 60), log(1 + 75), 0.5 * log(1 + 80)]
    assert [item.score for item in answer.items] == pytest.approx(scores, rel=1e-6)
    assert answer.items[0].parts == pytest.approx(
        {"model": log(26), "complement": 0.5 * log(61), "boost": 1, "diversity": 0}, rel=1e-6
    )
