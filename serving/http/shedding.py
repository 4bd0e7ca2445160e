"""Load shedding, for loads so high that reading every request would already exceed the deadlines.

An event loop turn handles every request that arrived during the previous turn. While the model is overloaded, only the
first requests of a turn are read, and answered by the fallback tiers; the rest get the last tier, an empty answer,
before their bodies are read. So turns stay short at any load, and a new request waits for one short turn.
"""

import asyncio
from typing import Final

from serving.answering.fallbacks import bare_answer
from serving.protocol.messages import Answer

MOST_OF_A_TURN: Final = 12
"""Requests read per turn under overload: at about 0.3 ms each, a small part of a deadline."""


class Turn:
    """Counter of the requests in the current event loop turn."""

    def __init__(self) -> None:
        self._count = 0

    def full(self) -> bool:
        """Count a request; True if it exceeds :data:`MOST_OF_A_TURN`."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self._end)
        self._count += 1
        return self._count > MOST_OF_A_TURN

    def _end(self) -> None:
        self._count = 0


def unread() -> Answer:
    """Empty answer to a shed request."""
    return bare_answer([], "empty", "overload")
