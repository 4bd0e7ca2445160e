"""Limits: numbers that an operator sets, and numbers that are the protocol's own."""

from datetime import UTC, datetime

from serving.protocol.limits import LATEST_TIMESTAMP, LONGEST_DEADLINE_MS, Limits
from tillside.client import messages as client


def test_the_latest_timestamp_is_the_last_millisecond_that_a_datetime_can_hold():
    latest = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert int(latest.timestamp()) * 1000 + 999 == LATEST_TIMESTAMP


def test_what_a_client_may_send_is_taken_by_a_server_of_default_limits():
    limits = Limits()
    assert limits.session_events >= client.MOST_EVENTS
    assert limits.text >= client.MOST_TEXT
    assert limits.k >= client.DEFAULT_K
    assert client.MOST_DEADLINE_MS == LONGEST_DEADLINE_MS


def test_equal_limits_are_one_key():
    """Decoders are kept by their limits."""
    assert len({Limits(k=3), Limits(k=3), Limits(k=4)}) == 2
