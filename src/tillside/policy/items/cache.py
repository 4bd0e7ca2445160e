"""A bounded cache of what is derived from item facts: tables over all items, and the rules of a day."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar

REMEMBERED_BYTES: Final = 1 << 26
"""Of tables; the oldest ones are forgotten, and made again if they are asked for."""


REMEMBERED_DAYS: Final = 256
"""Rules of so many days (each placement and segment has its own)."""


Value = TypeVar("Value")


class Cache:
    """Keeps what was made for a key, the latest ``most`` of them; may be asked from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What ``make`` gave for the key, now or earlier."""
        found: Value | None = self._made.get(key)
        if found is None:
            found = make()
            with self._lock:
                self._made[key] = found
                while len(self._made) > self._most:
                    del self._made[next(iter(self._made))]
        return found
