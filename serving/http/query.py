"""Query parameters of the admin port: what its OpenAPI document does not list is refused, or it would do nothing."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from serving.protocol.errors import SHOWN_CHARACTERS, ProblemError, shown
from tillside.cli.likeness import did_you_mean

Queries = Mapping[tuple[str, str], Sequence[str]]
"""Names of the query parameters that an operation takes, by method and path."""


def queries_of(document: Mapping[str, Any]) -> Queries:
    """The query parameters that an OpenAPI document lists."""
    return {
        (method.upper(), path): tuple(each["name"] for each in own.get("parameters", ()) if each["in"] == "query")
        for path, operations in document["paths"].items()
        for method, own in operations.items()
    }


def refuse_unknown(request: Request, queries: Queries, path: str) -> None:
    """Refuse a query parameter that the operation does not take.

    Args:
        path: of the operation, as its document writes it.

    Raises:
        ProblemError: 422, it names the parameter and those that there are.
    """
    allowed = queries.get(("GET" if request.method == "HEAD" else request.method, path), ())
    strange = next((name for name in request.query_params if name not in allowed), None)
    if strange is None:
        return
    names = ", ".join(allowed) or "no query parameter"
    detail = f"{shown(strange)} is no parameter here; allowed: {names}{did_you_mean(strange, allowed, before='; ')}"
    about = {"field": strange[:SHOWN_CHARACTERS], "allowed": names}
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", detail, **about)
