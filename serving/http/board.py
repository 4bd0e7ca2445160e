"""``/board`` on the admin port: a page on which the shop's staff choose a placement and a cart and see the answer.

The page is one file without a library, under a Content-Security-Policy that allows its own script and style alone. It
holds nothing of the shop: that comes from the paths below, which want the admin token. Surprising: the port that serves
the board has no recommender where there are several workers, so one of them is asked.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serving.answering.board import AbsentNameError, behind, items_like, shop
from serving.answering.recommender import Recommender
from serving.bundles.loading import polite
from serving.http.bodies import read_body
from serving.http.docs_page import headers_of
from serving.http.problems import invalid_field
from serving.http.responses import NO_STORE
from serving.protocol.decoding import decode_request
from serving.protocol.errors import BodyError, FieldError, ProblemError
from serving.protocol.limits import Limits
from serving.protocol.messages import encode_answer
from serving.service import Service

PAGE: Final = (Path(__file__).parent / "board.html").read_text(encoding="utf-8")
HEADERS: Final = headers_of(PAGE)
LONGEST_WORDS: Final = 200


class BoardControl(Protocol):
    """The server, as the board asks it."""

    async def board(self, op: str, text: str) -> str:
        """JSON of :func:`ask`, from some process that answers; errors as there."""
        ...


async def ask(service: Service, limits: Limits, op: str, text: str) -> str:
    """JSON that the page asks for: ``shop``, ``items`` like some words, or the ``answer`` to a request.

    Raises:
        ProblemError: no bundle answers.
        ConflictError: there is no policy, or the request names what bundle and policy lack.
    """
    recommender = service.active()
    document: Any
    match op:
        case "shop":
            document = shop(recommender)
        case "items":
            document = await asyncio.to_thread(_items, recommender, text)
        case "answer":
            request = decode_request(text.encode(), limits)
            try:
                outcome = await service.answer(request)
            except FieldError as error:
                raise AbsentNameError(error.field, str(error), allowed=error.allowed) from None
            cart = () if request.cart is msgspec.UNSET else (line.item_id for line in request.cart)
            also = (*(event.item_id for event in request.session), *cart)
            items = behind(recommender, outcome.answer, also)
            document = {"answer": msgspec.Raw(encode_answer(outcome.answer)), "items": items}
        case _:
            raise ValueError(f"the board cannot {op}")
    return msgspec.json.encode(document).decode()


def _items(recommender: Recommender, words: str) -> dict[str, Any]:
    with polite():  # a walk over a million items must not hold up the requests of shoppers
        return items_like(recommender, words)


class Board:
    """Handlers of the board; the paths below ``/v1/board`` are for callers that were let in."""

    def __init__(self, control: BoardControl, limits: Limits) -> None:
        self._control = control
        self._limits = limits

    async def page(self, request: Request) -> Response:
        """``GET /board``."""
        return Response(PAGE, media_type="text/html", headers=HEADERS)

    async def shop(self, request: Request) -> Response:
        """``GET /v1/board/shop``: placements, behaviours and segments."""
        return await self._asked("shop", "")

    async def items(self, request: Request) -> Response:
        """``GET /v1/board/items?like=WORDS``: at most 20 items, by id."""
        words = request.query_params.get("like", "")
        if len(words) > LONGEST_WORDS:
            allowed = f"a string of at most {LONGEST_WORDS} characters"
            raise invalid_field(FieldError("like", f"like must be {allowed}, got {len(words)}", allowed=allowed))
        return await self._asked("items", words)

    async def answer(self, request: Request) -> Response:
        """``POST /v1/board/answer``: the answer to a request of ``/v1/recommend``, and what stands behind its ids."""
        body = await read_body(request, limit=self._limits.body_bytes, seconds=self._limits.body_seconds)
        try:
            asked = decode_request(body, self._limits)
        except BodyError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", str(error)) from None
        except FieldError as error:
            raise invalid_field(error) from None
        if asked.placements is not msgspec.UNSET:
            detail = "placements is for POST /v1/page alone; give placement here"
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", detail, field="placements")
        return await self._asked("answer", body.decode())

    async def _asked(self, op: str, text: str) -> Response:
        try:
            found = await self._control.board(op, text)
        except ConnectionError:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "a worker ended; ask again") from None
        except ValueError as error:
            members = {"field": error.field, "allowed": error.allowed} if isinstance(error, FieldError) else {}
            raise ProblemError(HTTPStatus.CONFLICT, "not-answered", str(error), **members) from None
        return Response(found, headers=NO_STORE, media_type="application/json")
