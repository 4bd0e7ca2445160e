"""What an exchange makes of a response: its body, or a reason for the metrics and a sentence for people."""

import json

import httpx
import pytest

from tillside.client.exchange import Exchange, Failure, _failure, _outcome


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 431])
def test_a_refusal_is_an_answer_too_with_the_servers_sentence(status):
    failure = _outcome(status, json.dumps({"detail": "k must be\nan integer"}).encode())
    assert failure == Failure("refused", f"status {status}: k must be an integer")
    assert failure.answered is True


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 301, 204])
def test_any_other_status_is_a_fault_named_by_its_number(status):
    assert _outcome(status, b"") == Failure(f"status_{status}")
    assert _outcome(status, b"").answered is False


def test_a_200_is_its_body():
    assert _outcome(200, b"{}") == b"{}"


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"detail": 7}', b"[" * 100_000])
def test_a_refusal_without_a_sentence_is_told_by_its_status(body):
    assert _outcome(422, body) == Failure("refused", "status 422")


def test_a_sentence_is_cut_at_three_hundred_characters():
    assert _outcome(422, json.dumps({"detail": "x" * 1000}).encode()).sentence == "status 422: " + "x" * 300


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.ConnectTimeout("slow"), "timeout"),
        (httpx.ConnectError("nobody"), "connect"),
        (httpx.RemoteProtocolError("not HTTP"), "bad_answer"),
    ],
)
def test_reasons_are_of_few_kinds(error, reason):
    assert _failure(error, closed=False) == Failure(reason)
    assert _failure(error, closed=True) == Failure("closed")


def test_a_closed_client_tells_the_breaker_nothing():
    assert Failure("closed").answered is None


def test_a_fault_of_the_client_is_told_by_type_and_sentence():
    assert _failure(KeyError("x"), closed=False) == Failure("error", "KeyError: 'x'")


@pytest.mark.parametrize(
    ("url", "token", "sentence"),
    [
        ("shop:8080", None, "url must be an address such as http://tillside:8080, got 'shop:8080'"),
        ("ftp://shop", None, "url must be an address"),
        ("http://shop", "a b", "token must be printable ASCII without spaces"),
        ("http://shop", "", "token must be printable ASCII without spaces"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(url, token, sentence):
    with pytest.raises(ValueError, match=sentence):
        Exchange(url, token=token, tls=None)
