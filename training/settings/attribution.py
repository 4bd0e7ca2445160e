"""To which slot clicks and order lines belong: the keys ``attribution``."""

from dataclasses import dataclass
from enum import Enum


class ViewThrough(Enum):
    """Whether an order line may belong to a slot that was only seen."""

    off = "off"
    last = "last"


@dataclass
class AttributionConfig:
    """To which slot a click and an order line belong; each belongs to one at most."""

    click_hours: float = 24.0
    """A click, cart or dismissal belongs to an answer that came at most so long before it."""
    purchase_days: float = 7.0
    """An order line belongs to a slot whose item was clicked or put into a cart at most so long before it; one that
    names its recommendation_id may come ``click_hours`` later."""
    inferred: bool = True
    """A click without a recommendation_id belongs to the latest slot with that item that the same shopper (or session)
    was answered in ``click_hours``. false: it belongs to none."""
    view_through: ViewThrough = ViewThrough.off
    """off: who only saw an item and buys it has bought by themselves. last: after all other rules a line belongs to the
    slot that showed its item last."""
    view_hours: float = 24.0
    """How long before the order, with ``view_through=last``."""
    skew_minutes: float = 10.0
    """How far a shop's clock may stand before the server's: an event that names its answer may seem so much earlier."""
    bounce_minutes: float = 30.0
    """An answer after which its shopper did nothing for so long, neither with its items nor with others, bounced."""
    late_days: float = 90.0
    """An event that is received longer after it happened is left out, and counted."""

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "click_hours": (0.01, 24 * 366),
            "purchase_days": (0.01, 366),
            "view_hours": (0.01, 24 * 366),
            "skew_minutes": (0, 24 * 60),
            "bounce_minutes": (0.01, 24 * 60),
            "late_days": (0.01, 3660),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"attribution.{name} must be from {low:g} to {high:g}, got {value:g}")
