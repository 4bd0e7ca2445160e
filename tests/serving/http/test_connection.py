"""Connections on real sockets in the test's own loop: every one ends, and they hold no more together than they may.

Limits of a few hundredths of a second stand for the real ones; a test waits for what must happen, and for no clock.
"""

import asyncio
import contextlib
import dataclasses
import json
import socket
from pathlib import Path

import pytest
import uvloop

from serving.http import connection, room
from serving.http.server import HttpServer, listen
from serving.protocol.limits import Limits
from serving.settings import Settings

BIG = 24 << 20
"""More than a kernel takes for a client that does not read."""
HOST = b"host: x\r\n"
UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
PATIENCE = 20


async def echo(scope, receive, send):
    """Answers with method, path and body; ``/early`` without reading the body, ``/big`` with BIG bytes, ``/names`` with
    the names of the headers."""
    body, more = b"", scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    match scope["path"]:
        case "/big":
            answer = b"x" * BIG
        case "/names":
            answer = b",".join(name for name, _ in scope["headers"])
        case _:
            answer = b"%s %s %s" % (scope["method"].encode(), scope["path"].encode(), body)
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@contextlib.asynccontextmanager
async def served(*, most=100, **limits):
    limits = dataclasses.replace(Limits(body_seconds=0.05), **limits)
    server = HttpServer(echo, Settings(Path("none"), limits=limits, shutdown_seconds=1), most=most)
    (listener,) = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    task = asyncio.create_task(server.run_until_told(listener))
    try:
        yield server, port
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, PATIENCE)


