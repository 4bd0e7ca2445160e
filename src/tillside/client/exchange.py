"""One HTTP exchange over httpx, sync or async: POST, one retry if connecting failed, and a bounded read of the body.

In the sync version the transport enforces the deadline. In the async one the caller cancels at the deadline, which
closes the connection. Compression is neither requested nor decoded, so a body is never larger than what was read.
"""

import functools
import json
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from tillside import __version__
from tillside.client.messages import AnyQuestion

try:
    import anyio
    import httpx

    from tillside.client.deadlines import DeadlineTransport
except ImportError:
    raise ImportError("tillside.client needs httpx: pip install 'tillside[client]'") from None

ANSWER_BYTES: Final = 1 << 20
"""Maximum body size; a thousand items take about a tenth of it."""
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)
"""Idle connections expire before the server's keep-alive (75 s), so the server never closes one under a request."""
REFUSED: Final = range(400, 500)
FAULTS: Final = frozenset({408, 425, 429})
"""4xx statuses that do not mean that the request is invalid."""
SENTENCE_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Failure:
    """Reason why there is no answer from the server.

    Attributes:
        reason: low-cardinality label for metrics.
        sentence: message for people, or None.
    """

    reason: str
    sentence: str | None = None

    @property
    def answered(self) -> bool | None:
        """Outcome for the breaker: True for a refusal, an answer too; None for a closed client, which tells nothing."""
        return {"refused": True, "closed": None}.get(self.reason, False)


class Exchange:
    """Synchronous connections to one server; thread-safe.

    Raises:
        ValueError: the url is not http(s), or the token is not valid in a header.
    """

    def __init__(self, url: str, *, token: str | None, tls: ssl.SSLContext | None) -> None:
        options = server_options(url, token, tls)
        self._transport = DeadlineTransport(limits=LIMITS, tls=options.pop("verify"))
        self._http = httpx.Client(**options, transport=self._transport)

    def ask(self, question: AnyQuestion[Any], *, deadline: float) -> bytes | Failure:
        """Body of a 200 response, or a failure, no later than ``deadline`` (seconds of ``time.monotonic``)."""
        self._transport.deadline.at = deadline
        try:
            try:
                return self._post(question, deadline)
            except httpx.ConnectError:
                return self._post(question, deadline)
        except Exception as error:
            return _failure(error, closed=self._http.is_closed)

    def close(self) -> None:
        """Close every connection, waking threads that are blocked on one."""
        self._http.close()

    def _post(self, question: AnyQuestion[Any], deadline: float) -> bytes | Failure:
        left = deadline - time.monotonic()
        if left <= 0:
            return Failure("timeout")
        content = question.body(deadline_ms=int(left * 1000))
        with self._http.stream("POST", question.path, content=content, timeout=left) as response:
            chunks, size = [], 0
            for chunk in response.iter_raw():
                size += len(chunk)
                if size > ANSWER_BYTES:
                    return Failure("bad_answer")
                chunks.append(chunk)
        return _outcome(response.status_code, b"".join(chunks))


class AsyncExchange:
    """Asyncio connections to one server.

    Raises:
        ValueError: the url is not http(s), or the token is not valid in a header.
    """

    def __init__(self, url: str, *, token: str | None, tls: ssl.SSLContext | None) -> None:
        self._http = httpx.AsyncClient(**server_options(url, token, tls), limits=LIMITS)
        warm_up()

    async def ask(self, question: AnyQuestion[Any], *, deadline: float) -> bytes | Failure:
        """Body of a 200 response, or a failure.

        Args:
            deadline: seconds of ``time.monotonic``; sent to the server as the remaining time, enforced by the caller.
        """
        try:
            try:
                return await self._post(question, deadline)
            except httpx.ConnectError:
                return await self._post(question, deadline)
        except Exception as error:
            return _failure(error, closed=self._http.is_closed)

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _post(self, question: AnyQuestion[Any], deadline: float) -> bytes | Failure:
        left = deadline - time.monotonic()
        if left <= 0:
            return Failure("timeout")
        content = question.body(deadline_ms=int(left * 1000))
        async with self._http.stream("POST", question.path, content=content, timeout=left) as response:
            chunks, size = [], 0
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > ANSWER_BYTES:
                    return Failure("bad_answer")
                chunks.append(chunk)
        return _outcome(response.status_code, b"".join(chunks))


def server_options(url: str, token: str | None, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Options of an httpx client of one server; ValueError for an invalid url or token."""
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL:
        base = httpx.URL("")
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError(f"url must be an address such as http://tillside:8080, got {url!r}")
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"tillside-client/{__version__}",
    }
    if token is not None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("token must be printable ASCII without spaces, got something else")
        headers["authorization"] = f"Bearer {token}"
    plain = base.scheme == "http"  # loading the CA certificates is slow, and plain http needs none
    return {"base_url": base, "headers": headers, "verify": tls or not plain, "trust_env": False}


def _outcome(status: int, body: bytes) -> bytes | Failure:
    if status == httpx.codes.OK:
        return body
    if status in REFUSED and status not in FAULTS:
        return Failure("refused", _problem(status, body))
    return Failure(f"status_{status}")


def _failure(error: Exception, *, closed: bool) -> Failure:
    if closed:
        return Failure("closed")
    if isinstance(error, httpx.TimeoutException):
        return Failure("timeout")
    if isinstance(error, httpx.ConnectError):
        return Failure("connect")
    if isinstance(error, httpx.TransportError):
        return Failure("bad_answer")
    return Failure("error", f"{type(error).__name__}: {error}")


@functools.cache
def warm_up() -> None:
    """Trigger the lazy imports of httpx's first request, about 0.1 s, before a deadline applies to them.

    Runs in a thread, since the client may be created under a running loop.
    """
    thread = threading.Thread(target=anyio.run, args=(anyio.sleep, 0))
    thread.start()
    thread.join()


def _problem(status: int, body: bytes) -> str:
    """Detail of a problem document (RFC 9457) as a single log line."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, LookupError, TypeError, RecursionError):
        detail = None
    if not isinstance(detail, str):
        return f"status {status}"
    line = "".join(character if character.isprintable() else " " for character in detail[:SENTENCE_CHARACTERS])
    return f"status {status}: {line}"
