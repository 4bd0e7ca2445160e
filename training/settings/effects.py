"""What a report of effects shows: the keys ``effects``."""

from dataclasses import dataclass


@dataclass
class EffectsConfig:
    """What the report shows, and when it calls a pair weak."""

    confidence: float = 0.95
    """Of every interval."""
    reference: str = "holdout"
    """The arm that others are compared with; an experiment without it is compared with its first arm by name."""
    weak_share: float = 0.7
    """A pair is weak whose rate is surely below so large a share of its placement's rate."""
    false_share: float = 0.05
    """Of the pairs that are called weak, so large a share may be chance."""
    min_seen: int = 100
    """A pair must have been seen so often before its click rate is judged."""
    min_clicks: int = 30
    """A pair must have been clicked so often before its conversion is judged."""
    min_orders: int = 20
    """Items or categories must stand together in so many orders before they are listed."""
    largest_order: int = 50
    """Orders of more different items are left out of what sells together: wholesalers."""
    gift_days: float = 60.0
    """A gift is followed by a purchase of the full product within so many days."""
    shown: int = 25
    """Rows of each table of the page; the Parquet tables hold all."""

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "confidence": (0.5, 0.9999),
            "weak_share": (0.01, 1),
            "false_share": (1e-9, 0.5),
            "min_seen": (1, 2**31),
            "min_clicks": (1, 2**31),
            "min_orders": (1, 2**31),
            "largest_order": (2, 1000),
            "gift_days": (0.01, 3660),
            "shown": (1, 1000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise ValueError(f"effects.{name} must be from {low:g} to {high:g}, got {value:g}")
