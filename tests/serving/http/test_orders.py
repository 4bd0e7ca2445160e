"""A body that names what to do is read, and one that is none is refused with the key at fault and what is allowed."""

import msgspec
import pytest

from serving.http.orders import read_order
from serving.protocol.errors import ProblemError


class Back(msgspec.Struct, forbid_unknown_fields=True):
    revision: int | None = None


EXAMPLE = '{"revision": 3}'
GENERAL = f"the body must be empty or a JSON object such as {EXAMPLE}"
WHOLE = "an integer, or nothing"


@pytest.mark.parametrize(
    ("body", "revision"),
    [(b"", None), (b" \r\n", None), (b"{}", None), (b'{"revision": 4}', 4), (b'{"revision": 4.0}', 4)],
)
def test_an_order_is_read(body: bytes, revision: int | None) -> None:
    assert read_order(body, Back, example=EXAMPLE) == Back(revision)


@pytest.mark.parametrize(
    ("body", "more", "about"),
    [
        (
            b'{"rev": 1}',
            "; Object contains unknown field `rev`; allowed: an object with revision",
            {"field": "rev", "allowed": "revision"},
        ),
        (
            b'{"revison": 1}',
            "; Object contains unknown field `revison`; allowed: an object with revision; did you mean revision?",
            {"field": "revison", "allowed": "revision"},
        ),
        (
            b'{"revision": "3"}',
            f'; revision: got "3"; allowed: {WHOLE}; did you mean 3, without quotes?',
            {"field": "revision", "allowed": WHOLE},
        ),
        (b"[]", "; got a list of 0; allowed: an object with revision", {}),
        (b'{"revision": 1, "revision": 2}', "; the key revision stands twice", {}),
        (b"nonsense", "", {}),
        (b"\x0b", "", {}),  # blank to Python, not to JSON
        (b"[" * 4000, "", {}),
    ],
)
def test_what_is_no_order_is_refused_with_an_example_and_what_is_wrong(body: bytes, more: str, about: dict) -> None:
    with pytest.raises(ProblemError) as refused:
        read_order(body, Back, example=EXAMPLE)
    assert (refused.value.status, refused.value.kind) == (400, "invalid-body")
    assert refused.value.detail == GENERAL + more
    assert refused.value.members == about
