"""HTTP layer of the main port: routes, request bodies in, answers and problem details out.

Surprising: requests are answered on the event loop's thread, batched with whatever else is queued
(serving.answering.batch_queue), and load never causes a 5xx: what the model cannot answer in time is answered at once
by a fallback tier (serving.answering.fallbacks).
"""

import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.answering.outcome import Outcome, with_remembered
from serving.http.auth import check_token
from serving.http.bodies import check_headers, read_body
from serving.http.docs_page import docs
from serving.http.openapi import openapi_document
from serving.http.problems import (
    internal_error,
    invalid_field,
    problem_of_bug,
    problem_of_routing,
    problem_response,
)
from serving.http.responses import NO_STORE, json_response, metrics_response, ready_response, without_reason
from serving.http.schemas import Names
from serving.http.shedding import Turn, unread
from serving.protocol.checking import allowed_in
from serving.protocol.decoding import decode_request
from serving.protocol.errors import BodyError, FieldError, ProblemError
from serving.protocol.messages import PageAnswer, RecommendRequest, encode_answer
from serving.service import Service
from serving.settings import Settings
from serving.telemetry.logs import RequestLog, log_bug, request_id
from serving.telemetry.tracing import Span, span

log = logging.getLogger("serving")

RECOMMEND: Final = "/v1/recommend"
PAGE: Final = "/v1/page"
CLIENT_CLOSED: Final = 499
"""Only counted, never sent: the client disconnected before its body was complete."""
Some = TypeVar("Some", bound=Starlette)
Page = Callable[[], Awaitable[bytes]]
Work = Callable[[Request], Awaitable[tuple[Outcome, bytes]]]


class Api:
    """Request handlers of one process.

    Args:
        page: renders the metrics page; None if this port does not serve metrics.
    """

    def __init__(self, settings: Settings, service: Service, *, page: Page | None) -> None:
        self._limits = settings.limits
        self._token = settings.token
        self._remembers = settings.shoppers is not None
        self._service = service
        self._page = page
        self._turn = Turn()
        self._log = RequestLog(log, sample=settings.log_sample)
        self._openapi: tuple[Names | None, bytes] | None = None

    async def recommend(self, request: Request) -> Response:
        """``POST /v1/recommend``."""
        return await self._served(request, self._answer)

    async def page(self, request: Request) -> Response:
        """``POST /v1/page``."""
        return await self._served(request, self._answer_page)

    async def _served(self, request: Request, work: Work) -> Response:
        """The response, traced and logged."""
        arrived = time.perf_counter()
        name = request_id(request.headers.get("x-request-id"))
        known: dict[str, str | None] = {}
        with span("recommend", headers=request.headers) as traced:
            response = await self._respond(request, traced, known, work)
        response.headers["x-request-id"] = name
        milliseconds = (time.perf_counter() - arrived) * 1e3
        self._log.request(request_id=name, status=response.status_code, milliseconds=milliseconds, **known)
        return response

    async def _respond(self, request: Request, traced: Span, known: dict[str, str | None], work: Work) -> Response:
        """The response; adds the answer's or the problem's fields for the request log to ``known``."""
        problem: ProblemError | None = None
        try:
            outcome, body = await work(request)
            answer = outcome.answer
            known |= {
                "recommendation_id": answer.recommendation_id,
                "tier": answer.tier,
                "reason": answer.degraded_reason,
            }
            trace_stages(traced, outcome)
            response = Response(body, headers=NO_STORE, media_type="application/json")
        except BodyError as error:
            problem = ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", str(error))
        except FieldError as error:
            problem = invalid_field(error)
        except ProblemError as error:
            problem = error
        except ClientDisconnect:
            response = Response(status_code=CLIENT_CLOSED)
        except Exception as error:
            log_bug(error)
            problem = internal_error()
        if problem is not None:
            response = problem_response(problem)
            known |= {"field": problem.members.get("field"), "reason": problem.cause}
        self._service.metrics.count_response(response.status_code)
        return response

    async def _answer(self, request: Request) -> tuple[Outcome, bytes]:
        """Outcome and body of ``POST /v1/recommend``."""
        if self._sheds(request):
            outcome = Outcome(unread())
            self._service.metrics.observe(outcome, 0.0)
            self._note(None, outcome)
            return outcome, encode_answer(outcome.answer)
        body = await read_body(request, limit=self._limits.body_bytes, seconds=self._limits.body_seconds)
        start = time.perf_counter()
        asked = decode_request(body, self._limits, remembers=self._remembers)
        if asked.placements is not UNSET:
            sentence = f"placements is for POST {PAGE} alone; give placement, or ask there"
            raise FieldError("placements", sentence, allowed="nothing at this path")
        asked, remembered = await self._service.recalled(asked)
        outcome = with_remembered(await self._service.answer(asked), remembered)
        encoded = encode_answer(outcome.answer)
        self._service.metrics.observe(outcome, time.perf_counter() - start)
        self._note(asked, outcome)
        return outcome, encoded

    async def _answer_page(self, request: Request) -> tuple[Outcome, bytes]:
        """Outcome of the first placement, for the request log, and body with all of them, of ``POST /v1/page``."""
        if self._sheds(request):
            outcomes = [Outcome(unread())]
            self._service.metrics.observe(outcomes[0], 0.0)
            return outcomes[0], encode_answer(PageAnswer([]))
        body = await read_body(request, limit=self._limits.body_bytes, seconds=self._limits.body_seconds)
        start = time.perf_counter()
        asked = decode_request(body, self._limits, remembers=self._remembers)
        if asked.placements is UNSET:
            allowed = allowed_in("placements", self._limits)
            raise FieldError("placements", f"placements is missing; it must be {allowed}", allowed=allowed)
        filled, remembered = await self._service.recalled(asked)
        answered = [(one, with_remembered(each, remembered)) for one, each in await self._service.answer_page(filled)]
        seconds = (time.perf_counter() - start) / len(answered)
        for one, outcome in answered:
            self._service.metrics.observe(outcome, seconds)
            self._note(one, outcome)
        return answered[0][1], encode_answer(PageAnswer([outcome.answer for _, outcome in answered]))

    def _note(self, asked: RecommendRequest | None, outcome: Outcome) -> None:
        """Put an answer into the log of exposures, if there is one."""
        if self._service.exposures is not None:
            self._service.exposures.note(asked, outcome)

    def _sheds(self, request: Request) -> bool:
        """Whether a request that may be answered is to be answered without its body."""
        check_token(request, self._token)
        check_headers(request, body_bytes=self._limits.body_bytes)
        return self._turn.full() and self._service.late

    async def live(self, request: Request) -> Response:
        """``GET /health/live``: the event loop runs."""
        return json_response({"status": "live"})

    async def ready(self, request: Request) -> Response:
        """``GET /health/ready``: a verified bundle is active and the process is not draining.

        It wants no token, so why there is none stands in the log and on the admin port alone.
        """
        return ready_response(self._service.ready, reason=False)

    async def model(self, request: Request) -> Response:
        """``GET /v1/model``: the active bundle and its provenance."""
        try:
            check_token(request, self._token)
            return json_response(self._service.model())
        except ProblemError as problem:
            return problem_response(without_reason(problem))

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics`` in the Prometheus text format."""
        assert self._page is not None
        try:
            check_token(request, self._token)
        except ProblemError as problem:
            return problem_response(problem)
        return metrics_response(await self._page())

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``, with the names that bundle and policy in force have."""
        known = self._service.names()
        names = None if known is None else Names(*known)
        if self._openapi is None or self._openapi[0] != names:
            document = openapi_document(
                self._limits, metrics_page=self._page is not None, names=names, remembers=self._remembers
            )
            self._openapi = names, msgspec.json.encode(document)
        return Response(self._openapi[1], headers=NO_STORE, media_type="application/json")


