"""A body is read within its size and its time."""

import asyncio

import pytest

from serving.http.bodies import received
from serving.protocol.errors import ProblemError


def of(*messages):
    left = list(messages)

    async def receive():
        return left.pop(0) if left else await asyncio.Event().wait()

    return receive


def part(body, more):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_comes_in_parts():
    assert asyncio.run(received(of(part(b"ab", True), part(b"c", False)), limit=3, seconds=5)) == b"abc"
    assert asyncio.run(received(of(part(b"ab", True), {"type": "http.disconnect"}), limit=3, seconds=5)) is None


def test_a_body_that_is_too_large_or_too_slow_is_given_up():
    with pytest.raises(ProblemError, match="at most 2 bytes"):
        asyncio.run(received(of(part(b"ab", True), part(b"c", True)), limit=2, seconds=5))
    with pytest.raises(ProblemError, match=r"not complete after 0\.01 seconds"):
        asyncio.run(received(of(part(b"ab", True)), limit=9, seconds=0.01))


def test_advice_ends_the_sentence_of_what_is_too_large():
    with pytest.raises(ProblemError, match=r"at most 1 bytes; send it in several$"):
        asyncio.run(received(of(part(b"ab", False)), limit=1, seconds=5, advice="; send it in several"))
