"""The admin clients: a feed says what it was given, a refusal is an error with the server's sentence."""

import asyncio
import json

import httpx
import pytest

from tests.tillside.client.sockets import Scene, answers, http
from tillside.client import AdminClient, AdminError, AsyncAdminClient, FeedItem, FeedReport
from tillside.client.admin import _answer

REPORT = {"time_ms": 5, "items": 2, "new_items": 1, "ranked": None, "of_a_later_version": 1}
PROBLEM = {"type": "urn:x", "title": "X", "status": 422, "detail": "line 1: stock: no", "field": "stock"}


def test_a_feed_keeps_what_it_does_not_name_and_tells_unknown_from_left_out():
    assert FeedItem("a").document() == {"item_id": "a"}
    assert FeedItem("a", stock=0, price=None).document() == {"item_id": "a", "stock": 0, "price": None}


def sent(scene) -> dict:
    return scene.requests[0][1]


def test_both_clients_send_a_feed_and_read_the_report():
    expected = {"time_ms": 5, "items": [{"item_id": "a", "stock": 3}]}
    with Scene(answers(http(json.dumps(REPORT).encode()))) as scene:
        with AdminClient(scene.url, token="secret") as admin:
            assert admin.put_items([FeedItem("a", stock=3)], time_ms=5) == FeedReport(5, 2, 1, None)
        head = scene.requests[0][0].lower()
        assert head.startswith("put /v1/items ")
        assert "authorization: bearer secret" in head
        assert sent(scene) == expected

    async def awaited(url: str) -> FeedReport:
        async with AsyncAdminClient(url, token="secret") as admin:
            return await admin.put_items([FeedItem("a", stock=3)], time_ms=5)

    with Scene(answers(http(json.dumps(REPORT).encode()))) as scene:
        assert asyncio.run(awaited(scene.url)) == FeedReport(5, 2, 1, None)
        assert sent(scene) == expected


def test_both_clients_have_a_shopper_forgotten_whatever_the_key_holds():
    report = {"time_ms": 5, "forgotten_events": 2, "pending_orders": 1}

    async def awaited(url: str) -> dict:
        async with AsyncAdminClient(url, token="secret") as admin:
            return await admin.forget_shopper("a/b 你?")

    heads = []

    def part(scene, connection):
        heads.append(connection.recv(65536).decode())
        connection.sendall(http(json.dumps(report).encode()))

    with Scene(part) as scene:
        with AdminClient(scene.url, token="secret") as admin:
            assert admin.forget_shopper("a/b 你?") == report
        assert asyncio.run(awaited(scene.url)) == report
    assert [head.split(" HTTP")[0] for head in heads] == ["DELETE /v1/shoppers/a%2Fb%20%E4%BD%A0%3F"] * 2


def test_a_refusal_is_an_error_with_all_the_server_said():
    with pytest.raises(AdminError, match="line 1: stock: no") as caught:
        _answer(httpx.Response(422, json=PROBLEM))
    assert (caught.value.status, caught.value.detail, caught.value.problem) == (422, PROBLEM["detail"], PROBLEM)
    with pytest.raises(AdminError, match="status 502"):
        _answer(httpx.Response(502, text="<html>"))


def test_a_document_or_a_text_is_the_answer():
    assert _answer(httpx.Response(200, json=[1])) == [1]
    assert _answer(httpx.Response(200, text="tillside_items 5\n")) == "tillside_items 5\n"


def test_a_server_that_is_not_there_is_an_error_too():
    with AdminClient("http://127.0.0.1:1", token=None) as admin:
        for call in (lambda: admin.get("/metrics"), lambda: admin.post("/x"), lambda: admin.put("/x", {})):
            with pytest.raises(AdminError, match="no answer") as caught:
                call()
            assert caught.value.status == 0


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match="url must be an address"):
        AdminClient("tillside:9090", token=None)
