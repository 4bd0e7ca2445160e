"""Synchronous httpx transport with a total deadline: every network operation gets the remaining time as its timeout.

httpx applies the same timeout to every read, so a server that trickles bytes never exceeds it. Here the network backend
under httpx enforces the deadline instead. DNS resolution has no timeout at all, and a name may resolve to several
addresses; so connecting runs in a thread of its own, which is abandoned at the deadline.
"""

import contextlib
import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

import httpcore
import httpx


class Deadline(threading.local):
    """Deadline of this thread's current request, in seconds of ``time.monotonic``."""

    at = float("inf")

    def left(self, late: type[Exception]) -> float:
        """Seconds left; raises ``late`` if the deadline has passed."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise late
        return seconds


class DeadlineTransport(httpx.HTTPTransport):
    """httpx transport whose connections respect the deadline.

    Attributes:
        deadline: to be set before each request.
    """

    def __init__(self, *, limits: httpx.Limits, tls: ssl.SSLContext | bool) -> None:
        self.deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(verify=tls),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(self.deadline),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = self._deadline.left(httpcore.ConnectTimeout)
        connect = functools.partial(self._inner.connect_tcp, host, port, seconds, local_address, socket_options)
        future: Future[httpcore.NetworkStream] = Future()
        threading.Thread(target=_fulfil, args=(future, connect), name="tillside-connect", daemon=True).start()
        try:
            return _Stream(future.result(seconds), self._deadline)
        except TimeoutError:
            future.add_done_callback(_close_late)
            raise httpcore.ConnectTimeout from None


def _fulfil(future: "Future[httpcore.NetworkStream]", connect: Callable[[], httpcore.NetworkStream]) -> None:
    try:
        future.set_result(connect())
    except Exception as error:
        future.set_exception(error)


def _close_late(future: "Future[httpcore.NetworkStream]") -> None:
    if future.exception() is None:
        future.result().close()


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        connection: socket.socket = self._inner.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(self._deadline.left(httpcore.WriteTimeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):  # wakes a thread blocked in read; close() alone would not
            self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
