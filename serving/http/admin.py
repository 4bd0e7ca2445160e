"""The admin port: metrics, probes, reload, rollback, the items feed, merchandising. No shopper's request comes here.

Surprising: without ``TILLSIDE_ADMIN_TOKEN`` every change is refused, even from localhost; metrics and probes need no
token.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.bundles.reloading import Report
from serving.http.admin_calls import AdminCalls
from serving.http.admin_openapi import admin_openapi_document
from serving.http.api import make_starlette
from serving.http.auth import check_token
from serving.http.board import Board, BoardControl
from serving.http.bodies import read_body
from serving.http.merchandising import ByHandControl, Merchandising
from serving.http.orders import read_order
from serving.http.problems import SHOPPER_PATH, internal_error, problem_response, refusal_of
from serving.http.query import queries_of, refuse_unknown
from serving.http.responses import json_response, metrics_response, ready_response
from serving.http.shoppers import ROUTE, ShoppersControl, ShoppersPort
from serving.policy.feeds import FeedReport, OutdatedFeedError, refuse_future
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits
from serving.telemetry.logs import log_bug
from tillside.policy import ItemsFeed, read_feed
from tillside.policy.merchandising import PARTS

BODY_BYTES = 4096
MOST_CALLS: Final = 24
"""Calls with a token that are worked on at once, fewer than there are connections: probes must always get one."""
Work = Callable[[Request], Awaitable[Response]]


class Control(ByHandControl, BoardControl, ShoppersControl, Protocol):
    """Operations of the server that the admin port exposes."""

    def ready(self) -> str:
        """Version of the active bundle; ProblemError if there is none or the server is draining."""
        ...

    async def page(self) -> bytes:
        """Metrics in the Prometheus text format."""
        ...

    async def reload(self, name: str | None = None) -> Report:
        """Load a bundle; ValueError if ``name`` is not the name of a folder beside the current one."""
        ...

    async def rollback(self) -> Report:
        """Load the previous bundle; ValueError if there is none."""
        ...

    async def stock(self, feed: ItemsFeed) -> FeedReport:
        """Apply an items feed; OutdatedFeedError if it is older than the one in use."""
        ...


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """Optional body of a reload: the name of a folder beside the current bundle's."""

    bundle: str | None = None


