"""A connection that breaks, closes or says nothing; nothing here asserts on how long anything took."""

from tests.serving.bench.scripted import ANSWER, Scripted, http


def test_a_connection_that_breaks_fails_its_request_and_the_next_one_gets_another():
    server = Scripted(http(ANSWER), None, http(ANSWER))
    summary, _ = server.under([0.0] * 3)
    assert summary.errors == {"reset": 1}
    assert summary.answered == 2
    assert server.connections == 2


def test_a_connection_that_the_server_closes_after_an_answer_fails_nothing():
    server = Scripted(http(ANSWER, close=True), http(ANSWER))
    summary, _ = server.under([0.0] * 3)
    assert (summary.answered, summary.failed, server.connections) == (3, 0, 2)


def test_what_is_not_http_is_an_error():
    summary, _ = Scripted(b"SSH-2.0-OpenSSH\r\n\r\n", http(ANSWER)).under([0.0] * 2)
    assert summary.errors == {"invalid-http": 1}
    assert summary.answered == 1


def test_a_silent_server_costs_a_timeout_each_and_the_load_ends():
    summary, _ = Scripted(b"").under([0.0] * 3, timeout=0.01)
    assert summary.errors == {"timeout": 3}
    assert summary.latency_ms == {}
