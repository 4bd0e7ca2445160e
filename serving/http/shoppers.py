"""``DELETE /v1/shoppers/KEY`` on the admin port: a shopper asks to be forgotten."""

from http import HTTPStatus
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from serving.http.responses import json_response
from serving.protocol.errors import ProblemError
from serving.protocol.limits import Limits

ROUTE: Final = "/v1/shoppers/{key:path}"
"""A key may hold a slash."""


class ShoppersControl(Protocol):
    """What the server remembers and writes down of shoppers."""

    async def forget(self, shopper_id: str) -> dict[str, Any]:
        """Forget a shopper; ProblemError if nothing here is kept of any, or the order cannot be made durable."""
        ...


class ShoppersPort:
    """Handlers, of callers that were let in."""

    def __init__(self, control: ShoppersControl, limits: Limits) -> None:
        self._control = control
        self._limits = limits

    async def delete(self, request: Request) -> Response:
        """``DELETE /v1/shoppers/KEY``: 202 once no worker remembers the shopper and the order is durable."""
        key = request.path_params["key"]
        if not 0 < len(key) <= self._limits.text:
            allowed = f"a string of 1 to {self._limits.text} characters"
            detail = f"the shopper's key must be {allowed}, got {len(key)}"
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-field", detail, field="shopper_id", allowed=allowed
            )
        response = json_response(await self._control.forget(key))
        response.status_code = HTTPStatus.ACCEPTED
        return response
