"""Bodies of the collector: which forms they may have, and how they are read within their limits."""

import asyncio
import zlib
from http import HTTPStatus
from typing import Final

from starlette.types import Receive

from serving.protocol.errors import ProblemError

LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"})
WHOLE: Final = frozenset({"application/json", "text/plain", ""})
"""text/plain is what a page may send to another origin without asking first, as sendBeacon does."""
GZIP: Final = zlib.MAX_WBITS | 16


def is_lines(content_type: str) -> bool:
    """Whether a body of this type holds an event a line.

    Raises:
        ProblemError: 415, it is neither JSON nor lines of it, or not in UTF-8.
    """
    kind, _, parameters = content_type.lower().partition(";")
    kind = kind.strip()
    if kind in LINES | WHOLE and parameters.replace('"', "").strip() in ("", "charset=utf-8"):
        return kind in LINES
    detail = f"content-type must be application/json or application/x-ndjson in UTF-8, got {content_type[:60]!r}"
    raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-type")


async def read(receive: Receive, *, limit: int, seconds: float) -> bytes | None:
    """The body as it was sent; None if the client went away.

    Raises:
        ProblemError: 413, it exceeds ``limit`` bytes; 408, it is not complete after ``seconds``.
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
                    raise too_large(limit)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        detail = f"the body was not complete after {seconds:g} seconds"
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "body-timeout", detail) from None


def unpacked(body: bytes, coding: str, *, limit: int) -> bytes:
    """The body without its content coding.

    Raises:
        ProblemError: 415, the coding is not gzip; 413, it grows beyond ``limit`` bytes; 400, it is no gzip.
    """
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip"):
        detail = f"content-encoding must be gzip or identity, got {coding[:60]!r}"
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="content-encoding"
        )
    parts: list[bytes] = []
    left = limit + 1
    try:
        while body and left:
            part = zlib.decompressobj(GZIP)
            parts.append(part.decompress(body, left))
            left -= len(parts[-1])
            if not part.eof and left:
                raise zlib.error("it ends too soon")
            body = part.unused_data
    except zlib.error as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", f"the body is no gzip: {error}") from None
    if not left:
        raise too_large(limit)
    return b"".join(parts)


def too_large(limit: int) -> ProblemError:
    """Problem of a body that exceeds the limit, packed or unpacked."""
    detail = f"the body must be at most {limit} bytes, unpacked too; send the events in several"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)
