"""Rude clients: as many as were asked for are connected, each kind does what it is called, and none is left over."""

import asyncio

import numpy as np
import pytest

from benchmarks import rude_clients
from benchmarks.rude_clients import KINDS, crowd

REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"


async def heard(kind: str, monkeypatch, *, enough: int = 1) -> bytes:
    """What a server receives from a client of a kind, up to so many bytes or its end."""
    done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        while len(data) < enough and (more := await reader.read(enough - len(data))):
            data += more
        writer.close()
        if not done.done():
            done.set_result(data)

    monkeypatch.setattr(rude_clients, "DRIP_SECONDS", 0.0)
    monkeypatch.setattr(rude_clients, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(rude_clients, "KINDS", {kind: KINDS[kind]})
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, crowd(host, port, [REQUEST], size=1, rng=np.random.default_rng(0)) as lived:
        data = await done
        assert lived[kind] >= 1
    return data


@pytest.mark.parametrize(
    ("kind", "enough", "words"),
    [
        ("drip-head", 20, b"POST / HTTP/1.1\r\nhos"),
        ("drip-body", len(REQUEST), REQUEST),
        ("read-nothing", 2 * len(REQUEST), 2 * REQUEST),
        ("go-amid-request", 1000, REQUEST[: len(REQUEST) // 2]),
        ("talk-rubbish", 3, b"\x16\x03\x01"),
        (
            "promise-too-much",
            66,
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\nbody",
        ),
    ],
)
def test_each_kind_sends_what_it_is_called(monkeypatch, kind, enough, words):
    assert asyncio.run(heard(kind, monkeypatch, enough=enough)) == words[:enough]


def test_as_many_as_asked_for_are_connected_at_once_and_gone_at_the_end():
    async def run() -> None:
        connected, all_there = set(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.add(writer)
            if len(connected) == 5:
                all_there.set()
            await reader.read()
            connected.discard(writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        before = asyncio.all_tasks()
        async with server:
            async with crowd(host, port, [REQUEST], size=5, rng=np.random.default_rng(3)):
                await all_there.wait()
            assert not {task for task in asyncio.all_tasks() - before if "_live_on" in repr(task)}

    asyncio.run(run())
