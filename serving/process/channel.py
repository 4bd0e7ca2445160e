"""The line between the parent and a worker: calls as JSON lines over a socket pair, either side may ask.

A call is ``{"id", "op", "arguments"}``; its answer ``{"id", "value"}`` or ``{"id", "refused"}``, a sentence that is
raised as a ValueError where the call was made.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from serving.telemetry.logs import log_bug

LONGEST_LINE: Final = 1 << 27
"""A packed items feed is the longest."""
Handler = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Channel:
    """One end of the line.

    Args:
        handle: answers what the other end asks; its ValueErrors travel back.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._closed = False

    async def open(self, end: socket.socket) -> None:
        """Take one end of a connected socket pair."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=end, limit=LONGEST_LINE)

    async def call(self, op: str, **arguments: Any) -> Any:
        """Ask the other end.

        Raises:
            ValueError: it refuses; the sentence says why.
            ConnectionError: it has gone.
        """
        if self._closed:
            raise ConnectionError("the other end has gone")
        number = id(future := asyncio.get_running_loop().create_future())
        self._calls[number] = future
        try:
            self._send({"id": number, "op": op, "arguments": arguments})
            return await future
        finally:
            del self._calls[number]

    async def run(self) -> None:
        """Read until the other end has gone."""
        try:
            while line := await self._reader.readline():
                message = json.loads(line)
                if "op" in message:
                    task = asyncio.get_running_loop().create_task(self._answer(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif (future := self._calls.get(message["id"])) and not future.done():
                    if "refused" in message:
                        future.set_exception(ValueError(message["refused"]))
                    else:
                        future.set_result(message["value"])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Hang up; whoever still waits for an answer gets a ConnectionError."""
        self._closed = True
        self._writer.close()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(ConnectionError("the other end has gone"))

    async def _answer(self, message: dict[str, Any]) -> None:
        try:
            reply = {"value": await self._handle(message["op"], message["arguments"])}
        except ValueError as error:
            reply = {"refused": str(error)}
        except Exception as error:
            log_bug(error)
            reply = {"refused": f"{message['op']} failed with {type(error).__name__}"}
        self._send({"id": message["id"], **reply})

    def _send(self, message: dict[str, Any]) -> None:
        if not self._closed:
            self._writer.write(json.dumps(message).encode() + b"\n")
