"""Requests drawn as shoppers make them."""

import numpy as np
import pytest

from serving.bench.shoppers import LONGEST, LoadShop, draw_requests


def test_sessions_are_of_the_shop_popular_items_come_more_often_and_lengths_are_bounded():
    shop = LoadShop([f"i{number}" for number in range(1000)], ("click", "cart", "purchase"))
    requests = draw_requests(shop, count=2000, k=7, deadline_ms=30, rng=np.random.default_rng(0))
    lengths = [len(request["session"]) for request in requests]
    events = [event for request in requests for event in request["session"]]
    assert min(lengths) >= 1
    assert max(lengths) <= LONGEST
    assert np.median(lengths) == 3
    items = [event["item_id"] for event in events]
    assert set(items) <= set(shop.item_ids)
    # by the power law the first of 1,000 items has 1 / sum(n ** -0.9) = 9.5 % of the draws, the 500th 1 / 269 of that
    assert 0.06 < items.count("i0") / len(items) < 0.13
    assert items.count("i499") < items.count("i0") / 50
    assert all(request["k"] == 7 and request["deadline_ms"] == 30 for request in requests)
    for request in requests:
        times = [event["timestamp"] for event in request["session"]]
        assert times == sorted(times)


def test_a_file_of_items_is_a_shop_without_behaviours(tmp_path):
    """The most popular first, each once; behaviours are left to the server."""
    (tmp_path / "items").write_text("apple\npear\n\napple\n", encoding="utf-8")
    shop = LoadShop.of_file(tmp_path / "items")
    assert shop == LoadShop(["apple", "pear"])
    (request,) = draw_requests(shop, count=1, k=2, rng=np.random.default_rng(0))
    assert sorted(request) == ["k", "session"]
    assert all(sorted(event) == ["item_id", "timestamp"] for event in request["session"])


@pytest.mark.parametrize(("text", "sentence"), [(None, "cannot be read"), (" \n", "must hold one item id a line")])
def test_a_file_without_items_is_refused(tmp_path, text, sentence):
    if text is not None:
        (tmp_path / "items").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        LoadShop.of_file(tmp_path / "items")
