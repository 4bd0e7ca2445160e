"""A deadline is one moment for all of a request, and each thread has its own."""

import socket
import threading

import httpcore
import httpx
import pytest

from tillside.client.deadlines import Deadline, DeadlineTransport


@pytest.fixture
def clock(monkeypatch):
    """Sets the time."""
    times = [100.0]
    monkeypatch.setattr("tillside.client.deadlines.time.monotonic", lambda: times[0])
    return times


def test_what_is_left_shrinks_and_at_the_deadline_nothing_is(clock):
    deadline = Deadline()
    deadline.at = 100.25
    assert deadline.left(httpcore.ReadTimeout) == 0.25
    clock[0] = 100.125
    assert deadline.left(httpcore.ReadTimeout) == 0.125
    clock[0] = 100.25
    with pytest.raises(httpcore.WriteTimeout):
        deadline.left(httpcore.WriteTimeout)


def test_a_thread_knows_nothing_of_anothers_deadline():
    deadline = Deadline()
    deadline.at = 0.0
    seen = []
    thread = threading.Thread(target=lambda: seen.append(deadline.at))
    thread.start()
    thread.join()
    assert seen == [float("inf")]


def test_httpx_is_told_which_step_was_late():
    """Past the deadline nothing is connected; a request on its way is given up while it reads."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = DeadlineTransport(limits=httpx.Limits(), tls=False)
        with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{silent.getsockname()[1]}") as client:
            transport.deadline.at = 0.0
            with pytest.raises(httpx.ConnectTimeout):
                client.get("/")
