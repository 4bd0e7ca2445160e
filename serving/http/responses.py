"""Responses that both ports give: a document as JSON, the metrics page, and whether the server is ready."""

from collections.abc import Callable
from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from serving.http.problems import problem_response
from serving.protocol.errors import ProblemError

NO_STORE: Final = {"cache-control": "no-store"}


def ready_response(ready: Callable[[], str], *, reason: bool) -> Response:
    """Response of the readiness probe, with or :func:`without_reason`."""
    try:
        return json_response({"status": "ready", "bundle": ready()})
    except ProblemError as problem:
        return problem_response(problem if reason else without_reason(problem))


def without_reason(problem: ProblemError) -> ProblemError:
    """The problem, but of a server without a bundle not the reason, which may name addresses and folders."""
    if problem.kind != "not-ready":
        return problem
    detail = "no bundle answers yet; the log says why, and /health/ready on the admin port"
    return ProblemError(problem.status, problem.kind, detail)


def metrics_response(page: bytes) -> Response:
    """Response with the Prometheus text page."""
    return Response(page, headers={"content-type": CONTENT_TYPE_LATEST, **NO_STORE})


def json_response(document: object) -> Response:
    """Response with a document as JSON, not to be cached."""
    return Response(msgspec.json.encode(document), headers=NO_STORE, media_type="application/json")
