"""How much is remembered of shoppers, and for how long."""

from dataclasses import dataclass
from typing import Final

MOST_GAP_MINUTES: Final = 1440
"""A day: what is remembered is a visit."""


@dataclass(frozen=True, slots=True)
class VisitLimits:
    """What is kept.

    Attributes:
        gap_minutes: a visit ends after so long without an event.
        shoppers: how many.
        events: of each the latest so many.
    """

    gap_minutes: int = 30
    shoppers: int = 100_000
    events: int = 50