async def talk(port, *pieces, half_close=False):
    """All that the server says until it closes; each piece in a segment of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    if half_close:
        writer.write_eof()
    said = b""
    with contextlib.suppress(ConnectionError):
        said = await asyncio.wait_for(reader.read(-1), PATIENCE)
    writer.close()
    return said


def post(path, body, *headers, last=True):
    close = [b"connection: close\r\n"] if last else []
    lines = b"".join([HOST, *headers, *close])
    return b"POST %s HTTP/1.1\r\n%scontent-length: %d\r\n\r\n%s" % (path, lines, len(body), body)


def run(work):
    return asyncio.run(work)


@pytest.mark.parametrize("cut", [1, 40, 150, 200, 10_000])
def test_an_upgrade_is_ignored_and_the_body_read(cut):
    """However the request is cut into segments; the next request on the connection is answered too."""

    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            first = (
                b"POST /a HTTP/1.1\r\n" + HOST + UPGRADE + b"content-length: 24\r\n\r\nGET /b HTTP/1.1\r\n\r\nabcde\n"
            )
            both = first + post(b"/c", b"2")
            return await talk(port, both[:cut], both[cut:])

    said = run(work())
    assert said.count(b"HTTP/1.1 200") == 2
    assert b"POST /a GET /b HTTP/1.1\r\n\r\nabcde" in said  # a body that looks like a request is none
    assert b"POST /c 2" in said


def test_many_upgrades_in_one_segment():
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            one = b"GET /u HTTP/1.1\r\n" + HOST + b"connection: upgrade\r\nupgrade: x\r\n\r\n"
            return await talk(port, one * 300 + post(b"/c", b"2"))

    assert run(work()).count(b"HTTP/1.1 200") == 301


@pytest.mark.parametrize(
    "pieces",
    [
        (b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", b"x"),
        (b"GET /early HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", b"x"),
        (b"POST /early HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"5\r\nab"),
        (b"GET /done HTTP/1.1\r\nhost: x\r\n\r\n", b"G"),
        (b"GET /done HTTP/1.1\r\nhost: x\r\n", b"a"),
        (),
    ],
    ids=["early answer", "GET with a body", "chunks", "a byte of the next", "half a head", "nothing"],
)
def test_a_connection_that_goes_silent_is_closed(pieces):
    async def work():
        async with served() as (server, port):
            said = await talk(port, *pieces)
            assert not server.room.waiting
            return said

    said = run(work())
    assert said.count(b"HTTP/1.1 200") == (len(pieces) > 0 and pieces[-1] != b"a")


def test_the_rest_of_a_body_that_was_answered_early_is_no_request():
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            return await talk(port, post(b"/early", b"GET / HTTP/1.1\r\n\r\n" * 9, last=False), post(b"/c", b"2"))

    assert run(work()).count(b"HTTP/1.1 200") == 2


def test_an_answer_that_nobody_reads_is_given_up():
    async def work():
        async with served() as (server, port):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, post(b"/big", b"", last=False))
            while not server.server_state.connections:
                await asyncio.sleep(0.01)
            while server.server_state.connections:
                await asyncio.sleep(0.01)
            client.close()

    run(asyncio.wait_for(work(), PATIENCE))


def test_answers_that_nobody_reads_hold_so_much_together(monkeypatch):
    """The one blocked longest goes; by time alone none would in this test."""
    monkeypatch.setattr(room, "UNSENT_BYTES", 2 * BIG)

    async def work():
        async with served(body_seconds=3600) as (server, port):
            clients = []
            for _ in range(6):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", port))
                client.sendall(post(b"/big", b"", last=False))
                clients.append(client)
            while len(server.server_state.connections) < 6 and server.server_state.total_requests < 6:
                await asyncio.sleep(0.01)
            while len(server.server_state.connections) > 2:
                await asyncio.sleep(0.01)
            for client in clients:
                client.close()

    run(asyncio.wait_for(work(), PATIENCE))


def test_bodies_that_do_not_end_hold_so_much_together(monkeypatch):
    monkeypatch.setattr(room, "HELD_BYTES", 100_000)

    async def work():
        async with served(body_seconds=3600) as (server, port):
            opened = []
            for _ in range(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n" + b"x" * 40_000)
                opened.append((reader, writer))
            while len(server.server_state.connections) != 2 or server.room.waiting.keys() == set():
                await asyncio.sleep(0.01)
            assert (await talk(port, post(b"/c", b"2"))).endswith(b"POST /c 2")
            for _, writer in opened:
                writer.close()

    run(asyncio.wait_for(work(), PATIENCE))


def test_when_all_connections_are_taken_those_that_wait_make_room():
    async def work():
        async with served(most=8, body_seconds=3600) as (server, port):
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
            for number in range(30):
                assert (await talk(port, post(b"/c", b"%d" % number))).endswith(b"POST /c %d" % number)
            assert len(server.server_state.connections) <= 8
            for _, writer in idle:
                writer.close()

    run(asyncio.wait_for(work(), PATIENCE))


def test_a_client_that_has_sent_all_it_wants_gets_its_answer():
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            return await talk(port, post(b"/c", b"2", last=False), half_close=True)

    assert run(work()).endswith(b"POST /c 2")


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "host"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "host"),
        (b"GET /\r\n\r\n", "version"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "transfer-encoding"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-type: a/b\r\ncontent-type: a/b\r\n\r\n", "content-type"),
        (b"CONNECT x:1 HTTP/1.1\r\nhost: a\r\n\r\n", "CONNECT"),
        (b"\x16\x03\x01 nonsense\r\n\r\n", "HTTP"),
    ],
)
def test_what_must_not_be_answered_is_a_problem_document(sent, named):
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            return await talk(port, sent)

    head, _, body = run(work()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    problem = json.loads(body)
    assert problem["type"] == "urn:tillside:problem:invalid-request"
    assert named in problem["detail"]


def test_one_of_the_old_clients_is_served():
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            return await talk(port, b"GET /old HTTP/1.0\r\n\r\n")

    assert run(work()).endswith(b"GET /old ")


def test_an_answer_to_the_first_of_two_requests_whose_client_has_gone_is_no_error():
    """In uvloop, as in a server, where to write to a closed connection raises; the second request is never asked."""
    ended: list[BaseException | None] = []

    async def work() -> None:
        async def app(scope, receive, send) -> None:
            for each in list(server.server_state.connections):
                each.abort()
            while server.server_state.connections:
                await asyncio.sleep(0)
            try:
                await echo({**scope, "path": "/early"}, receive, send)
            except Exception as error:
                ended.append(error)
            else:
                ended.append(None)

        server = HttpServer(app, Settings(Path("none"), shutdown_seconds=1), most=100)
        (listener,) = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        task = asyncio.create_task(server.run_until_told(listener))
        await talk(port, post(b"/a", b"1", last=False) + post(b"/b", b"2"))
        server.should_exit = True
        await asyncio.wait_for(task, PATIENCE)

    uvloop.run(work())
    assert ended == [None]


CHUNKED = b"HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"NONSENSE \0\r\n\r\n", b"400"),
        (b"GET http://[::/ HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
        (b"POST /b " + CHUNKED + b"zz\r\n", b"400"),
        (b"POST /b " + CHUNKED + b"1\r\nx\r\n0\r\na: " + b"b" * 40_000, b"431"),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 40_000, b"431"),
    ],
    ids=["head", "target", "chunk", "trailer", "long head"],
)
@pytest.mark.parametrize("before", [0, 1, 3, 400])
def test_what_is_broken_is_refused_after_the_requests_before_it_are_answered(before, broken, status):
    """Whoever tells answers by their order must not take the refusal for that of another request."""

    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            good = b"".join(post(b"/a", b"%d." % number, last=False) for number in range(before))
            return await talk(port, good + broken + post(b"/never", b""))

    said = run(work())
    parts = said.split(b"HTTP/1.1 ")[1:]
    assert [part[:3] for part in parts] == [b"200"] * before + [status]
    assert [part.rpartition(b" ")[2] for part in parts[:-1]] == [b"%d." % number for number in range(before)]


def test_a_request_that_was_answered_before_its_body_broke_gets_no_second_answer():
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /early " + CHUNKED)
            said = await reader.readuntil(b"POST /early ")
            writer.write(b"zz\r\n")
            said += await asyncio.wait_for(reader.read(-1), PATIENCE)
            writer.close()
            return said

    assert run(work()).count(b"HTTP/1.1 ") == 1


def test_trailers_are_no_headers():
    """They are read before the request is answered, and what stands in front of the server does not look at them."""

    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            trailers = b"authorization: Bearer x\r\ncontent-type: a/b\r\nhost: y\r\nexpect: 100-continue\r\n"
            first = b"POST /names " + CHUNKED + b"1\r\nx\r\n0\r\n" + trailers + b"\r\n"
            return await talk(port, first, post(b"/c", b"2"))

    said = run(work())
    assert said.count(b"HTTP/1.1 200") == 2
    assert b"\r\n\r\nhost,transfer-encodingHTTP/1.1 200" in said


@pytest.mark.parametrize("begun", [b"0\r\na: ", b"1;", b"1;a=", b"00000000000000"])
def test_what_stands_between_the_chunks_of_a_body_is_bounded_as_headers_are(begun):
    """The parser copies a trailer anew with every piece of it: 47 MB of one took all workers' time for five seconds."""

    async def work():
        async with served(body_seconds=3600) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /a " + CHUNKED + begun)
            with contextlib.suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(b"0" * 4096)
                    await writer.drain()
            said = b""
            with contextlib.suppress(ConnectionError):
                said = await asyncio.wait_for(reader.read(-1), PATIENCE)
            writer.close()
            return said

    assert run(asyncio.wait_for(work(), PATIENCE))[:12] in (b"", b"HTTP/1.1 431")


