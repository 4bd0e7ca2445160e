"""A body is unpacked within its limit, however it is sent."""

import gzip

import pytest

from serving.collector.bodies import MEMBERS, is_lines, unpacked
from serving.protocol.errors import ProblemError


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


def test_a_gzip_of_very_many_parts_is_refused_and_one_of_a_thousand_is_not():
    part = gzip.compress(b"a", mtime=0)
    assert unpacked(part * MEMBERS, "gzip", limit=MEMBERS) == b"a" * MEMBERS
    with pytest.raises(ProblemError, match="the body is no gzip: it is joined from more than 1000 parts"):
        unpacked(gzip.compress(b"", mtime=0) * (MEMBERS + 1), "gzip", limit=MEMBERS)
