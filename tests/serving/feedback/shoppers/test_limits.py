"""Where visits may be kept is told by a word or an address, which no sentence repeats."""

import pytest

from serving.feedback.shoppers.limits import parse_place


@pytest.mark.parametrize("text", ["memory", "redis://h:6379/0", "rediss://:p@h", "unix:///run/redis.sock"])
def test_a_place_is_memory_or_an_address(text):
    assert parse_place(text) == text
    assert parse_place("off") is None


@pytest.mark.parametrize("text", ["", "on", "Memory", "redis://", "redis://h h", "http://:secret@h", "redis:secret"])
def test_what_is_no_place_is_refused_without_its_password(text):
    with pytest.raises(ValueError, match="must be off, memory or redis://HOST:PORT/DB") as refused:
        parse_place(text)
    assert "secret" not in str(refused.value)
