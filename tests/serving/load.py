"""A small closed-loop load over raw sockets, as strict as a client can be: whatever is not a whole 200 is a failure.

A refused connection is no failure, it ends the client: nobody listens there any more, and no request was sent.
"""

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

BODY = {"session": [{"item_id": "pear"}, {"item_id": "apple"}], "k": 2}


class Load:
    """What was sent and what came back.

    Attributes:
        answered: answers so far.
        failed: one sentence for each request without a whole 200.
        tiers: answers by tier and reason.
        bundles: answers by bundle version.
    """

    def __init__(self, port: int, bodies: Sequence[dict[str, Any]]) -> None:
        self._port = port
        self._requests = [_request(body) for body in bodies]
        self._enough = threading.Event()
        self.answered = 0
        self.failed: list[str] = []
        self.tiers: Counter[tuple[str, str | None]] = Counter()
        self.bundles: Counter[str | None] = Counter()

    async def run(self, clients: int) -> None:
        """Send until told that it is enough."""
        await asyncio.gather(*(self._client(number) for number in range(clients)))

    def stop(self) -> None:
        """Let each client finish its request."""
        self._enough.set()

    async def _client(self, number: int) -> None:
        connection = None
        while not self._enough.is_set():
            if connection is None:
                try:
                    connection = await asyncio.open_connection("127.0.0.1", self._port)
                except (ConnectionRefusedError, ConnectionResetError):
                    return  # nobody listens; reset where the listener closed within the handshake: nothing was sent yet
                except OSError as error:
                    self.failed.append(f"connect: {error!r}")
                    return
            try:
                goes_on = await self._ask(*connection, self._requests[number % len(self._requests)])
            except (OSError, EOFError, ValueError) as error:
                self.failed.append(repr(error))
                goes_on = False
            if not goes_on:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        body = await reader.readexactly(size)
        if not head.startswith("http/1.1 200"):
            self.failed.append(f"{head.splitlines()[0]} {body!r}")
            return "connection: close" not in head
        answer = json.loads(body)
        self.answered += 1
        self.tiers[answer["tier"], answer["degraded_reason"]] += 1
        self.bundles[answer["bundle"]] += 1
        return "connection: close" not in head


@contextlib.contextmanager
def load(port: int, *, clients: int = 4, bodies: Sequence[dict[str, Any]] = (BODY,)) -> Iterator[Load]:
    """A load in a thread of its own, until the block ends."""
    running = Load(port, bodies)
    thread = threading.Thread(target=lambda: asyncio.run(running.run(clients)))
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()


def _request(body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = "POST /v1/recommend HTTP/1.1\r\nhost: server\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
    return head.format(len(content)).encode() + content
