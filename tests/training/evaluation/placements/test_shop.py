"""The offline shop: facts under a feed that is never stale, shelves for each behaviour, cold items of the feed."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_dataset
from tests.models import make_trained
from tillside.policy import read_feed
from training.evaluation.placements.shop import LATER_MS, OfflineShop

FEED = [
    {"time_ms": 5},
    {"item_id": "i1", "stock": 0},
    {"item_id": "lamp", "stock": 3, "attributes": {"category": "a"}},
    {"item_id": "riddle", "stock": 3, "attributes": {"category": "unheard of"}},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> OfflineShop:
    """Clicks: item 0 thrice, 1 twice; purchases: item 2 once. Item 3 is in no training session."""
    rows = [[0, 0, 0, 1, 1, (2, "purchase")]]
    tokens = [["category=a"], ["category=a"], ["category=b"], ["category=b"]]
    place = tmp_path_factory.mktemp("shop") / "d"
    dataset = make_dataset(place, train=rows, trained=3, newcomers=1, tokens=tokens, clock=False)
    feed = read_feed("\n".join(map(json.dumps, FEED)).encode())
    return OfflineShop.of(make_trained(dataset), dataset, feed=feed)


def test_a_feed_counts_as_fresh_at_every_question(shop: OfflineShop) -> None:
    assert shop.facts.feed_time_ms == LATER_MS
    assert shop.facts.stock_N.tolist() == [0, -1, 0, 0, 1, 1]


def test_each_behaviour_has_its_own_shelves(shop: OfflineShop) -> None:
    popular = [shelves.popular.items_P.tolist() for shelves in shop.shelves_B]
    assert popular[0] == [0, 1, 2, 3, 4, 5]  # by clicks; the feed's items come last
    assert popular[2][0] == 2  # by purchases
    assert shop.popular_BP[2].tolist()[0] == 2
    assert all(shelves.facts is shop.facts for shelves in shop.shelves_B)


def test_items_that_only_the_feed_knows_are_ranked_by_what_was_learned_of_their_attributes(shop: OfflineShop) -> None:
    cold = shop.proposer.cold
    assert [shop.facts.item_ids[item] for item in cold.items_A] == ["lamp"]
    np.testing.assert_allclose(np.linalg.norm(cold.rows_AD, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(shop.facts.vectors.of(cold.items_A), cold.rows_AD[:, :-1])


def test_without_a_feed_nothing_is_said_of_stock(shop: OfflineShop, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], trained=2)
    bare = OfflineShop.of(make_trained(dataset), dataset)
    assert (bare.facts.feed_time_ms, len(bare.facts), len(bare.proposer.cold)) == (LATER_MS, 2, 0)
    assert bare.facts.stock_N.tolist() == [0, 0]
