"""Client of the admin port, for a shop's own machines: stock and prices, and any other of its paths.

Surprising: unlike the shop's clients these raise, since a job that sends stock has no list to fall back on and must
know that it was refused.
"""

import json
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, Self
from urllib.parse import quote

try:
    import httpx

    from tillside.client.exchange import server_options
except ImportError:
    raise ImportError("tillside.client needs httpx: pip install 'tillside[client]'") from None

TIMEOUT_SECONDS: Final = 60.0


class Keep(Enum):
    """The value of a field that a feed leaves as it is known."""

    AS_KNOWN = "as known"


AS_KNOWN: Final = Keep.AS_KNOWN


@dataclass(frozen=True, slots=True)
class FeedItem:
    """What a feed says of one item; a field that is not given keeps what is known, None says that it is unknown.

    Attributes:
        stock: how many there are.
        price: above 0.
        clearance, margin: shares from 0 to 1.
        new_until_ms: UTC milliseconds until which it counts as new.
        attributes: replace all that it has.
    """

    item_id: str
    stock: int | Keep | None = AS_KNOWN
    price: float | Keep | None = AS_KNOWN
    clearance: float | Keep = AS_KNOWN
    margin: float | Keep | None = AS_KNOWN
    new_until_ms: int | Keep = AS_KNOWN
    minimum_age: int | Keep = AS_KNOWN
    name: str | Keep = AS_KNOWN
    attributes: dict[str, Any] | Keep = AS_KNOWN

    def document(self) -> dict[str, Any]:
        """The item as JSON types, without what it leaves as it is known."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in said.items() if value is not AS_KNOWN}


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a server made of a feed.

    Attributes:
        time_ms: when it was made.
        items: items in it.
        new_items: those that the bundle lacks; None without a policy.
        ranked: those of them that the model ranks by their attributes.
    """

    time_ms: int
    items: int
    new_items: int | None = None
    ranked: int | None = None


class AdminError(Exception):
    """The server refused, or there is none.

    Attributes:
        status: the HTTP status; 422 of what no shop could take, 409 of what this one cannot as it stands or what
            contradicts itself; 0 if the server could not be reached.
        detail: one sentence, or one mistake a line.
        problem: all of the problem document.
    """

    def __init__(self, status: int, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to the admin port."""

    method: str
    path: str
    document: Any = None

    def sent(self) -> dict[str, Any]:
        """Arguments for httpx."""
        content = b"" if self.document is None else json.dumps(self.document, ensure_ascii=False).encode()
        return {"method": self.method, "url": self.path, "content": content}


def _feed(items: Iterable[FeedItem], time_ms: int) -> _Call:
    return _Call("PUT", "/v1/items", {"time_ms": time_ms, "items": [item.document() for item in items]})


def _forget(shopper_id: str) -> _Call:
    return _Call("DELETE", f"/v1/shoppers/{quote(shopper_id, safe='')}")


def _report(document: Any) -> FeedReport:
    return FeedReport(**{each.name: document.get(each.name) for each in fields(FeedReport)})


def _answer(response: httpx.Response) -> Any:
    try:
        document = response.json()
    except ValueError:
        document = None
    if response.is_success:
        return response.text if document is None else document
    problem = document if isinstance(document, dict) else {}
    raise AdminError(response.status_code, str(problem.get("detail", f"status {response.status_code}")), problem)


def _unreached(error: httpx.HTTPError) -> AdminError:
    return AdminError(0, f"no answer: {type(error).__name__}: {error}", {})


class AdminClient:
    """Synchronous client of one server's admin port.

    Args:
        url: base URL of the admin port, such as ``http://tillside:9090``.
        token: what ``TILLSIDE_ADMIN_TOKEN`` says there.
        seconds: time limit of one call.
        tls: SSL context for a private CA or client certificates.

    Raises:
        ValueError: the url is not http(s), or the token is not valid in a header.
    """

    def __init__(
        self, url: str, *, token: str | None, seconds: float = TIMEOUT_SECONDS, tls: ssl.SSLContext | None = None
    ) -> None:
        self._http = httpx.Client(**server_options(url, token, tls), timeout=seconds)

    def put_items(self, items: Iterable[FeedItem], *, time_ms: int) -> FeedReport:
        """Send stock, prices and new items.

        Args:
            time_ms: when the feed was made, UTC milliseconds; an older one than the server's is refused.

        Raises:
            AdminError: it was refused, or the server could not be reached.
        """
        return _report(self._ask(_feed(items, time_ms)))

    def forget_shopper(self, shopper_id: str) -> Any:
        """Have a shopper forgotten; returns the server's report. AdminError as for :meth:`put_items`."""
        return self._ask(_forget(shopper_id))

    def get(self, path: str) -> Any:
        """The document, or the text, at a path such as ``/v1/merchandising``; AdminError as for :meth:`put_items`."""
        return self._ask(_Call("GET", path))

    def put(self, path: str, document: Any) -> Any:
        """Answer to a document put at a path such as ``/v1/pins``; AdminError as for :meth:`put_items`."""
        return self._ask(_Call("PUT", path, document))

    def post(self, path: str, document: Any = None) -> Any:
        """Answer to an order such as ``/v1/admin/reload``; AdminError as for :meth:`put_items`."""
        return self._ask(_Call("POST", path, document))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, call: _Call) -> Any:
        try:
            return _answer(self._http.request(**call.sent()))
        except httpx.HTTPError as error:
            raise _unreached(error) from None


class AsyncAdminClient:
    """Asyncio client of one server's admin port; arguments and errors as for :class:`AdminClient`."""

    def __init__(
        self, url: str, *, token: str | None, seconds: float = TIMEOUT_SECONDS, tls: ssl.SSLContext | None = None
    ) -> None:
        self._http = httpx.AsyncClient(**server_options(url, token, tls), timeout=seconds)

    async def put_items(self, items: Iterable[FeedItem], *, time_ms: int) -> FeedReport:
        """As :meth:`AdminClient.put_items`."""
        return _report(await self._ask(_feed(items, time_ms)))

    async def forget_shopper(self, shopper_id: str) -> Any:
        """As :meth:`AdminClient.forget_shopper`."""
        return await self._ask(_forget(shopper_id))

    async def get(self, path: str) -> Any:
        """As :meth:`AdminClient.get`."""
        return await self._ask(_Call("GET", path))

    async def put(self, path: str, document: Any) -> Any:
        """As :meth:`AdminClient.put`."""
        return await self._ask(_Call("PUT", path, document))

    async def post(self, path: str, document: Any = None) -> Any:
        """As :meth:`AdminClient.post`."""
        return await self._ask(_Call("POST", path, document))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, call: _Call) -> Any:
        try:
            return _answer(await self._http.request(**call.sent()))
        except httpx.HTTPError as error:
            raise _unreached(error) from None
