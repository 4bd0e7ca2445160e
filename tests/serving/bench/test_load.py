"""The generator over real sockets, against a server of a few lines; nothing here asserts on how long anything took."""

import asyncio
import json
import os

import numpy as np
import pytest

from serving.bench.load import PRIORITY, Load, address_of, read_answer
from serving.bench.summary import Summary
from tests.serving.bench.scripted import ANSWER, Scripted, http


def test_every_request_is_sent_and_answered_over_connections_that_stay_open():
    server = Scripted(http(ANSWER))
    summary, ledger = server.under([0.0] * 40, connections=4)
    assert (summary.requests, summary.answered, summary.failed) == (40, 40, 0)
    assert summary.tiers == {"model": 40}
    assert server.connections == 4
    assert summary.waited == 36
    assert (ledger.done_R >= ledger.sent_R).all()
    head, body = server.requests[0]
    assert head.startswith(b"POST /v1/recommend HTTP/1.1\r\nhost: shop\r\n")
    assert b"authorization: Bearer t\r\n" in head
    assert json.loads(body) == {"session": []}


def test_no_request_is_sent_before_it_is_due():
    _, ledger = Scripted(http(ANSWER)).under([0.0, 0.01, 0.02, 0.05], connections=4)
    assert (ledger.taken_R >= ledger.due_R).all()
    assert (ledger.sent_R >= ledger.due_R).all()


def test_the_generator_goes_first_only_while_it_loads(monkeypatch):
    given = []
    monkeypatch.setattr("os.setpriority", lambda kind, who, niceness: given.append(niceness))
    server, before = Scripted(http(ANSWER)), os.getpriority(os.PRIO_PROCESS, 0)
    server.under([0.0])
    assert given == [PRIORITY, before]

    def forbidden(kind, who, niceness):
        if niceness < before:
            raise PermissionError

    monkeypatch.setattr("os.setpriority", forbidden)
    summary, _ = Scripted(http(ANSWER)).under([0.0])
    assert summary.failed == 0


def test_statuses_tiers_and_reasons_are_read_from_the_answers():
    degraded = {"items": [], "tier": "popularity", "degraded_reason": "deadline"}
    server = Scripted(http(ANSWER), http(degraded), http({"detail": "no"}, "422 Unprocessable"), http(b"{}"))
    summary, _ = server.under([0.0] * 4)
    assert summary.tiers == {"model": 1, "popularity": 1}
    assert summary.reasons == {"deadline": 1}
    assert summary.statuses == {"200": 3, "422": 1}
    assert summary.errors == {"invalid-answer": 1}
    assert summary.failed == 2


def test_where_nobody_listens_every_request_is_refused():
    async def run():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await Load(f"http://127.0.0.1:{port}", [b"x"], np.zeros(3), connections=2).run()

    assert Summary.of(asyncio.run(run()), rate=1, seconds=1).errors == {"refused": 3}


@pytest.mark.parametrize("url", ["https://shop:1", "shop:8080", ""])
def test_only_plain_http_is_taken(url):
    with pytest.raises(ValueError, match="url must be http://HOST:PORT"):
        address_of(url)


def test_an_answer_without_a_tier_is_none():
    assert read_answer(b'{"items": [1], "tier": "static", "degraded_reason": "queue", "more": 1}') == (
        "static",
        "queue",
    )
    with pytest.raises(ValueError):
        read_answer(b'{"items": []}')
