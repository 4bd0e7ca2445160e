"""Workers for tests of who is told what: they write down every call, and answer None."""

import asyncio
from typing import Any, cast

from serving.process.crew import Child


class Told:
    """A channel; ``told`` holds each call as its operation and slot."""

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self.told: list[tuple[str, int | None]] = []

    async def call(self, op: str, **arguments: Any) -> None:
        if self.closed:
            raise ConnectionError("the other end has gone")
        self.told.append((op, arguments.get("slot")))


def member(*, version: str | None = None, closed: bool = False) -> Any:
    """A worker as its parent knows it, with a bundle or without one; ``closed``: it has ended."""
    child = Child(cast(asyncio.subprocess.Process, None), Told(closed=closed))  # type: ignore[arg-type]
    child.version = version
    return child
