"""Bodies of the collector: which forms they may have, and how they are unpacked within their limit."""

import zlib
from http import HTTPStatus
from typing import Final

from serving.http.bodies import too_large
from serving.protocol.errors import ProblemError

LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"})
WHOLE: Final = frozenset({"application/json", "text/plain", ""})
"""text/plain is what a page may send to another origin without asking first, as sendBeacon does."""
ADVICE: Final = ", unpacked too; send the events in several"
"""To who sends too large a body."""
GZIP: Final = zlib.MAX_WBITS | 16
MEMBERS: Final = 1000
"""Parts that a gzip may be joined from: what follows a part is copied, so that many empty ones would hold the loop."""


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
            if len(parts) == MEMBERS:
                raise zlib.error(f"it is joined from more than {MEMBERS} parts")
            part = zlib.decompressobj(GZIP)
            parts.append(part.decompress(body, left))
            left -= len(parts[-1])
            if not part.eof and left:
                raise zlib.error("it ends too soon")
            body = part.unused_data
    except zlib.error as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-body", f"the body is no gzip: {error}") from None
    if not left:
        raise too_large(limit, ADVICE)
    return b"".join(parts)
