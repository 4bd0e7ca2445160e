"""Events for a collector as fast as it takes them: connections that each send the next batch once one is answered.

Every batch has ids of its own, which are put into one encoded batch, so that the generator costs a few microseconds a
batch beside the collector that it measures.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Final, cast

import numpy as np

from serving.bench.load import address_of
from serving.bench.summary import percentiles

MARK: Final = b"@@@@@@@@@@@@@@@@"
"""Stands for a batch's own part of its ids."""
KINDS: Final = ("impression", "impression", "impression", "click")


def batch_body(events: int) -> bytes:
    """An encoded batch of events of several shoppers, with MARK in their ids."""
    return json.dumps(
        [
            {
                "event_id": f"{MARK.decode()}-{number:04d}",
                "kind": KINDS[number % len(KINDS)],
                "time": 1_767_225_600_000 + number,
                "shopper": f"shopper{number}",
                "session": f"session{number}",
                "recommendation_id": f"{number:032x}",
                "placement": "cart",
                "item": f"item{number * 7}",
                "position": number % 10 + 1,
            }
            for number in range(events)
        ],
        separators=(",", ":"),
    ).encode()


def batch_request(body: bytes, host: str) -> bytes:
    """The batch as an HTTP request."""
    head = f"POST /v1/events HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


@dataclass
class Sent:
    """What came of a load.

    Attributes:
        seconds: of each batch that was answered with 200.
        refused: number of those that were answered otherwise.
        lasted: from the first batch to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    lasted: float = 0.0

    def rate(self, events: int) -> float:
        """Events a second, of batches of ``events``."""
        return len(self.seconds) * events / self.lasted

    def p99_ms(self) -> float:
        """99th percentile of the batches' times."""
        return percentiles(np.array(self.seconds) * 1000)["p99_ms"]


class _Sender(asyncio.Protocol):
    def __init__(self, load: "EventLoad") -> None:
        self._load = load
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of no class of asyncio's
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._answer.endswith(b"}"):
            return
        now = time.perf_counter()
        if self._answer.startswith(b"HTTP/1.1 200"):
            self._load.sent.seconds.append(now - self._at)
        else:
            self._load.sent.refused += 1
        if now < self._load.end:
            self._next()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set_result(None)

    def _next(self) -> None:
        self._answer = b""
        self._at = time.perf_counter()
        self._transport.write(self._load.request())


class EventLoad:
    """One load; runs once.

    Attributes:
        sent: filled while it runs.
    """

    def __init__(self, url: str, *, events: int, connections: int, seconds: float) -> None:
        self._address = address_of(url)
        self._template = batch_request(batch_body(events), url.removeprefix("http://"))
        self._connections, self._seconds = connections, seconds
        self._own, self._number = secrets.token_hex(4), 0
        self.sent = Sent()
        self.end = 0.0

    def request(self) -> bytes:
        """The next batch."""
        self._number += 1
        return self._template.replace(MARK, f"{self._own}{self._number:08x}".encode())

    async def run(self) -> Sent:
        """Send until the time is over, and wait for the last answers."""
        start = time.perf_counter()
        self.end = start + self._seconds
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(lambda: _Sender(self), *self._address) for _ in range(self._connections)]
        await asyncio.gather(*(sender.over for _, sender in made))
        self.sent.lasted = time.perf_counter() - start
        return self.sent
