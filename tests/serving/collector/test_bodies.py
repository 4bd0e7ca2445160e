"""A body is read and unpacked within its limits, however it is sent."""

import asyncio
import gzip

import pytest

from serving.collector.bodies import is_lines, read, unpacked
from serving.protocol.errors import ProblemError


def of(*messages):
    left = list(messages)

    async def receive():
        return left.pop(0) if left else await asyncio.Event().wait()

    return receive


def part(body, more):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("application/json", False),
        ("application/json; charset=utf-8", False),
        ("text/plain;charset=UTF-8", False),
        ("", False),
        ("application/x-ndjson", True),
        ("Application/JSONL", True),
    ],
)
def test_the_type_says_whether_it_is_lines(kind, lines):
    assert is_lines(kind) is lines


@pytest.mark.parametrize("kind", ["text/html", "application/json; charset=latin-1", "multipart/form-data; boundary=x"])
def test_other_types_are_refused(kind):
    with pytest.raises(ProblemError, match="content-type must be"):
        is_lines(kind)


def test_a_body_comes_in_parts():
    assert asyncio.run(read(of(part(b"ab", True), part(b"c", False)), limit=3, seconds=5)) == b"abc"
    assert asyncio.run(read(of(part(b"ab", True), {"type": "http.disconnect"}), limit=3, seconds=5)) is None


def test_a_body_that_is_too_large_or_too_slow_is_given_up():
    with pytest.raises(ProblemError, match="at most 2 bytes"):
        asyncio.run(read(of(part(b"ab", True), part(b"c", True)), limit=2, seconds=5))
    with pytest.raises(ProblemError, match=r"not complete after 0\.01 seconds"):
        asyncio.run(read(of(part(b"ab", True)), limit=9, seconds=0.01))


def test_gzip_is_unpacked_in_all_its_members():
    packed = gzip.compress(b"ab") + gzip.compress(b"c")
    assert unpacked(packed, "gzip", limit=3) == b"abc"
    assert unpacked(b"abc", "", limit=3) == b"abc"


def test_a_bomb_is_not_unpacked():
    with pytest.raises(ProblemError, match="at most 1000 bytes, unpacked too"):
        unpacked(gzip.compress(bytes(10_000_000)), "gzip", limit=1000)


PACKED = gzip.compress(b"abc", mtime=0)  # the second in which it was packed would name the tests anew in each process


@pytest.mark.parametrize("body", [b"x", PACKED[:-3], PACKED + b"x"], ids=["text", "cut off", "with more behind it"])
def test_what_is_no_gzip_is_refused(body):
    with pytest.raises(ProblemError, match="the body is no gzip"):
        unpacked(body, "gzip", limit=100)
