"""The generator over real sockets, against a server of a few lines; nothing here asserts on how long anything took."""

import asyncio
import contextlib
import json
import os

import numpy as np
import pytest

from serving.bench.__main__ import main
from serving.bench.load import PRIORITY, Load, address_of, read_answer
from serving.bench.shoppers import LONGEST, LoadShop, as_http, draw_requests
from serving.bench.summary import Summary

ANSWER = {"items": [], "tier": "model", "degraded_reason": None}


def http(document, status="200 OK", *, close=False):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    end = "connection: close\r\n" if close else ""
    return f"HTTP/1.1 {status}\r\n{end}content-length: {len(body)}\r\n\r\n".encode() + body


class Scripted:
    """A server that gives the n-th request the n-th of its answers, and the last one from then on; None hangs up."""

    def __init__(self, *answers):
        self.answers, self.requests, self.connections, self.handlers = answers, [], 0, []

    async def serve(self, reader, writer):
        self.connections += 1
        self.handlers.append(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append((head, body))
                if answer is None:
                    break
                writer.write(answer)
                if b"connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def under(self, due, *, connections=1, timeout=30.0, payloads=None):
        """The summary and the ledger of a load on it."""

        async def run():
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            requests = payloads or [as_http("/v1/recommend", host="shop", document={"session": []}, token="t")]
            load = Load(url, requests, np.array(due), connections=connections, timeout=timeout)
            ledger = await load.run()
            server.close()
            await asyncio.gather(*self.handlers)
            return ledger

        ledger = asyncio.run(run())
        return Summary.of(ledger, rate=1, seconds=1), ledger


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


def test_a_connection_that_breaks_fails_its_request_and_the_next_one_gets_another():
    server = Scripted(http(ANSWER), None, http(ANSWER))
    summary, _ = server.under([0.0] * 3)
    assert summary.errors == {"reset": 1}
    assert summary.answered == 2
    assert server.connections == 2


def test_a_connection_that_the_server_closes_after_an_answer_fails_nothing():
    server = Scripted(http(ANSWER, close=True), http(ANSWER))
    summary, _ = server.under([0.0] * 3)
    assert (summary.answered, summary.failed, server.connections) == (3, 0, 2)


def test_what_is_not_http_is_an_error():
    summary, _ = Scripted(b"SSH-2.0-OpenSSH\r\n\r\n", http(ANSWER)).under([0.0] * 2)
    assert summary.errors == {"invalid-http": 1}
    assert summary.answered == 1


def test_a_silent_server_costs_a_timeout_each_and_the_load_ends():
    summary, _ = Scripted(b"").under([0.0] * 3, timeout=0.01)
    assert summary.errors == {"timeout": 3}
    assert summary.latency_ms == {}


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


def test_sessions_are_of_the_shop_popular_items_come_more_often_and_lengths_are_bounded():
    shop = LoadShop([f"i{number}" for number in range(1000)], ("click", "cart", "purchase"))
    requests = draw_requests(shop, count=2000, k=7, deadline_ms=30, rng=np.random.default_rng(0))
    lengths = [len(request["session"]) for request in requests]
    events = [event for request in requests for event in request["session"]]
    assert min(lengths) >= 1
    assert max(lengths) <= LONGEST
    assert np.median(lengths) == 3
    items = [event["item_id"] for event in events]
    assert set(items) <= set(shop.item_ids)
    # by the power law the first of 1,000 items has 1 / sum(n ** -0.9) = 9.5 % of the draws, the 500th 1 / 269 of that
    assert 0.06 < items.count("i0") / len(items) < 0.13
    assert items.count("i499") < items.count("i0") / 50
    assert all(request["k"] == 7 and request["deadline_ms"] == 30 for request in requests)
    for request in requests:
        times = [event["timestamp"] for event in request["session"]]
        assert times == sorted(times)


def test_the_command_loads_a_real_server_and_writes_its_figures(orchard, running, tmp_path, capsys):
    out = tmp_path / "figures.json"
    words = ["--url", running.url, "--bundle", str(orchard), "--rate", "200", "--seconds", "0.2", "--k", "3"]
    main(
        [*words, "--warm-seconds", "0", "--arrivals", "constant", "--pid", str(running.process.pid), "--json", str(out)]
    )
    (load,) = json.loads(out.read_text(encoding="utf-8"))["loads"]
    assert (load["requests"], load["failed"], load["statuses"]) == (40, 0, {"200": 40})
    assert load["tiers"] == {"model": 40}  # every session holds items that the bundle knows
    assert load["rss_mb"]["peak"] > 0
    assert "model 40" in capsys.readouterr().out


def test_the_command_refuses_what_is_no_bundle_with_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--url", "http://127.0.0.1:1", "--bundle", str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_an_answer_without_a_tier_is_none():
    assert read_answer(b'{"items": [1], "tier": "static", "degraded_reason": "queue", "more": 1}') == (
        "static",
        "queue",
    )
    with pytest.raises(ValueError):
        read_answer(b'{"items": []}')
