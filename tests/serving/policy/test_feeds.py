"""Feeds lie over one another field by field, the later one on top, and travel to the workers as they are."""

import pytest

from serving.policy.feeds import OutdatedFeedError, combined, packed, unpacked, with_file
from tests.tills import NOW_MS, feed
from tillside.policy import read_feed

MORNING = read_feed(feed({"item_id": "a", "stock": 5, "price": 9.5}, {"item_id": "b", "stock": 1}, minutes_ago=60))
NOON = read_feed(feed({"item_id": "a", "stock": 0}, {"item_id": "c", "price": None}))
BOTH = read_feed(
    feed({"item_id": "a", "stock": 0, "price": 9.5}, {"item_id": "b", "stock": 1}, {"item_id": "c", "price": None})
)


def test_the_later_one_lies_on_top_in_whatever_order_they_come():
    assert combined(None, MORNING) == MORNING
    assert combined(MORNING, NOON) == combined(NOON, MORNING) == BOTH
    assert combined(BOTH, NOON) == BOTH


def test_a_feed_travels_whole():
    assert unpacked(packed(BOTH)) == BOTH


def test_an_older_feed_is_refused():
    OutdatedFeedError.check(None, MORNING)
    OutdatedFeedError.check(NOON, NOON)
    with pytest.raises(OutdatedFeedError, match=f"must be at least {NOW_MS}, that of the feed in use; got"):
        OutdatedFeedError.check(NOON, MORNING)


def test_a_file_is_laid_over_or_under_what_is_known(tmp_path):
    path = tmp_path / "items.jsonl"
    with pytest.raises(ValueError, match=f"items feed {path} cannot be read"):
        with_file(None, path)
    path.write_bytes(feed({"item_id": "a", "stock": 5, "price": 9.5}, {"item_id": "b", "stock": 1}, minutes_ago=60))
    assert with_file(NOON, path) == BOTH
    assert with_file(NOON, None) is NOON
    path.write_bytes(feed({"item_id": "a", "stock": -1}))
    with pytest.raises(ValueError, match=f"{path}:2: item 'a': stock"):
        with_file(None, path)