class Admin:
    """Request handlers of the admin port."""

    def __init__(self, control: Control, *, token: str | None, limits: Limits) -> None:
        self._control = control
        self._token = token
        self._limits = limits
        self._calls = AdminCalls()
        self._working = 0
        document = admin_openapi_document(limits)
        self._openapi = msgspec.json.encode(document)
        self._queries = queries_of(document)
        self.merchandising = Merchandising(control, limits)
        self.board = Board(control, limits)
        self.shoppers = ShoppersPort(control, limits)

    def guarded(self, work: Work, *, path: str | None = None) -> Work:
        """``work`` for authorised callers alone; ``path`` is what logs and metrics say instead of the one asked for."""
        return functools.partial(self._guarded, work=work, path=path)

    async def live(self, request: Request) -> Response:
        """``GET /health/live``."""
        return json_response({"status": "live"})

    async def ready(self, request: Request) -> Response:
        """``GET /health/ready``."""
        return ready_response(self._control.ready, reason=True)

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``."""
        return metrics_response(await self._control.page() + self._calls.page())

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``: this port's own."""
        return Response(self._openapi, media_type="application/json")

    async def reload(self, request: Request) -> Response:
        """``POST /v1/admin/reload``: 200 with a report of what was loaded, 409 if the bundle was refused."""
        return await self._guarded(request, functools.partial(self._change, rollback=False))

    async def rollback(self, request: Request) -> Response:
        """``POST /v1/admin/rollback``."""
        return await self._guarded(request, functools.partial(self._change, rollback=True))

    async def items(self, request: Request) -> Response:
        """``PUT /v1/items``: 200 with a report of the feed, 422 listing every mistake in it, 409 if it is outdated or
        dated ahead, or names an item twice."""
        return await self._guarded(request, self._stock)

    async def _stock(self, request: Request) -> Response:
        body = await read_body(request, limit=self._limits.feed_bytes, seconds=self._limits.feed_seconds)
        try:
            feed = await asyncio.to_thread(read_feed, body)
            refuse_future(feed, now_ms=int(time.time() * 1000))
        except ValueError as error:
            raise refusal_of(error, "feed") from None
        try:
            return json_response(await self._control.stock(feed))
        except OutdatedFeedError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "outdated-feed", str(error)) from None

    async def _change(self, request: Request, *, rollback: bool) -> Response:
        body = await read_body(request, limit=BODY_BYTES, seconds=self._limits.body_seconds)
        order = read_order(body, Order, example='{"bundle": "NAME"}')
        try:
            report = await (self._control.rollback() if rollback else self._control.reload(order.bundle))
        except ValueError as error:
            kind = "nothing-to-roll-back-to" if rollback else "invalid-field"
            status = HTTPStatus.CONFLICT if rollback else HTTPStatus.UNPROCESSABLE_ENTITY
            raise ProblemError(status, kind, str(error)) from None
        if report["result"] == "refused":
            raise ProblemError(HTTPStatus.CONFLICT, "bundle-refused", report["reason"] or "")
        return json_response(report)

    async def _guarded(self, request: Request, work: Work, path: str | None = None) -> Response:
        """Response of ``work`` to an authorised caller, logged and counted; any error becomes a problem response."""
        started, kind = time.perf_counter(), None
        path = path or request.scope["path"]  # of a route: others never come here
        try:
            self._authorise(request)
            refuse_unknown(request, self._queries, path)
            response = await self._worked_on(request, work)
        except ProblemError as problem:
            response, kind = problem_response(problem), problem.kind
        except ClientDisconnect:
            response = Response(status_code=HTTPStatus.BAD_REQUEST)
        except Exception as error:
            log_bug(error)
            response, kind = problem_response(internal_error()), "internal-error"
        self._calls.note(request, path, response.status_code, kind, seconds=time.perf_counter() - started)
        return response

    async def _worked_on(self, request: Request, work: Work) -> Response:
        if self._working == MOST_CALLS:
            detail = f"{MOST_CALLS} calls are being worked on; send this one again"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too-many-calls", detail)
        self._working += 1
        try:
            return await work(request)
        finally:
            self._working -= 1

    def _authorise(self, request: Request) -> None:
        if self._token is None:
            detail = "nothing can be changed here: the server was started without TILLSIDE_ADMIN_TOKEN"
            raise ProblemError(HTTPStatus.FORBIDDEN, "no-admin-token", detail)
        check_token(request, self._token)


def make_admin_app(control: Control, *, token: str | None, limits: Limits) -> Starlette:
    """ASGI application of the admin port."""
    admin = Admin(control, token=token, limits=limits)
    by_hand, board, shoppers = admin.merchandising, admin.board, admin.shoppers
    return make_starlette(
        [
            Route("/health/live", admin.live),
            Route("/health/ready", admin.ready),
            Route("/metrics", admin.metrics),
            Route("/v1/items", admin.items, methods=["PUT"]),
            Route("/v1/admin/reload", admin.reload, methods=["POST"]),
            Route("/v1/admin/rollback", admin.rollback, methods=["POST"]),
            Route("/openapi.json", admin.openapi),
            Route("/v1/admin/state", admin.guarded(by_hand.state)),
            Route("/v1/policy", admin.guarded(by_hand.policy), methods=["GET", "PUT", "DELETE"]),
            *(Route(f"/v1/{part}", admin.guarded(by_hand.rows), methods=["GET", "PUT"]) for part in PARTS),
            Route(ROUTE, admin.guarded(shoppers.delete, path=SHOPPER_PATH), methods=["DELETE"]),
            Route("/board", board.page),
            Route("/v1/board/shop", admin.guarded(board.shop)),
            Route("/v1/board/items", admin.guarded(board.items)),
            Route("/v1/board/answer", admin.guarded(board.answer), methods=["POST"]),
            Route("/v1/merchandising", admin.guarded(by_hand.all)),
            Route("/v1/merchandising/rollback", admin.guarded(by_hand.back), methods=["POST"]),
        ],
        kind=Starlette,
    )
