"""The canonical event and item schema: every column name and every behaviour name is defined here, once.

An event is a behaviour of a shopper towards an item at a time, within a session. Behaviours are an *ordered* list,
weakest first; the last one is the goal, what the shop is paid for, and "purchase intent" is the probability that the
session still reaches it.
"""

from dataclasses import dataclass
from typing import Final

SESSION_ID: Final = "session_id"
ITEM_ID: Final = "item_id"
BEHAVIOUR: Final = "behaviour"
TIMESTAMP: Final = "timestamp"
"""UTC, milliseconds since the epoch."""
USER_ID: Final = "user_id"
PRICE: Final = "price"
QUANTITY: Final = "quantity"
SCENE_ID: Final = "scene_id"
"""The live room, video or look in which the item was shown."""

CATEGORY: Final = "category"
"""A path from coarse to fine, levels separated by dots: ``electronics.audio.headphone``."""
BRAND: Final = "brand"
NAME: Final = "name"
"""Display name; shown, never a feature."""

DEFAULT_BEHAVIOURS: Final = ("click", "cart", "purchase")
TIME_UNKNOWN: Final = -1
"""Timestamp of events of a log that is ordered but has no clock."""


@dataclass(frozen=True, slots=True)
class Behaviours:
    """An ordered list of behaviour names, weakest first.

    Raises:
        ValueError: the list is empty, holds an empty or repeated name, or more than 32 names.
    """

    names: tuple[str, ...] = DEFAULT_BEHAVIOURS

    def __post_init__(self) -> None:
        if not self.names or len(self.names) > 32:
            raise ValueError(f"behaviours must hold 1 to 32 names, got {len(self.names)}")
        if any(not name or name != name.strip() for name in self.names) or len(set(self.names)) != len(self.names):
            raise ValueError(f"behaviours must be distinct, non-empty names, got {list(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def goal(self) -> str:
        """The strongest behaviour, which purchase intent predicts."""
        return self.names[-1]

    def index(self, name: str) -> int:
        """Position of ``name`` in the list.

        Raises:
            ValueError: ``name`` is not in the list; the message names the allowed ones.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(f"behaviour {name!r} is unknown; allowed: {', '.join(self.names)}") from None
