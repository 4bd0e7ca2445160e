"""A query parameter that an operation of the admin port does not take is refused, or it would do nothing unseen."""

import pytest
from starlette.requests import Request

from serving.http.admin_openapi import admin_openapi_document
from serving.http.query import queries_of, refuse_unknown
from serving.protocol.errors import ProblemError
from tests.serving.asgi import refused
from tests.serving.http.test_admin import TOKEN, Control, ask

DOCUMENT = admin_openapi_document()
QUERIES = queries_of(DOCUMENT)
GUARDED = [
    (method.upper(), path)
    for path, operations in DOCUMENT["paths"].items()
    for method, own in operations.items()
    if own["security"]
]


def asked(method: str, path: str, query: str) -> Request:
    return Request({"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []})


def test_what_an_operation_takes_is_what_its_document_lists() -> None:
    assert QUERIES["GET", "/v1/board/items"] == ("like",)
    assert QUERIES["PUT", "/v1/pins"] == QUERIES["DELETE", "/v1/policy"] == ("unknown",)
    assert QUERIES["GET", "/v1/pins"] == QUERIES["DELETE", "/v1/shoppers/{key}"] == ()  # its key is no query


@pytest.mark.parametrize(
    ("method", "path", "query", "said", "allowed"),
    [
        ("GET", "/v1/board/items", "q=phone", '"q" is no parameter here; allowed: like', "like"),
        (
            "HEAD",
            "/v1/board/items",
            "like=a&lik=b",
            '"lik" is no parameter here; allowed: like; did you mean like?',
            "like",
        ),
        (
            "GET",
            "/v1/board/shop",
            "like=a",
            '"like" is no parameter here; allowed: no query parameter',
            "no query parameter",
        ),
        ("PUT", "/v1/pins", "dry", '"dry" is no parameter here; allowed: unknown', "unknown"),
    ],
)
def test_the_parameter_and_the_allowed_ones_are_named(
    method: str, path: str, query: str, said: str, allowed: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        refuse_unknown(asked(method, path, query), QUERIES, path)
    assert (caught.value.status, caught.value.kind, caught.value.detail) == (422, "invalid-field", said)
    assert caught.value.members == {"field": said.split('"')[1], "allowed": allowed}


def test_what_it_takes_and_nothing_at_all_pass() -> None:
    refuse_unknown(asked("GET", "/v1/board/items", "like=a&like=b"), QUERIES, "/v1/board/items")
    refuse_unknown(asked("GET", "/v1/board/items", ""), QUERIES, "/v1/board/items")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_call_that_wants_the_token_refuses_a_strange_parameter_behind_it(method: str, path: str) -> None:
    control, url = Control(), f"{path.format(key='anna')}?strange=1"
    assert '"strange" is no parameter here' in refused(ask(control, method, url), 422, field="strange")
    refused(ask(control, method, url, headers={}), 401, field="authorization")
    assert control.told == []
    assert "422" in DOCUMENT["paths"][path][method.lower()]["responses"]


@pytest.mark.parametrize("path", ["/health/live", "/metrics", "/board"])
def test_a_probe_may_have_any(path: str) -> None:
    assert ask(Control(), "GET", f"{path}?x=1", headers=TOKEN).status_code == 200
