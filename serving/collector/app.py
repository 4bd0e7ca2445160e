"""HTTP layer of the collector: events in, what became of them out.

Surprising: ``POST /v1/events`` bypasses Starlette altogether, as its own work is a few microseconds an event. It
answers 200 if every event was taken (a duplicate counts as taken), 207 with place and reason of those that were not;
both mean that nothing of the body needs to be sent again. 429 and 503 mean that nothing was taken and all of it does.
"""

import logging
import math
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.collector.bodies import ADVICE, is_lines, unpacked
from serving.collector.decoding import Batch, TooManyError, decode_batch
from serving.collector.intake import FullError, Intake, Tally
from serving.collector.metrics import CollectorMetrics
from serving.collector.openapi import collector_document
from serving.collector.settings import CollectorSettings
from serving.collector.sources import Source
from serving.http.auth import bearer
from serving.http.bodies import received
from serving.http.problems import (
    PROBLEM_JSON,
    internal_error,
    problem_document,
    problem_of_bug,
    problem_of_routing,
    problem_response,
)
from serving.protocol.errors import BodyError, ProblemError
from serving.telemetry.logs import log_bug

log = logging.getLogger("serving")

EVENTS: Final = "/v1/events"
SCRIPT: Final = (Path(__file__).parent / "tillside.js").read_bytes()
SCRIPT_SECONDS: Final = 3600
"""Time that browsers may keep the script."""
PREFLIGHT_SECONDS: Final = 86_400
AGAIN_SECONDS: Final = 1
LOG_SECONDS: Final = 1.0
CLIENT_CLOSED: Final = 499
"""Only counted, never sent: the client disconnected before its body was complete."""
encode: Final = msgspec.json.Encoder().encode


