"""uvicorn with bounded headers, SO_REUSEPORT accepting across workers, and a shutdown that loses no request.

Each worker has its own listening socket on the shared port, so that the kernel spreads connections evenly; the socket
of a dead worker is taken over by another. Connections are accepted here, not by the event loop's server, because
sockets come and go, and because at shutdown everything in the kernel's accept queue must be accepted and answered, or
its clients would see a reset.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.protocol.limits import Limits
from serving.settings import Settings

log = logging.getLogger("serving")

BACKLOG: Final = 2048
ACCEPTS: Final = 16
"""Maximum connections accepted per event loop turn."""
OUT_OF_FILES: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
PAUSE_SECONDS: Final = 0.1
LINGER_SECONDS: Final = 1.0
"""Time that connections accepted at shutdown have to send their request."""
KEEP_ALIVE_SECONDS: Final = 75
TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\n"
    b"cache-control: no-store\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)


class _HeadersTooLargeError(Exception):
    pass


def bounded_protocol(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's HTTP protocol with a size limit and a timeout for headers, which it does not have itself."""
    detail = b"the request line and the headers must be at most %d bytes" % limits.header_bytes
    document = (
        b'{"type":"urn:tillside:problem:headers-too-large","title":"Headers too large","status":431,"detail":"%s"}'
    )
    document %= detail
    refusal = TOO_LARGE % (len(document), document)

    class BoundedProtocol(HttpToolsProtocol):
        _received = 0
        _counted = 0
        _heading = True
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait_for_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._heading:
                self._received += len(data)
                self._wait_for_headers()
            super().data_received(data)
            if self._heading and self._received > limits.header_bytes and not self.transport.is_closing():
                self._refuse()

        def send_400_response(self, msg: str) -> None:
            if self._counted > limits.header_bytes:
                self._refuse()
            else:
                super().send_400_response(msg)

        def on_message_begin(self) -> None:
            self._heading, self._counted = True, 0
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            self._count(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self._count(len(name) + len(value) + 4)
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._heading, self._received = False, 0
            self._stop_waiting()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._heading, self._received = True, 0

        def _count(self, size: int) -> None:
            self._counted += size
            if self._counted > limits.header_bytes:
                raise _HeadersTooLargeError

        def _refuse(self) -> None:
            self.transport.write(refusal)
            self.transport.close()

        def _wait_for_headers(self) -> None:
            if self._timer is None:
                self._timer = self.loop.call_later(limits.body_seconds, self.transport.close)

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return BoundedProtocol


class HttpServer(uvicorn.Server):
    """Server of one application on the sockets passed to :meth:`accept`; signals are left to its owner."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=bounded_protocol(settings.limits),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=settings.shutdown_seconds,
            )
        )
        self._listeners: set[socket.socket] = set()
        self._handshakes: set[asyncio.Task[Any]] = set()

    async def run_until_told(self, *listeners: socket.socket) -> None:
        """Serve until ``should_exit``, then drain accepted connections."""
        for listener in listeners:
            self.accept(listener)
        await self.serve()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start without opening sockets."""
        await self.lifespan.startup()
        self.servers = []
        self.started = True

    def accept(self, listener: socket.socket) -> None:
        """Start accepting connections from a listening socket."""
        listener.setblocking(False)
        self._listeners.add(listener)
        asyncio.get_running_loop().add_reader(listener, self._take, listener, ACCEPTS)

    def release(self, listener: socket.socket) -> None:
        """Stop accepting from a socket without closing it, so that another worker can take it over."""
        self._listeners.discard(listener)
        asyncio.get_running_loop().remove_reader(listener)

    def close_after_answers(self) -> None:
        """Send ``connection: close`` with every further response, so that no keep-alive connection is left at exit."""
        close = (b"connection", b"close")
        self.config.encoded_headers.append(close)
        self.server_state.default_headers.append(close)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept and answer everything in the kernel's accept queue, then close."""
        loop = asyncio.get_running_loop()
        for listener in list(self._listeners):
            self.release(listener)
            listener.listen(0)  # no backlog: from here on clients wait, and are soon refused, instead of queued
            self._take(listener, BACKLOG)
            listener.close()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        end = loop.time() + LINGER_SECONDS
        while (
            any(getattr(connection, "cycle", None) is None for connection in self.server_state.connections)
            and loop.time() < end
        ):
            await asyncio.sleep(0.01)  # their requests are on the way
        await super().shutdown()

    def _take(self, listener: socket.socket, most: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(most):
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                if error.errno in OUT_OF_FILES:  # the socket stays readable: look again a little later
                    log.error("cannot accept a connection: %s", error.strerror)
                    loop.remove_reader(listener)
                    loop.call_later(PAUSE_SECONDS, self._take_again, listener)
                return
            connection.setblocking(False)
            task = loop.create_task(self._connect(connection))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    def _take_again(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener, self._take, listener, ACCEPTS)

    async def _connect(self, connection: socket.socket) -> None:
        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:
            connection.close()


def listen(host: str, port: int, *, sockets: int = 1) -> list[socket.socket]:
    """Listening sockets on one port; with several (SO_REUSEPORT) the kernel spreads connections over them.

    Raises:
        OSError: the address is taken or cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    alone = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if sockets == 1:
        return [alone]
    port = alone.getsockname()[1]
    alone.close()  # it proved that no other process listens here: SO_REUSEPORT would share connections with it silently
    return [socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=True) for _ in range(sockets)]
