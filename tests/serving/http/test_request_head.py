"""Heads that two servers could read differently are unfit, and an upgrade is taken out of a head without a trace."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.http.request_head import unfit, without_upgrade


@given(st.lists(st.sampled_from(["host", "content-type", "accept"]), max_size=5))
def test_a_request_is_unfit_exactly_if_its_host_is_not_one_or_a_header_of_the_body_comes_twice(names):
    headers = [(name.encode(), b"x") for name in names]
    fit = names.count("host") == 1 and names.count("content-type") < 2
    assert (unfit("1.1", headers) is None) == fit


@pytest.mark.parametrize(
    ("version", "headers", "why"),
    [
        ("1.1", [(b"host", b"x")], None),
        ("1.0", [], None),
        ("1.0", [(b"transfer-encoding", b"chunked")], "must be left out of HTTP/1.0"),
        ("1.1", [], "the header host is missing"),
        ("2.0", [(b"host", b"x")], "the version must be"),
        ("1.1", [(b"host", b"x"), (b"transfer-encoding", b"gzip, chunked")], "must be chunked"),
        (
            "1.1",
            [(b"host", b"x"), (b"content-length", b"1"), (b"content-length", b"1")],
            "may be sent once",
        ),
    ],
)
def test_why_a_head_is_unfit(version, headers, why):
    found = unfit(version, headers)
    assert found is None if why is None else why in found


def test_a_head_without_its_upgrade_says_the_rest():
    class Heard:
        pass

    parser = httptools.HttpRequestParser(Heard())
    parser.feed_data(b"POST /v1/x?a=1 HTTP/1.1\r\nhost: x\r\n\r\n")
    headers = [(b"host", b"x"), (b"connection", b"Upgrade, keep-alive"), (b"upgrade", b"h2c"), (b"a", b"b")]
    head = without_upgrade(parser, b"/v1/x?a=1", headers)
    assert head == b"POST /v1/x?a=1 HTTP/1.1\r\nhost: x\r\nconnection:  keep-alive\r\na: b\r\n\r\n"
