"""Thread-safe FIFO cache of what is derived from item facts: columns over all items, and the rules of a day."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar

REMEMBERED_BYTES: Final = 1 << 26
"""Size limit of the cached columns of one state of the facts; the oldest are evicted."""
REMEMBERED_DAYS: Final = 256
"""Maximum number of cached day rules, one entry per placement, segment and day."""


Value = TypeVar("Value")


class Cache:
    """FIFO cache of at most ``most`` values by key; threads that miss a key at once may each compute it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Value of the key; computed by ``make`` on a miss, which None always is."""
        found: Value | None = self._made.get(key)
        if found is None:
            found = make()
            with self._lock:
                self._made[key] = found
                while len(self._made) > self._most:
                    del self._made[next(iter(self._made))]
        return found
