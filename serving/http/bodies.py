"""Request bodies: what their headers must say, and that they are read within a size and a time."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from serving.protocol.errors import ProblemError

JSON_BLANKS: Final = b" \t\r\n"
"""Of these alone an empty body may be: JSON has no other blanks."""
WITH_CURL: Final = "curl sends it with -H 'content-type: application/json'"


def check_headers(request: Request, *, body_bytes: int) -> None:
    """Check content type, encoding and length before the body is read.

    Raises:
        ProblemError: 415, the body is not uncompressed UTF-8 JSON; 413, it announces more than ``body_bytes``.
    """
    headers = request.headers
    media_type = headers.get("content-type", "")
    if media_type != "application/json":
        main, _, parameters = media_type.lower().partition(";")
        if main.strip() != "application/json" or parameters.replace('"', "").strip() not in ("", "charset=utf-8"):
            detail = f"content-type must be application/json in UTF-8, got {media_type[:60]!r}; {WITH_CURL}"
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-type"
            )
    coding = headers.get("content-encoding", "identity")
    if coding != "identity":
        detail = f"content-encoding must be identity, got {coding[:60]!r}"
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-encoding"
        )
    length = headers.get("content-length", "0").lstrip("0") or "0"
    if len(length) > 12 or int(length) > body_bytes:
        raise too_large(body_bytes)


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """The request body.

    Raises:
        ProblemError: 413, it exceeds ``limit`` bytes; 408, it is not complete after ``seconds``.
        ClientDisconnect: the client went away.
    """
    body = await received(request.receive, limit=limit, seconds=seconds)
    if body is None:
        raise ClientDisconnect
    return body


async def received(receive: Receive, *, limit: int, seconds: float, advice: str = "") -> bytes | None:
    """The body as it was sent; None if the client went away.

    Raises:
        ProblemError: 413, it exceeds ``limit`` bytes, see :func:`too_large`; 408, it is not complete after ``seconds``.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise too_large(limit, advice)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        detail = f"the body was not complete after {seconds:g} seconds"
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "body-timeout", detail) from None


def too_large(limit: int, advice: str = "") -> ProblemError:
    """Problem of a body that exceeds the limit; ``advice`` ends its sentence."""
    detail = f"the body must be at most {limit} bytes{advice}"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)
