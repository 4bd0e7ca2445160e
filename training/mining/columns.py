"""Column names of the mining tables."""

from typing import Final

SESSION: Final = "session"
USER: Final = "user"
ITEM: Final = "item"
TIME: Final = "time"
WEIGHT: Final = "weight"
GROUP: Final = "group"
ANCHOR: Final = "anchor"
COUNT: Final = "count"
RECENT: Final = "recent"
PLACE: Final = "place"
SIZE: Final = "size"
"""Distinct items of a session."""
