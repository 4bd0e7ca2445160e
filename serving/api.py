"""The HTTP side: routes, bodies in, answers and problem details out, and the state behind the probes.

Surprising: a request is answered on the event loop's own thread. It takes about a millisecond of pure computation, and
a thread pool around it made every percentile worse.
"""

import asyncio
import contextlib
import datetime
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.loading import load_recommender
from serving.messages import BodyError, FieldError, decode_request, encode_answer
from serving.metrics import Metrics
from serving.openapi import openapi_document
from serving.problems import ProblemError, problem_of_routing
from serving.recommender import Recommender
from serving.settings import Settings

log = logging.getLogger("serving")

NO_STORE: Final = {"cache-control": "no-store"}
CLIENT_CLOSED: Final = 499
"""Counted, never sent: the client left before its body was complete."""
PROVENANCE: Final = ("dataset", "git", "run", "measurements")


class Server:
    """One process's state: the recommender that answers, or the reason why there is none.

    Args:
        on_refusal: called with a sentence when the bundle is refused.
    """

    def __init__(self, settings: Settings, *, on_refusal: Callable[[str], None]) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._on_refusal = on_refusal
        self._recommender: Recommender | None = None
        self._loaded_at = 0.0
        self._reason = "the bundle is being verified"
        self._metrics = Metrics()
        self._openapi = msgspec.json.encode(openapi_document(settings.limits))

    async def load(self) -> None:
        """Verify, replay and warm the bundle in a thread, while the probes already answer."""
        try:
            recommender = await asyncio.to_thread(load_recommender, self._settings.bundle, self._limits)
        except ValueError as error:
            self._refuse(str(error))
        except Exception as error:
            self._refuse(f"bundle {self._settings.bundle} cannot be loaded: {type(error).__name__}: {error}")
        else:
            self._loaded_at = time.time()
            self._metrics.describe(recommender, self._loaded_at)
            self._recommender = recommender
            log.info("ready: bundle %s, %d items", recommender.bundle.version, len(recommender.bundle.items_ND))

    def _refuse(self, sentence: str) -> None:
        self._reason = sentence
        self._on_refusal(sentence)

    def _ready(self) -> Recommender:
        if self._recommender is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", self._reason)
        return self._recommender

    async def recommend(self, request: Request) -> Response:
        """``POST /v1/recommend``."""
        try:
            response = Response(await self._answer(request), headers=NO_STORE, media_type="application/json")
        except ProblemError as problem:
            response = problem.response()
        except ClientDisconnect:
            response = Response(status_code=CLIENT_CLOSED)
        except Exception as error:  # a bug: the place is logged, the message is not, for it may hold item ids
            place = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
            log.error("request failed with %s at\n%s", type(error).__name__, place)
            detail = "the server failed on this request; the log says where"
            response = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail).response()
        self._metrics.count_response(response.status_code)
        return response

    async def _answer(self, request: Request) -> bytes:
        recommender = self._ready()
        check_headers(request, body_bytes=self._limits.body_bytes)
        body = await read_body(request, limit=self._limits.body_bytes, seconds=self._limits.body_seconds)
        start = time.perf_counter()
        try:
            outcome = recommender.answer(decode_request(body, self._limits))
        except BodyError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", str(error)) from None
        except FieldError as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", str(error), field=error.field, allowed=error.allowed
            ) from None
        encoded = encode_answer(outcome.answer)
        self._metrics.observe(outcome, time.perf_counter() - start)
        if outcome.failure:
            log.error("the model failed with %s, popularity answered", outcome.failure)
        return encoded

    async def live(self, request: Request) -> Response:
        """``GET /health/live``: the process runs its loop."""
        return _json({"status": "live"})

    async def ready(self, request: Request) -> Response:
        """``GET /health/ready``: a proven bundle answers."""
        try:
            return _json({"status": "ready", "bundle": self._ready().bundle.version})
        except ProblemError as problem:
            return problem.response()

    async def model(self, request: Request) -> Response:
        """``GET /v1/model``: what answers, and where it comes from."""
        try:
            bundle = self._ready().bundle
        except ProblemError as problem:
            return problem.response()
        loaded_at = datetime.datetime.fromtimestamp(self._loaded_at, datetime.UTC)
        return _json(
            {
                "bundle": bundle.version,
                "loaded_at": loaded_at.isoformat(timespec="seconds"),
                "behaviours": bundle.behaviours.names,
                "items": len(bundle.items_ND),
                "dim": bundle.items_ND.shape[1] - 1,  # the last column holds trends
                "max_length": bundle.encoding.max_length,
                "purchase_intent": bundle.has_intent,
                **{key: bundle.manifest.get(key) for key in PROVENANCE},
            }
        )

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics`` for Prometheus."""
        return Response(self._metrics.page(), headers={"content-type": CONTENT_TYPE_LATEST, **NO_STORE})

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return Response(self._openapi, media_type="application/json")


def make_app(settings: Settings, *, on_refusal: Callable[[str], None]) -> Starlette:
    """The ASGI application; it starts to load the bundle as soon as it runs."""
    server = Server(settings, on_refusal=on_refusal)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(server.load())
        yield
        loading.cancel()

    routes = [
        Route("/v1/recommend", server.recommend, methods=["POST"]),
        Route("/v1/model", server.model),
        Route("/health/live", server.live),
        Route("/health/ready", server.ready),
        Route("/metrics", server.metrics),
        Route("/openapi.json", server.openapi),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: problem_of_routing})
    app.router.redirect_slashes = False
    return app


def check_headers(request: Request, *, body_bytes: int) -> None:
    """Refuse a body that is not plain JSON, or announces more than ``body_bytes``, before it is read."""
    headers = request.headers
    media_type = headers.get("content-type", "")
    if media_type != "application/json":
        main, _, parameters = media_type.lower().partition(";")
        if main.strip() != "application/json" or parameters.replace('"', "").strip() not in ("", "charset=utf-8"):
            detail = f"content-type must be application/json in UTF-8, got {media_type[:60]!r}"
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-type"
            )
    coding = headers.get("content-encoding", "identity")
    if coding != "identity":
        detail = f"content-encoding must be identity, got {coding[:60]!r}"
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-encoding"
        )
    length = headers.get("content-length", "0")
    if len(length) > 12 or int(length) > body_bytes:
        raise _too_large(body_bytes)


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """The body, of at most ``limit`` bytes, sent within ``seconds``."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except TimeoutError:
        detail = f"the body was not complete after {seconds:g} seconds"
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "body-timeout", detail) from None
    return b"".join(chunks)


def _too_large(limit: int) -> ProblemError:
    detail = f"the body must be at most {limit} bytes"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), headers=NO_STORE, media_type="application/json")
