"""Bidirectional RPC between the parent and a worker: JSON messages over a socket pair, each after its length.

A message may have any length: what a merchandiser sets by hand grows without a limit that this file could know. A call
is ``{"id", "op", "arguments"}``; its reply ``{"id", "value"}`` or ``{"id", "refused"}``: a sentence, and what
else a refusal says of itself, that is raised as a ValueError of the same kind in the caller.
"""

import asyncio
import itertools
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

from serving.answering.board import AbsentNameError
from serving.protocol.errors import FieldError
from serving.telemetry.logs import log_bug
from tillside.policy import ConflictError
from tillside.policy.file.values import TermError

LENGTH_BYTES: Final = 8
"""Of the length before each message, big-endian."""
REFUSALS: Final[dict[str, type[FieldError | TermError]]] = {
    "absent": AbsentNameError,
    "field": FieldError,
    "conflict": ConflictError,
    "term": TermError,
}
"""Kinds of refusals that say more than a sentence, the most special first."""
Handler = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Channel:
    """One end of the connection.

    Args:
        handle: answers the peer's calls; its ValueErrors are raised in the peer.

    Attributes:
        closed: whether nothing can be called any more.
    """

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()  # none twice: the answer to a call that was given up may still come
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.closed = False

    async def open(self, end: socket.socket) -> None:
        """Attach to one end of a connected socket pair."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=end)

    async def call(self, op: str, **arguments: Any) -> Any:
        """Call an operation of the peer and return its value.

        Raises:
            ValueError: the peer refuses; the sentence says why.
            ConnectionError: the peer has closed the connection.
        """
        if self.closed:
            raise ConnectionError("the other end has gone")
        number, future = next(self._numbers), asyncio.get_running_loop().create_future()
        self._calls[number] = future
        try:
            self._send({"id": number, "op": op, "arguments": arguments})
            return await future
        finally:
            del self._calls[number]

    async def run(self) -> None:
        """Read messages until the peer closes the connection."""
        try:
            while True:
                length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
                message = json.loads(await self._reader.readexactly(length))
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
        self.closed = True
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
        if not self.closed:
            data = json.dumps(message).encode()
            self._writer.write(len(data).to_bytes(LENGTH_BYTES))
            self._writer.write(data)


def _refusal(error: ValueError) -> dict[str, Any]:
    """What a ValueError says of itself, as JSON types."""
    about = {"field": error.field, "allowed": error.allowed} if isinstance(error, FieldError | TermError) else {}
    return {
        "sentence": str(error),
        "kind": next((name for name, kind in REFUSALS.items() if isinstance(error, kind)), None),
        "about": about,
    }


def _error(refusal: dict[str, Any]) -> ValueError:
    """The error that says so."""
    sentence, kind, about = refusal["sentence"], refusal.get("kind"), refusal.get("about", {})
    if kind is None:
        return ValueError(sentence)
    return REFUSALS[kind](sentence=sentence, **about)
