"""Several workers as one: all are told, one that refuses speaks for all, one that has gone is left out."""

import asyncio
from typing import Any

import pytest

from serving.policy.revisions import NO_REVISION
from serving.process.crew import Crew
from tillside.feedback.forgetting import Order
from tillside.policy import read_feed

FEED = read_feed(b'{"time_ms": 7}')


class Member:
    """A worker that answers every call with a value or an error, and writes down what it was told."""

    def __init__(self, answer: Any, *, version: str | None = None) -> None:
        self.version, self.channel, self.told, self._answer = version, self, [], answer

    async def call(self, op: str, **arguments: Any) -> Any:
        self.told.append(op)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def try_on(*members: Member) -> Any:
    crew = Crew(dict(enumerate(members)))
    return asyncio.run(crew.try_on(NO_REVISION, changed=None, take_unknown=False))


def test_one_that_refuses_speaks_for_all_and_one_that_has_gone_for_none():
    fine = {"policy": "v", "placements": ["home"], "remarks": []}
    bare = {"policy": None, "placements": [], "remarks": ["no bundle"]}
    gone = Member(ConnectionError("the other end has gone"))
    assert try_on(gone, Member(bare), Member(fine)) == fine
    assert try_on(gone, Member(bare)) == bare
    with pytest.raises(ConnectionError, match="no worker is running"):
        try_on()  # nobody has checked it
    with pytest.raises(ConnectionError, match="all workers ended while they tried it on"):
        try_on(gone, gone)  # perhaps of it: it must not be kept for those that come after them
    with pytest.raises(ValueError, match="a mistake"):
        try_on(Member(fine), Member(ValueError("a mistake")))


def test_a_feed_goes_to_all_and_the_first_report_counts(caplog):
    members = [Member(ConnectionError("gone")), Member({"items": 1}), Member({"items": 1})]
    crew = Crew(dict(enumerate(members)))
    assert asyncio.run(crew.stock(FEED)) == {"items": 1}
    assert [member.told for member in members] == [["stock"]] * 3
    assert "a worker did not stock: gone" in caplog.text
    assert asyncio.run(Crew({}).stock(FEED))["items"] == 0


def test_a_shopper_is_forgotten_by_all_and_the_one_that_knew_most_is_told():
    members = [Member(ConnectionError("gone")), Member(2), Member(3)]
    assert asyncio.run(Crew(dict(enumerate(members))).forget(Order(["00"], 5))) == 3
    assert [member.told for member in members] == [["forget"]] * 3
    assert asyncio.run(Crew({}).forget(Order(["00"], 5))) == 0
    with pytest.raises(ValueError, match="Redis is away"):
        asyncio.run(Crew({0: Member(2), 1: Member(ValueError("Redis is away"))}).forget(Order(["00"], 5)))


def test_a_bundle_that_one_refuses_is_refused(tmp_path):
    crew = Crew({0: Member("v", version="old"), 1: Member(ConnectionError("gone"))})
    with pytest.raises(ValueError, match="a worker ended while it loaded it"):
        asyncio.run(crew.prepare(tmp_path))
    with pytest.raises(ValueError, match="no worker is running"):
        asyncio.run(Crew({}).prepare(tmp_path))
