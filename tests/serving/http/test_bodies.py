"""A body is read within its size and its time."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from serving.http.bodies import check_headers, read_body, received
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


def test_a_body_that_never_ends_is_given_up():
    async def receive():
        await asyncio.Event().wait()

    async def read():
        return await read_body(Request({"type": "http"}, receive), limit=10, seconds=0.01)

    with pytest.raises(ProblemError, match="not complete after") as caught:
        asyncio.run(read())
    assert caught.value.status == 408


def test_a_client_that_goes_away_ends_its_request():
    async def read():
        request = Request({"type": "http"}, of(part(b"ab", True), {"type": "http.disconnect"}))
        return await read_body(request, limit=9, seconds=5)

    with pytest.raises(ClientDisconnect):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": 'Application/JSON; charset="UTF-8"', "content-length": "9"}, None),
        ({}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ({"content-type": "application/json", "content-length": "10"}, 413),
        ({"content-type": "application/json", "content-length": "9" * 5000}, 413),
        ({"content-type": "application/json", "content-length": "0" * 5000 + "9"}, None),
        ({"content-type": "application/json", "content-length": "0" * 5000}, None),
    ],
    ids=str,
)
def test_headers_are_read_before_the_body(headers, status):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "headers": raw})
    if status is None:
        check_headers(request, body_bytes=9)
        return
    with pytest.raises(ProblemError) as caught:
        check_headers(request, body_bytes=9)
    assert caught.value.status == status
