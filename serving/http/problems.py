"""Responses with a 4xx or 5xx status, as problem details (RFC 9457, ``application/problem+json``)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serving.protocol.errors import FieldError, ProblemError, shown
from tillside.cli.likeness import did_you_mean
from tillside.cli.secrets import without_secrets
from tillside.policy import ConflictError
from tillside.policy.file.values import TermError

PROBLEM_JSON: Final = "application/problem+json"
LAST: Final = (
    b"HTTP/1.1 %d %s\r\ncontent-type: " + PROBLEM_JSON.encode() + b"\r\ncache-control: no-store\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s"
)
SHOPPER_PATH: Final = "/v1/shoppers/{key}"
"""As logs, metrics and problems name it: a key stands in none of them."""
ADMIN_PATHS: Final = (
    *("/v1/items", "/v1/admin/reload", "/v1/admin/rollback", "/v1/admin/state"),
    *("/v1/policy", "/v1/pins", "/v1/bans", "/v1/pairs", "/v1/bundles", "/v1/prices"),
    *("/v1/merchandising", "/v1/merchandising/rollback"),
    *("/v1/board/shop", "/v1/board/items", "/v1/board/answer"),
    SHOPPER_PATH,
)
"""Paths of the admin port alone, where those look for them who ask the main port."""


def problem_document(problem: ProblemError) -> bytes:
    """The body of a refusal."""
    document = {
        "type": f"urn:tillside:problem:{problem.kind}",
        "title": problem.kind.replace("-", " ").capitalize(),
        "status": problem.status.value,
        "detail": without_secrets(problem.detail),
        **problem.members,
    }
    return msgspec.json.encode(document)


def problem_response(problem: ProblemError) -> Response:
    """Response with the problem document; a 401 also carries the ``www-authenticate`` challenge."""
    headers = {"cache-control": "no-store"}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(problem_document(problem), problem.status, headers=headers, media_type=PROBLEM_JSON)


def last_answer(problem: ProblemError) -> bytes:
    """The refusal as it is sent on a connection that ends with it."""
    body = problem_document(problem)
    return LAST % (problem.status, problem.status.phrase.encode(), len(body), body)


def invalid_field(error: FieldError) -> ProblemError:
    """A field error as a 422."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return ProblemError(status, "invalid-field", str(error), field=error.field, allowed=error.allowed)


def refusal_of(error: ValueError, what: str, *, hint: str = "") -> ProblemError:
    """The refusal of a ``feed``, a ``policy`` or rows: 409 of a conflict, 422 of what is wrong by itself.

    What this port's OpenAPI document does not allow is 422; what it allows, and what does not go together or with the
    shop as it stands, is 409. Of several mistakes the members ``field`` and ``allowed`` are those of the first.
    """
    about = {"field": error.field, "allowed": error.allowed} if isinstance(error, TermError) else {}
    members = {name: text for name, text in about.items() if text}
    if isinstance(error, ConflictError):
        return ProblemError(HTTPStatus.CONFLICT, f"conflicting-{what}", f"{error}{hint}", **members)
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"invalid-{what}", f"{error}{hint}", **members)


def internal_error() -> ProblemError:
    """Problem for an unexpected exception; details go to the log only."""
    detail = "the server failed on this request; the log says where"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail)


async def problem_of_routing(request: Request, error: Exception) -> Response:
    """Response for a routing error: unknown path or method not allowed."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    path = request.scope["path"]  # what its URL says depends on the header host
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"the method {request.method} is not allowed on {path}; allowed: {allowed}"
        if not {"GET", "HEAD", "DELETE"}.intersection(allowed.split(", ")):
            detail += ", with a JSON body"
        problem = ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, allowed=allowed)
    else:
        paths = [route.path_format for route in request.app.routes]
        detail = f"there is nothing at {shown(path)}; {_instead(path, paths)}"
        problem = ProblemError(HTTPStatus(error.status_code), "not-found", detail)
    response = problem_response(problem)
    response.headers.update(error.headers or {})
    return response


async def problem_of_bug(request: Request, error: Exception) -> Response:
    """Response to an exception that no handler expected; the log says where it was raised."""
    return problem_response(internal_error())


def _instead(path: str, paths: Sequence[str]) -> str:
    """What to ask instead of an unknown path: the one that ends or begins with it, or that is spelt most like it."""
    if path.startswith(SHOPPER_PATH.partition("{")[0]):
        path = SHOPPER_PATH
    if path in ADMIN_PATHS and path not in paths:
        return "it is a path of the admin port (--admin-port)"
    plain = path.rstrip("/").lower()
    alike = [known for known in paths if plain and (known.endswith(plain) or known.startswith(plain))]
    meant = f"did you mean {alike[0]}?" if alike else did_you_mean(plain, paths)
    listed = f"there is {', '.join(paths)}"
    return f"{meant} {listed}" if meant else listed
