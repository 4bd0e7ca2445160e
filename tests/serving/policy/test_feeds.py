"""Feeds lie over one another field by field, the later one on top, and travel to the workers as they are."""

import pytest

from serving.policy.feeds import OutdatedFeedError, combined, packed, refuse_future, unpacked, with_file
from tests.tills import NOW_MS, feed
from tillside.policy import ConflictError, read_feed

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
        with_file(None, path, now_ms=NOW_MS)
    path.write_bytes(feed({"item_id": "a", "stock": 5, "price": 9.5}, {"item_id": "b", "stock": 1}, minutes_ago=60))
    assert with_file(NOON, path, now_ms=NOW_MS) == BOTH
    assert with_file(NOON, None, now_ms=NOW_MS) is NOON
    path.write_bytes(feed({"item_id": "a", "stock": -1}))
    with pytest.raises(ValueError, match=f"{path}:2: item 'a': stock"):
        with_file(None, path, now_ms=NOW_MS)


def test_a_feed_from_the_future_is_refused_and_one_of_a_clock_that_is_little_ahead_is_not(tmp_path):
    """Else every true feed after it would be outdated: time_ms in microseconds is the year 55000."""
    refuse_future(NOON, now_ms=NOON.time_ms - 4 * 60_000)
    with pytest.raises(ConflictError, match=f"at most five minutes ahead of the server's clock.*got {NOON.time_ms}"):
        refuse_future(NOON, now_ms=NOON.time_ms - 6 * 60_000)
    path = tmp_path / "items.jsonl"
    path.write_bytes(feed({"item_id": "a", "stock": 5}, minutes_ago=-10))
    with pytest.raises(ValueError, match=f"items feed {path}: time_ms must be"):
        with_file(None, path, now_ms=NOW_MS)


@pytest.mark.parametrize("deep", [b'{"time_ms":1,"items":[' + b"[" * 100_000, b"[" * 100_000, b'{"a":' * 100_000])
def test_a_feed_that_is_nested_too_deeply_is_refused_in_a_sentence(tmp_path, deep):
    with pytest.raises(ValueError, match="line 1"):
        read_feed(deep)
    with pytest.raises(ValueError, match=r"line 2: .*(nested too deeply|is not a field|the line)"):
        read_feed(b'{"time_ms":1}\n' + deep)


def test_an_id_that_no_request_could_name_is_refused():
    assert read_feed(feed({"item_id": "a" * 256}))
    with pytest.raises(ValueError, match="item_id has 257 characters; allowed: a string of 1 to 256"):
        read_feed(feed({"item_id": "a" * 257}))
