"""Where visits of shoppers are kept, how much of each, and for how long."""

import re
from dataclasses import dataclass
from typing import Final

MEMORY: Final = "memory"
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


def parse_place(text: str) -> str | None:
    """Where visits are kept: ``memory``, the address of a Redis, or None for ``off``.

    Raises:
        ValueError: it is neither.
    """
    if text == "off":
        return None
    if text == MEMORY or re.fullmatch(r"(rediss?|unix)://[^\s]+", text):
        return text
    raise ValueError(f"must be off, memory or redis://HOST:PORT/DB, got {text.partition(':')[0][:60]!r}")
