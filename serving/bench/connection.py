"""Keep-alive connection of the generator, with one request in flight at a time.

A connection that the server closed while idle is reopened for the next request, within that request's latency. One that
breaks with a request in flight fails the request: nothing is retried, so that lost requests are counted.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools


class Waiting(Protocol):
    """Receiver of the result of each request."""

    def answered(self, slot: "Slot", request: int, status: int, body: bytes) -> None:
        """Called when the complete response has arrived."""

    def failed(self, slot: "Slot", request: int, error: str) -> None:
        """Called when no response will arrive."""


class Slot:
    """Slot for one connection, reopened as needed."""

    def __init__(self, host: str, port: int, owner: Waiting) -> None:
        self._address = host, port
        self._owner = owner
        self._link: _Link | None = None
        self._opening: asyncio.Task[None] | None = None
        self.request: int | None = None
        """Number of the request in flight, if any."""

    async def open(self) -> None:
        """Connect unless already connected.

        Raises:
            OSError: the connection cannot be made.
        """
        if self._link is None:
            link = _Link(self.ended, self.lost)
            await asyncio.get_running_loop().create_connection(lambda: link, *self._address)
            self._link = link

    def send(self, request: int, payload: bytes) -> None:
        """Send a request; the slot must have none in flight."""
        assert self.request is None
        self.request = request
        if self._link is not None:
            self._link.write(payload)
        else:
            self._opening = asyncio.get_running_loop().create_task(self._open_and_send(request, payload))

    async def _open_and_send(self, request: int, payload: bytes) -> None:
        try:
            await self.open()
        except OSError as error:
            if self.request == request:
                self._fail("refused" if isinstance(error, ConnectionRefusedError) else type(error).__name__)
        else:
            if self.request == request and self._link is not None:
                self._link.write(payload)

    def drop(self, error: str | None = None) -> None:
        """Abort the connection; with ``error``, fail a request in flight."""
        link, self._link = self._link, None
        if self._opening is not None:
            self._opening.cancel()
        if link is not None:
            link.abort()
        if error is not None and self.request is not None:
            self._fail(error)

    def ended(self, link: "_Link", status: int, body: bytes, stays: bool) -> None:
        """Handle a complete response on a link; ``stays`` is whether the connection is kept alive."""
        if link is not self._link or self.request is None:
            return
        request, self.request = self.request, None
        if not stays:
            self._link = None
            link.abort()
        self._owner.answered(self, request, status, body)

    def lost(self, link: "_Link", error: str) -> None:
        """Handle a broken link."""
        if link is self._link:
            self._link = None
            if self.request is not None:
                self._fail(error)

    def _fail(self, error: str) -> None:
        assert self.request is not None
        request, self.request = self.request, None
        self._owner.failed(self, request, error)


class _Link(asyncio.Protocol):
    """One TCP connection, with the parser of its current response."""

    def __init__(
        self, ended: Callable[["_Link", int, bytes, bool], None], lost: Callable[["_Link", str], None]
    ) -> None:
        self._ended, self._lost = ended, lost
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def write(self, payload: bytes) -> None:
        assert self._transport is not None
        self._transport.write(payload)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is no subclass

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._lost(self, "invalid-http")
            self.abort()

    def on_message_begin(self) -> None:
        self._body.clear()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._ended(self, self._parser.get_status_code(), b"".join(self._body), self._parser.should_keep_alive())

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self, "reset")
