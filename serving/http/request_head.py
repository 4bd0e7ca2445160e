"""Request line and headers: what two servers could read differently is unfit, and ``Upgrade`` is left out."""

from collections.abc import Sequence
from typing import Final

import httptools

ONCE: Final = frozenset({b"host", b"content-type", b"content-encoding", b"content-length", b"transfer-encoding"})
UPGRADING: Final = frozenset({b"upgrade", b"http2-settings"})
Header = tuple[bytes, bytes]


class HeadersTooLargeError(Exception):
    """Request line and headers exceed the limit."""


class UnfitRequestError(Exception):
    """The request is parsed, but must not be answered; the message says why."""


def unfit(version: str, headers: Sequence[Header]) -> str | None:
    """Why a request must not be answered though it parses: what two servers could read differently; None if it may."""
    seen: set[bytes] = set()
    for name, value in headers:
        if name in ONCE:
            if name in seen:
                return f"the header {name.decode()} may be sent once"
            seen.add(name)
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                return "transfer-encoding must be chunked"
    if version not in ("1.0", "1.1"):
        return "the version must be HTTP/1.1 or HTTP/1.0"
    if version == "1.0" and b"transfer-encoding" in seen:
        return "transfer-encoding must be left out of HTTP/1.0, which has none"
    if version == "1.1" and b"host" not in seen:
        return "the header host is missing"
    return None


def without_upgrade(parser: httptools.HttpRequestParser, url: bytes, headers: Sequence[Header]) -> bytes:
    """Request line and headers without what asks for another protocol."""
    lines = [b"%s %s HTTP/%s" % (parser.get_method(), url, parser.get_http_version().encode())]
    for name, value in headers:
        if name in UPGRADING:
            continue
        if name == b"connection":
            kept = [token for token in value.split(b",") if token.strip().lower() not in UPGRADING]
            value = b",".join(kept)
        lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([*lines, b"", b""])
