"""Request bodies, read within a size and a time."""

import asyncio
from http import HTTPStatus

from starlette.types import Receive

from serving.protocol.errors import ProblemError


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
