"""uvicorn with bounded connections, SO_REUSEPORT accepting across workers, and a shutdown that loses no request.

Each worker has its own listening socket on the shared port, so that the kernel spreads connections evenly; the socket
of a dead worker is taken over by another. Connections are accepted here, not by the event loop's server, because
sockets come and go, and because at shutdown everything in the kernel's accept queue must be accepted and answered, or
its clients would see a reset: newcomers are turned away before the last look at it. With all connections taken, the one
that has waited longest makes room for a new client.
"""

import asyncio
import contextlib
import errno
import logging
import os
import resource
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Protocol

import uvicorn
from starlette.types import ASGIApp

from serving.http.connection import connections_within
from serving.http.newcomers import turn_away_newcomers
from serving.http.room import Room
from serving.protocol.limits import Limits

log = logging.getLogger("serving")

BACKLOG: Final = 2048
ACCEPTS: Final = 16
"""Maximum connections accepted per event loop turn."""
OUT_OF_FILES: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
PAUSE_SECONDS: Final = 0.1
LINGER_SECONDS: Final = 1.0
"""Time that connections accepted at shutdown have to send their request."""
LEAST_HANDSHAKE_SECONDS, HANDSHAKE_SECONDS = 0.02, 0.25
"""Time at shutdown in which handshakes under way may end: a round trip; bounded by the grace time as well."""
KEEP_ALIVE_SECONDS: Final = 75
RESERVED_FILES: Final = 96
"""Open files that connections of the main port leave free: for the admin port, and for a reload's bundle."""
ADMIN_CONNECTIONS: Final = 32
FEWEST_CONNECTIONS: Final = 16
TOLD_SECONDS: Final = 10.0


def most_connections() -> int:
    """Connections that the limit on open files leaves for the main port of this process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(FEWEST_CONNECTIONS, soft - len(os.listdir("/proc/self/fd")) - RESERVED_FILES)


async def always() -> bool:
    """True."""
    return True


class Bounds(Protocol):
    """What of a server's settings bounds its connections."""

    @property
    def limits(self) -> Limits:
        """Sizes and times."""

    @property
    def grace_seconds(self) -> int:
        """Time to keep answering after it was told to end."""

    @property
    def shutdown_seconds(self) -> int:
        """Time that requests in flight have at the end."""


class HttpServer(uvicorn.Server):
    """Server of one application on the sockets passed to :meth:`accept`; signals are left to its owner.

    Args:
        most: connections that are open at once.
        for_good: whether nobody accepts from the sockets after this server's shutdown; asked then.
    """

    def __init__(
        self, app: ASGIApp, settings: Bounds, *, most: int, for_good: Callable[[], Awaitable[bool]] = always
    ) -> None:
        self.room = Room(most)
        self._for_good = for_good
        self._handshake_seconds = max(LEAST_HANDSHAKE_SECONDS, min(HANDSHAKE_SECONDS, settings.grace_seconds))
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=connections_within(settings.limits, self.room),
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
        self._told = -TOLD_SECONDS

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
        """Accept and answer everything in the kernel's accept queue, then close; what comes later is not queued."""
        loop = asyncio.get_running_loop()
        listeners = list(self._listeners)
        if listeners and await self._for_good():
            turned_away = [turn_away_newcomers(listener) for listener in listeners]
            if all(turned_away):
                await asyncio.sleep(self._handshake_seconds)
            else:
                for listener in listeners:
                    listener.listen(0)  # the next best: nearly no backlog, so that clients wait and are soon refused
        for listener in listeners:
            self.release(listener)
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
            if self._full() and not self._make_room():
                self._wait(listener)
                return
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                if error.errno in OUT_OF_FILES:  # the socket stays readable: look again a little later
                    self._tell(f"cannot accept a connection: {error.strerror}")
                    self.room.make_room()
                    self._wait(listener)
                return
            connection.setblocking(False)
            task = loop.create_task(self._connect(connection))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    def _full(self) -> bool:
        return len(self.server_state.connections) + len(self._handshakes) >= self.room.most

    def _make_room(self) -> bool:
        self._tell(f"all {self.room.most} connections are taken: those that have waited longest make room for new ones")
        return self.room.make_room()

    def _tell(self, sentence: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            log.error("%s", sentence)

    def _wait(self, listener: socket.socket) -> None:
        """Look at a listener again a little later; its socket stays readable."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(PAUSE_SECONDS, self._take_again, listener)

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