def trace_stages(traced: Span, outcome: Outcome) -> None:
    """Record an answer's stages as consecutive spans that end now; queue, encode and search are the whole batch's."""
    traced.set("tillside.tier", outcome.answer.tier)
    end_ns = time.time_ns()
    for stage in ("policy", "search", "encode", "queue"):
        seconds = getattr(outcome, f"{stage}_seconds")
        if seconds is not None:
            start_ns = end_ns - int(seconds * 1e9)
            traced.stage(stage, start_ns=start_ns, end_ns=end_ns)
            end_ns = start_ns


class Application(Starlette):
    """Main port application; ``POST /v1/recommend`` bypasses Starlette's middleware and router."""

    api: Api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and scope["path"] == RECOMMEND and scope["method"] == "POST":
            response = await self.api.recommend(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(settings: Settings, service: Service, *, page: Page | None = None) -> Application:
    """ASGI application of the main port."""
    api = Api(settings, service, page=page)
    routes = [
        Route(RECOMMEND, api.recommend, methods=["POST"]),
        Route(PAGE, api.page, methods=["POST"]),
        Route("/v1/model", api.model),
        Route("/health/live", api.live),
        Route("/health/ready", api.ready),
        *([Route("/metrics", api.metrics)] if page else []),
        Route("/openapi.json", api.openapi),
        Route("/docs", docs),
    ]
    app = make_starlette(routes, kind=Application)
    app.api = api
    return app


def make_starlette(routes: list[Route], *, kind: type[Some]) -> Some:
    """Application of class ``kind`` whose routing errors are problem details too."""
    app = kind(routes=routes, exception_handlers={HTTPException: problem_of_routing, Exception: problem_of_bug})
    app.router.redirect_slashes = False
    return app
