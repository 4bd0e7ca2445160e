"""Bidirectional RPC between the parent and a worker: JSON lines over a socket pair.

A call is ``{"id", "op", "arguments"}``; its reply ``{"id", "value"}`` or ``{"id", "refused"}``: a sentence, and what
else a refusal says of itself, that is raised as a ValueError of the same kind in the caller.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from serving.answering.board import AbsentNameError
from serving.protocol.errors import FieldError
from serving.telemetry.logs import log_bug
from tillside.policy import ConflictError

LONGEST_LINE: Final = 1 << 27
"""Bytes; the longest message is a packed items feed."""
Handler = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Channel:
    """One end of the connection.

    Args:
        handle: answers the peer's calls; its ValueErrors are raised in the peer.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._closed = False

    async def open(self, end: socket.socket) -> None:
        """Attach to one end of a connected socket pair."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=end, limit=LONGEST_LINE)

    async def call(self, op: str, **arguments: Any) -> Any:
        """Call an operation of the peer and return its value.

        Raises:
            ValueError: the peer refuses; the sentence says why.
            ConnectionError: the peer has closed the connection.
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
        """Read messages until the peer closes the connection."""
        try:
            while line := await self._reader.readline():
                message = json.loads(line)
                if "op" in message:
                    task = asyncio.get_running_loop().create_task(self._answer(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif (future := self._calls.get(message["id"])) and not future.done():
                    if "refused" in message:
                        future.set_exception(_error(message["refused"]))
                    else:
                        future.set_result(message["value"])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection; pending calls raise ConnectionError."""
        self._closed = True
        self._writer.close()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(ConnectionError("the other end has gone"))

    async def _answer(self, message: dict[str, Any]) -> None:
        try:
            reply = {"value": await self._handle(message["op"], message["arguments"])}
        except ValueError as error:
            reply = {"refused": _refusal(error)}
        except Exception as error:
            log_bug(error)
            reply = {"refused": {"sentence": f"{message['op']} failed with {type(error).__name__}"}}
        self._send({"id": message["id"], **reply})

    def _send(self, message: dict[str, Any]) -> None:
        if not self._closed:
            self._writer.write(json.dumps(message).encode() + b"\n")


def _refusal(error: ValueError) -> dict[str, Any]:
    """What a ValueError says of itself, as JSON types."""
    said: dict[str, Any] = {"sentence": str(error), "conflict": isinstance(error, ConflictError)}
    return said | ({"field": error.field, "allowed": error.allowed} if isinstance(error, FieldError) else {})


def _error(refusal: dict[str, Any]) -> ValueError:
    """The error that says so."""
    sentence, conflict = refusal["sentence"], refusal.get("conflict", False)
    if "field" in refusal:
        kind = AbsentNameError if conflict else FieldError
        return kind(refusal["field"], sentence, allowed=refusal["allowed"])
    return ConflictError(sentence) if conflict else ValueError(sentence)
