"""Servers that behave as a test says, over real sockets: a thread accepts, another one plays each connection's part.

A part gets the connection and returns when it is done; the connection is closed then. Nothing here sleeps by the clock:
a part that stalls waits until the other side has hung up.
"""

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

Part = Callable[["Scene", socket.socket], None]

ANSWER: dict[str, Any] = {
    "recommendation_id": "r1",
    "items": [
        {"item_id": "pear", "score": 2.5, "source": "model", "because": "fig"},
        {"item_id": "plum", "score": 1, "source": "popularity", "because": None},
    ],
    "tier": "model",
    "degraded_reason": None,
    "behaviour": "purchase",
    "purchase_intent": 0.25,
    "unknown_items": ["quince"],
    "bundle": "b1",
}


class Scene:
    """A listening socket on loopback and what plays behind it.

    Attributes:
        url: where it listens.
        connections: how many were accepted.
        requests: head and body of every request that was read by :meth:`read`.
        hung_up: set when a part saw the other side leave.
        on_accept: called for every connection.
    """

    def __init__(self, part: Part, listener: socket.socket | None = None) -> None:
        self._part = part
        self._listener = socket.create_server(("127.0.0.1", 0)) if listener is None else listener
        self._listener.listen()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.hung_up = threading.Event()
        self.on_accept: Callable[[], object] = lambda: None
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> "Scene":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def read(self, connection: socket.socket) -> bool:
        """Read one request; False when the other side has closed."""
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return False
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while len(body) < int(fields["content-length"]):
            body += connection.recv(65536)
        self.requests.append((head.decode(), json.loads(body)))
        return True

    def stall(self, connection: socket.socket) -> None:
        """Say nothing until the other side hangs up."""
        while connection.recv(65536):
            pass
        self.hung_up.set()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.on_accept()
            thread = threading.Thread(target=self._play, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _play(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                self._part(self, connection)
            except (ConnectionError, BrokenPipeError):
                self.hung_up.set()


def http(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """A whole HTTP response."""
    head = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def answers(response: bytes) -> Part:
    """A part that answers every request on a connection with the same bytes."""

    def part(scene: Scene, connection: socket.socket) -> None:
        while scene.read(connection):
            connection.sendall(response)

    return part


GOOD = http(json.dumps(ANSWER).encode())
