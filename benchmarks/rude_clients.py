"""Clients that are slow or broken, each kind as a coroutine that lives until the server ends it or its time is up.

A crowd keeps a fixed number of them connected: one that has gone is followed by another of a kind drawn anew.
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import numpy as np

Life = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]
LIFE_SECONDS: Final = 30.0
DRIP_SECONDS: Final = 1.0
"""Between two bytes of a client that sends slowly."""
SHORT_SECONDS: Final = 2.0
"""Time that a client stays which would be gone at once, or whose connection cannot be made."""
UNREAD: Final = 200
"""Requests of a client that reads no answer."""


async def drip_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send the head byte by byte."""
    await _drip(writer, request)


async def drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send the head at once, and the body byte by byte."""
    head, blank, body = request.partition(b"\r\n\r\n")
    writer.write(head + blank)
    await _drip(writer, body)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Connect and wait."""
    await reader.read()


async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Ask again and again and leave every answer in the network."""
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport) or hasattr(transport, "pause_reading")
    transport.pause_reading()
    for _ in range(UNREAD):
        writer.write(request)
    await asyncio.sleep(LIFE_SECONDS)


async def go_amid_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send half a request, and no more."""
    writer.write(request[: len(request) // 2])
    writer.write_eof()
    await asyncio.sleep(SHORT_SECONDS)


async def go_amid_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Ask, and reset the connection before the answer can be written."""
    await asyncio.sleep(SHORT_SECONDS)
    writer.write(request)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await asyncio.sleep(0)


async def talk_rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send what is no HTTP."""
    writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS, or so it says\r\n\r\n")
    await reader.read()
    await asyncio.sleep(SHORT_SECONDS)


async def promise_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Announce a body of a gigabyte and send a part of it."""
    head, blank, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    writer.write(b"\r\n".join([*lines, b"content-length: 1073741824"]) + blank + body)
    await reader.read()
    await asyncio.sleep(SHORT_SECONDS)


KINDS: Final[dict[str, Life]] = {
    "drip-head": drip_head,
    "drip-body": drip_body,
    "say-nothing": say_nothing,
    "read-nothing": read_nothing,
    "go-amid-request": go_amid_request,
    "go-amid-answer": go_amid_answer,
    "talk-rubbish": talk_rubbish,
    "promise-too-much": promise_too_much,
}


@contextlib.asynccontextmanager
async def crowd(
    host: str, port: int, requests: Sequence[bytes], *, size: int, rng: np.random.Generator
) -> AsyncIterator[Counter[str]]:
    """Keep ``size`` rude clients connected while the block runs; the lives lived so far, by kind, are yielded.

    Args:
        requests: well-formed ones, of which the clients make something else.
    """
    lived: Counter[str] = Counter()
    tasks = [asyncio.create_task(_live_on(host, port, requests, rng, lived)) for _ in range(size)]
    try:
        yield lived
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    faults = [each for each in ended if isinstance(each, Exception)]
    if faults:
        raise faults[0]


async def _live_on(
    host: str, port: int, requests: Sequence[bytes], rng: np.random.Generator, lived: Counter[str]
) -> None:
    while True:
        kind, request = str(rng.choice([*KINDS])), requests[int(rng.integers(len(requests)))]
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(SHORT_SECONDS)
            continue
        lived[kind] += 1
        try:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LIFE_SECONDS):
                    await KINDS[kind](reader, writer, request)
        finally:
            writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    for byte in data:
        if writer.is_closing():
            return
        writer.write(bytes([byte]))
        await asyncio.sleep(DRIP_SECONDS)
