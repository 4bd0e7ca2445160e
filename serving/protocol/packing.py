"""Bytes as text, for the channel between a server's processes, whose messages are JSON: compressed, in base64."""

import base64
import zlib
from typing import Final

QUICK: Final = 1
"""zlib's fastest level; a feed's lines are so alike that it still shrinks them to a tenth."""


def packed(data: bytes) -> str:
    """Compress bytes to base64 text."""
    return base64.b64encode(zlib.compress(data, QUICK)).decode()


def unpacked(text: str) -> bytes:
    """Inverse of :func:`packed`."""
    return zlib.decompress(base64.b64decode(text))
