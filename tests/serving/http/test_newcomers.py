"""The last moments of a listening socket: who is in is served, who comes too late is refused and never reset."""

import errno
import select
import socket

import pytest

from serving.http.newcomers import turn_away_newcomers


def test_a_client_that_comes_between_the_last_look_and_the_close_is_refused():
    """Were its handshake still to end, it would send its request and see a reset in place of an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        early = socket.create_connection(listener.getsockname(), timeout=30)
        if not turn_away_newcomers(listener):
            pytest.skip("this system has no filter of sockets")
        late.setblocking(False)
        assert late.connect_ex(listener.getsockname()) != 0  # under way, and it stays so
        accepted, _ = listener.accept()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.close()
        assert select.select([], [late], [], 30)[1]
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        with early, accepted:
            early.sendall(b"question")
            assert accepted.recv(100) == b"question"
            accepted.sendall(b"answer")
            assert early.recv(100) == b"answer"
