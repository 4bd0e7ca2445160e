"""The admin port's routes for what a merchandiser sets by hand: the policy, pins, bans, pairs, bundles and prices.

Every PUT replaces one of them as a whole, is checked against the catalogue before anything changes, and makes a new
revision; one call goes back. A name that the shop lacks is a conflict, unless ``?unknown=take`` says that it is meant.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serving.http.bodies import read_body
from serving.http.orders import read_order
from serving.http.problems import invalid_field, refusal_of
from serving.http.responses import NO_STORE, json_response
from serving.protocol.errors import FieldError, ProblemError
from serving.protocol.limits import Limits
from tillside.policy.merchandising import PARTS, Part
from tillside.policy.row_reader import read_rows

YAML: Final = "application/yaml"
POLICY_BYTES: Final = 1 << 20
BODY_BYTES: Final = 4096
UNKNOWN: Final = ("refuse", "take")


class ByHandControl(Protocol):
    """Operations of the server on what is set by hand."""

    async def change(self, change: dict[str, Any], *, take_unknown: bool = False) -> dict[str, Any]:
        """Change one field; ValueError with the mistakes, one a line; ConflictError if it is only not for this shop."""
        ...

    async def undo(self, revision: int | None = None) -> dict[str, Any]:
        """Go back to a revision, or to the one before; ValueError if there is none."""
        ...

    async def by_hand(self) -> dict[str, Any]:
        """What is set by hand, and the revisions there are."""
        ...

    async def policy(self) -> tuple[str, str] | None:
        """Text of the policy file in force and where it comes from; None without one."""
        ...

    async def state(self) -> bytes:
        """State for another server to take over."""
        ...


class Back(msgspec.Struct, forbid_unknown_fields=True):
    """Optional body of a rollback."""

    revision: int | None = None


class Merchandising:
    """Handlers, of callers that were let in."""

    def __init__(self, control: ByHandControl, limits: Limits) -> None:
        self._control = control
        self._limits = limits

    async def policy(self, request: Request) -> Response:
        """``GET``, ``PUT`` and ``DELETE /v1/policy``: the policy file as YAML; without it the server's own is used."""
        if request.method == "PUT":
            body = await read_body(request, limit=POLICY_BYTES, seconds=self._limits.body_seconds)
            try:
                text = body.decode()
            except UnicodeDecodeError as error:
                raise _invalid("invalid-policy", f"the policy must be YAML in UTF-8 ({error})") from None
            return await self._change({"policy": text}, request, "policy")
        if request.method == "DELETE":
            return await self._change({"policy": None}, request, "policy")
        found = await self._control.policy()
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no-policy", "there is no policy; PUT /v1/policy brings one")
        text, source = found
        return Response(text, headers={**NO_STORE, "x-policy-source": source}, media_type=YAML)

    async def rows(self, request: Request) -> Response:
        """``GET`` and ``PUT`` of pins, bans, pairs, bundles and prices, each a list of objects."""
        part = _part(request)
        if request.method != "PUT":
            document = await self._control.by_hand()
            return json_response({"revision": document["revision"], part: getattr(document["by_hand"], part)})
        body = await read_body(request, limit=self._limits.feed_bytes, seconds=self._limits.feed_seconds)
        try:
            rows = await asyncio.to_thread(read_rows, part, body)
        except ValueError as error:
            raise refusal_of(error, part) from None
        return await self._change({part: rows}, request, part)

    async def all(self, request: Request) -> Response:
        """``GET /v1/merchandising``: everything that is set by hand, and the revisions there are."""
        return json_response(await self._control.by_hand())

    async def back(self, request: Request) -> Response:
        """``POST /v1/merchandising/rollback``: to the revision before, or to the one that the body names."""
        body = await read_body(request, limit=BODY_BYTES, seconds=self._limits.body_seconds)
        order = read_order(body, Back, example='{"revision": 3}')
        try:
            return json_response(await self._control.undo(order.revision))
        except ValueError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "nothing-to-roll-back-to", str(error)) from None

    async def state(self, request: Request) -> Response:
        """``GET /v1/admin/state``: what another server is started with by ``--state-from``."""
        return Response(await self._control.state(), headers=NO_STORE, media_type="application/json")

    async def _change(self, change: dict[str, Any], request: Request, what: str) -> Response:
        try:
            return json_response(await self._control.change(change, take_unknown=_takes_unknown(request)))
        except ValueError as error:
            hint = (
                "\n?unknown=take takes names that the shop does not have yet"
                if ": no item has this" in str(error)
                else ""
            )
            raise refusal_of(error, what, hint=hint) from None


def _part(request: Request) -> Part:
    (part,) = [each for each in PARTS if request.scope["path"] == f"/v1/{each}"]
    return part


def _takes_unknown(request: Request) -> bool:
    value = request.query_params.get("unknown", "refuse")
    if value not in UNKNOWN:
        raise invalid_field(FieldError.of_value("unknown", value, allowed=f"one of {', '.join(UNKNOWN)}"))
    return value == "take"


def _invalid(kind: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, kind, detail)
