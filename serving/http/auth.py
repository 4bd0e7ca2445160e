"""Bearer tokens, compared in constant time."""

import hmac
from http import HTTPStatus

from starlette.requests import Request

from serving.protocol.errors import ProblemError


def check_token(request: Request, token: str | None) -> None:
    """Check the request's bearer token; with ``token`` None every request passes.

    Raises:
        ProblemError: 401, the token is missing or wrong.
    """
    if token is None:
        return
    given = bearer(request.headers.get("authorization", ""))
    if given is None or not hmac.compare_digest(given.encode(), token.encode()):
        detail = "the header authorization must be Bearer and the server's token"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, field="authorization")


def bearer(authorization: str) -> str | None:
    """The token of a header ``authorization``; None if it holds no bearer token."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
