"""Everything that is answered with a 4xx or 5xx, as problem details (RFC 9457, ``application/problem+json``)."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PROBLEM_JSON: Final = "application/problem+json"


class ProblemError(Exception):
    """A refusal on its way to the client.

    Attributes:
        status: the HTTP status.
        kind: ends the ``type`` URN; one per cause, stable across versions.
        detail: one sentence that a caller can act on.
        members: further members of the document, such as ``field`` and ``allowed``.
    """

    def __init__(self, status: HTTPStatus, kind: str, detail: str, **members: str) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.members = members

    def response(self) -> Response:
        """The problem as an HTTP response."""
        document = {
            "type": f"urn:tillside:problem:{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status.value,
            "detail": self.detail,
            **self.members,
        }
        headers = {"cache-control": "no-store"}
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return Response(msgspec.json.encode(document), self.status, headers=headers, media_type=PROBLEM_JSON)


def internal_error() -> ProblemError:
    """What a caller is told of a bug."""
    detail = "the server failed on this request; the log says where"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail)


async def problem_of_routing(request: Request, error: Exception) -> Response:
    """What the router refuses: an unknown path or a wrong method."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"the method {request.method} is not allowed here; allowed: {allowed}"
        problem = ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, allowed=allowed)
    else:
        detail = "there is nothing at this path; /openapi.json lists what there is"
        problem = ProblemError(HTTPStatus(error.status_code), "not-found", detail)
    response = problem.response()
    response.headers.update(error.headers or {})
    return response