@pytest.mark.parametrize("size", [1, 30])
def test_many_requests_in_one_segment_wait_as_bytes(monkeypatch, size):
    """What is parsed is not more than a piece, and all of it is answered, in order, and nothing else waits for it."""
    monkeypatch.setattr(connection, "PIECE_BYTES", 1000)
    most = 0

    async def work():
        nonlocal most

        async def app(scope, receive, send):
            nonlocal most
            most = max(most, *(len(each.pipeline) for each in server.server_state.connections))
            await echo(scope, receive, send)

        server = HttpServer(app, Settings(Path("none"), shutdown_seconds=1), most=100)
        (listener,) = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        task = asyncio.create_task(server.run_until_told(listener))
        sent = b"".join(post(b"/a", b"%d." % number * size, last=number == 1999) for number in range(2000))
        said = await talk(port, sent)
        server.should_exit = True
        await asyncio.wait_for(task, PATIENCE)
        return said

    parts = run(work()).split(b"HTTP/1.1 200")[1:]
    assert [part.rpartition(b" ")[2] for part in parts] == [b"%d." % number * size for number in range(2000)]
    assert most <= 1000 // len(post(b"/a", b"", last=False)) + 1


@pytest.mark.parametrize("rest", [b"", b"GET /x HTTP/1.1\r\nho"])
def test_a_client_that_sent_several_and_no_more_gets_all_answers(rest):
    async def work():
        async with served(body_seconds=PATIENCE) as (_, port):
            return await talk(port, post(b"/c", b"2", last=False) * 500 + rest, half_close=True)

    assert run(work()).count(b"HTTP/1.1 200") == 500