class Collector:
    """ASGI application of the collector.

    Attributes:
        ready: whether the ids that were seen are known; before that nothing is taken.
        draining: whether the process is about to stop; it still answers.
    """

    def __init__(self, settings: CollectorSettings, intake: Intake, metrics: CollectorMetrics) -> None:
        self._settings = settings
        self._sources = settings.sources
        self._intake = intake
        self._metrics = metrics
        self._logged_at = -LOG_SECONDS
        self.ready = self.draining = False
        self._openapi = encode(collector_document(settings.most_events))
        routes = [
            Route(EVENTS, self._never, methods=["POST"]),
            Route("/tillside.js", self._script),
            Route("/health/live", self._live),
            Route("/health/ready", self._is_ready),
            Route("/metrics", self._page),
            Route("/openapi.json", self._document),
        ]
        handlers: Mapping[Any, Any] = {HTTPException: problem_of_routing, Exception: problem_of_bug}
        self._others = Starlette(routes=routes, exception_handlers=handlers)
        self._others.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["path"] != EVENTS or scope["method"] not in ("POST", "OPTIONS"):
            await self._others(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        extra = self._cross_origin(headers)
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, b"", [*extra, *self._preflight(headers)])
            return
        try:
            status, body = await self._take(scope, headers, receive)
            kind = b"application/json"
        except ProblemError as problem:
            status, body, kind = problem.status, problem_document(problem), PROBLEM_JSON.encode()
            extra += _of_problem(problem)
        except Exception as error:
            log_bug(error)
            status, body, kind = 500, problem_document(internal_error()), PROBLEM_JSON.encode()
        self._metrics.count_response(status)
        if status != CLIENT_CLOSED:
            await _respond(send, status, body, [(b"content-type", kind), (b"cache-control", b"no-store"), *extra])

    async def _take(self, scope: Scope, headers: Mapping[bytes, str], receive: Receive) -> tuple[int, bytes]:
        """Status and body of ``POST /v1/events``."""
        source = self._source(scope, headers)
        if not self.ready:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "the ids of earlier events are being read")
        lines = is_lines(headers.get(b"content-type", ""))
        limits = self._settings.limits
        sent = await received(receive, limit=limits.body_bytes, seconds=limits.body_seconds, advice=ADVICE)
        if sent is None:
            return CLIENT_CLOSED, b""
        start = time.perf_counter()
        body = unpacked(sent, headers.get(b"content-encoding", "").lower(), limit=limits.body_bytes)
        try:
            batch = decode_batch(body, lines=lines, most=self._settings.most_events)
        except BodyError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", str(error)) from None
        except TooManyError as error:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-many-events", str(error)) from None
        self._check_rate(source, len(batch.events))
        try:
            tally = await self._intake.take(batch.events, source.name) if batch.events else Tally()
        except FullError:
            detail = "the disk is behind; nothing of this body was taken, send it again"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "busy", detail) from None
        except OSError as error:
            self._say(f"events cannot be kept: {error.strerror or error}")
            detail = "the events could not be kept; nothing of this body was taken, send it again"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-kept", detail) from None
        self._metrics.observe(
            time.perf_counter() - start,
            source.name,
            accepted=tally.accepted,
            duplicate=tally.duplicates,
            conflict=len(tally.conflicts),
            refused=len(batch.refusals),
            ignored=batch.ignored,
        )
        return _answer(batch, tally)

    def _source(self, scope: Scope, headers: Mapping[bytes, str]) -> Source:
        """Who sends.

        Raises:
            ProblemError: 401, the token is missing or unknown; 403, pages of this origin may not send.
        """
        token = bearer(headers.get(b"authorization", ""))
        if token is None:
            token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0].strip()
        source = self._sources.find(token)
        if source is None:
            detail = "authorization must be Bearer and the token of a source; a page may send it as ?token="
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, field="authorization")
        origin = headers.get(b"origin")
        if origin is not None and not self._sources.allows(origin):
            detail = f"pages of {origin[:100]!r} may not send events; --origins or the file of --sources allows them"
            raise ProblemError(HTTPStatus.FORBIDDEN, "origin-not-allowed", detail, field="origin")
        return source

    def _check_rate(self, source: Source, events: int) -> None:
        seconds = source.wait(events, now=time.monotonic())
        if seconds:
            again = str(math.ceil(seconds))
            detail = f"this source may send no more for now; nothing was taken, send it again in {again} s"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-events", detail, retry_after=again)

    def _cross_origin(self, headers: Mapping[bytes, str]) -> list[tuple[bytes, bytes]]:
        """Headers that let a page of an allowed origin read the answer."""
        origin = headers.get(b"origin")
        if origin is None or not self._sources.allows(origin):
            return []
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]

    def _preflight(self, headers: Mapping[bytes, str]) -> list[tuple[bytes, bytes]]:
        if not self._cross_origin(headers):
            return []
        return [
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", b"authorization, content-type, content-encoding"),
            (b"access-control-max-age", b"%d" % PREFLIGHT_SECONDS),
        ]

    def _say(self, sentence: str) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            log.error("%s", sentence)

    async def _never(self, request: Request) -> Response:
        raise AssertionError  # __call__ answers it; the route names path and method to those who miss them

    async def _script(self, request: Request) -> Response:
        """``GET /tillside.js``."""
        headers = {"cache-control": f"public, max-age={SCRIPT_SECONDS}", "access-control-allow-origin": "*"}
        return Response(SCRIPT, media_type="text/javascript; charset=utf-8", headers=headers)

    async def _live(self, request: Request) -> Response:
        """``GET /health/live``."""
        return _json({"status": "live"})

    async def _is_ready(self, request: Request) -> Response:
        """``GET /health/ready``."""
        if self.draining or not self.ready:
            detail = "the collector is about to stop" if self.draining else "the ids of earlier events are being read"
            return problem_response(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", detail))
        return _json({"status": "ready"})

    async def _page(self, request: Request) -> Response:
        """``GET /metrics``; no token, as it names no shopper and no item."""
        headers = {"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"}
        return Response(self._metrics.page(), headers=headers)

    async def _document(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return Response(self._openapi, media_type="application/json")


def _answer(batch: Batch, tally: Tally) -> tuple[int, bytes]:
    places = batch.places
    problems = [
        {"index": number if places is None else places[number], "result": "conflict", "reason": CONFLICT}
        for number in tally.conflicts
    ]
    problems += [{"index": each.index, "result": "refused", "reason": each.reason} for each in batch.refusals]
    document = {
        "accepted": tally.accepted,
        "duplicates": tally.duplicates,
        "conflicts": len(tally.conflicts),
        "refused": len(batch.refusals),
        "ignored": batch.ignored,
        "problems": sorted(problems, key=lambda each: int(str(each["index"]))),
    }
    return (207 if problems else 200), encode(document)


CONFLICT: Final = "another event of this event_id was kept before, and stands"


def _of_problem(problem: ProblemError) -> list[tuple[bytes, bytes]]:
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return [(b"www-authenticate", b"Bearer")]
    if problem.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return [(b"retry-after", problem.members.get("retry_after", str(AGAIN_SECONDS)).encode())]
    return []


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = [(b"content-length", b"%d" % len(body))] if status != HTTPStatus.NO_CONTENT else []
    await send({"type": "http.response.start", "status": int(status), "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})


def _json(document: object) -> Response:
    return Response(encode(document), headers={"cache-control": "no-store"}, media_type="application/json")
