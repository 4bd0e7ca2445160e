"""uvicorn with bounded headers, on real sockets."""

import asyncio
import errno
import select
import socket

import pytest
from starlette.applications import Starlette

from serving.http.server import HttpServer, listen
from serving.settings import Settings


def test_a_line_that_is_not_http(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_line",
    [b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000],
    ids=["a long line", "many fields"],
)
@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["unfinished", "finished"])
def test_headers_are_bounded(running, request_line, end):
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as connection:
        connection.sendall(request_line + end)
        assert connection.recv(100).startswith(b"HTTP/1.1 431")


def test_sockets_of_one_port_share_it_and_a_taken_one_is_refused():
    several = listen("127.0.0.1", 0, sockets=3)
    port = several[0].getsockname()[1]
    try:
        assert [listener.getsockname()[1] for listener in several] == [port] * 3
        for sockets in (1, 3):
            with pytest.raises(OSError, match="in use"):
                listen("127.0.0.1", port, sockets=sockets)
    finally:
        for listener in several:
            listener.close()


def stopped(listener: socket.socket, *, for_good: bool, tmp_path) -> None:
    """A server on a listening socket, started and stopped."""

    async def told() -> bool:
        return for_good

    async def run() -> None:
        server = HttpServer(Starlette(), Settings(tmp_path), most=100, for_good=told)
        server.should_exit = True
        await server.run_until_told(listener)

    asyncio.run(run())


def begun(address: tuple[str, int]) -> socket.socket:
    """A client that has begun to connect."""
    client = socket.socket()
    client.setblocking(False)
    assert client.connect_ex(address) == errno.EINPROGRESS
    return client


def test_a_server_that_stops_for_good_lets_nobody_into_a_queue_that_nobody_looks_at(tmp_path):
    """The other handle is of a worker that has not closed it yet: whom its close would reset must not get in."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener, listener.dup() as other:
        address = listener.getsockname()
        stopped(listener, for_good=True, tmp_path=tmp_path)
        with begun(address) as late:
            other.close()
            assert select.select([], [late], [], 30)[1]
            assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_a_worker_that_stops_alone_leaves_the_shared_socket_as_it_was(tmp_path):
    """Its stand-in accepts from it, with the whole queue: three clients at once are no crowd for a backlog of 50."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener, listener.dup() as other:
        address = listener.getsockname()
        stopped(listener, for_good=False, tmp_path=tmp_path)
        clients = [socket.create_connection(address, timeout=30) for _ in range(3)]
        for client in clients:
            with client, other.accept()[0] as accepted:
                accepted.sendall(b"answer")
                assert client.recv(100) == b"answer"
