"""uvicorn with bounded headers, on real sockets."""

import socket

import pytest

from serving.http.server import listen


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
