"""Responses with a 4xx or 5xx status, as problem details (RFC 9457, ``application/problem+json``)."""

from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serving.protocol.errors import ProblemError

PROBLEM_JSON: Final = "application/problem+json"


def problem_response(problem: ProblemError) -> Response:
    """Response with the problem document; a 401 also carries the ``www-authenticate`` challenge."""
    document = {
        "type": f"urn:tillside:problem:{problem.kind}",
        "title": problem.kind.replace("-", " ").capitalize(),
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.members,
    }
    headers = {"cache-control": "no-store"}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(document), problem.status, headers=headers, media_type=PROBLEM_JSON)


def internal_error() -> ProblemError:
    """Problem for an unexpected exception; details go to the log only."""
    detail = "the server failed on this request; the log says where"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail)


async def problem_of_routing(request: Request, error: Exception) -> Response:
    """Response for a routing error: unknown path or method not allowed."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"the method {request.method} is not allowed here; allowed: {allowed}"
        problem = ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, allowed=allowed)
    else:
        detail = "there is nothing at this path; /openapi.json lists what there is"
        problem = ProblemError(HTTPStatus(error.status_code), "not-found", detail)
    response = problem_response(problem)
    response.headers.update(error.headers or {})
    return response
