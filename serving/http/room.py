"""What the connections of one port hold together, and which of them are given up where it is too much."""

from typing import Final, Protocol

HELD_BYTES: Final = 64 << 20
"""Bodies that all connections may hold together before the oldest unfinished one is given up."""
UNSENT_BYTES: Final = 16 << 20
"""Answers that may wait together for clients to read them before the oldest is given up."""


class Held(Protocol):
    """A connection, as its room knows it."""

    def abort(self) -> None:
        """Close at once."""


class Room:
    """What the connections of one port hold together, and which of them are closed to make room.

    Attributes:
        most: connections at once.
        waiting: connections that owe nobody an answer (idle, without a whole request, or with an answer that is not
            read), the one that has waited longest first.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[Held, None] = {}
        self._bodies: dict[Held, int] = {}
        self._unsent: dict[Held, int] = {}
        self._held = self._blocked = 0

    def make_room(self) -> bool:
        """Close the connection that has waited longest; False if every one is being answered."""
        oldest = next(iter(self.waiting), None)
        if oldest is not None:
            oldest.abort()
        return oldest is not None

    def hold(self, connection: Held, size: int) -> None:
        """Count bytes of a body; beyond HELD_BYTES the oldest body that is still arriving is given up."""
        self._bodies[connection] = self._bodies.get(connection, 0) + size
        self._held += size
        if self._held > HELD_BYTES:
            self._give_up(self._bodies)

    def let_go(self, connection: Held) -> None:
        """The connection's body is answered or gone."""
        self._held -= self._bodies.pop(connection, 0)

    def block(self, connection: Held, size: int) -> None:
        """Count bytes that a client does not read; beyond UNSENT_BYTES the one blocked longest is given up."""
        self.unblock(connection)
        self._unsent[connection] = size
        self._blocked += size
        if self._blocked > UNSENT_BYTES:
            self._give_up(self._unsent)

    def unblock(self, connection: Held) -> None:
        """The client has read again, or is gone."""
        self._blocked -= self._unsent.pop(connection, 0)

    def leave(self, connection: Held) -> None:
        """Forget a connection."""
        self.waiting.pop(connection, None)
        self.let_go(connection)
        self.unblock(connection)

    def _give_up(self, sizes: dict[Held, int]) -> None:
        oldest = next((each for each in sizes if each in self.waiting), None)
        if oldest is not None:
            oldest.abort()
