"""When even the ladder would be too slow: so many requests at once that reading them all takes longer than they wait.

A turn of the event loop handles every request that arrived during the turn before. While the model has more to do than
it can do in time, only the first requests of a turn are read, and the ladder answers them; the rest get its last rung,
an empty answer, before their bodies are looked at. So a turn stays short at any load, and whoever comes next waits for
one short turn.
"""

import asyncio
from typing import Final

from serving.answering.fallbacks import bare_answer
from serving.protocol.messages import Answer

MOST_OF_A_TURN: Final = 12
"""Requests that are read in one turn of an overload: at about .3 ms each, a small part of a deadline."""


class Turn:
    """Counts the requests of the event loop's present turn."""

    def __init__(self) -> None:
        self._count = 0

    def full(self) -> bool:
        """Count one request more; whether it is too many."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self._end)
        self._count += 1
        return self._count > MOST_OF_A_TURN

    def _end(self) -> None:
        self._count = 0


def unread() -> Answer:
    """The answer to a request of which nothing was read."""
    return bare_answer([], "empty", "overload")
