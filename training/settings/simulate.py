"""Settings of ``training.simulate``."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class SimulateConfig:
    """The shop to simulate."""

    out: str = MISSING
    """The directory to write; replaced as a whole when it already holds a simulated shop."""
    seed: int = 0
    """The same seed gives the same bytes."""
    items: int = 2000
    """At least 100; about 3 to a family (phone 8 Lite, SE, Plus, Pro)."""
    sessions: int = 40_000
    """Visits that shoppers begin of themselves; later visits after a purchase come on top."""
    shoppers: int = 12_000
    """A few come often, many once."""
    days: int = 120
    """Length of the log."""
    start: str = "2026-01-01"
    """The log's first day, UTC."""
    new_items: float = 0.12
    """Share of the product families that come on sale while the log runs."""
    out_of_stock: float = 0.04
    """Share of an item's time in which it cannot be had."""
    anonymous: float = 0.2
    """Share of the sessions without a user id."""
    scenes: float = 0.1
    """Share of the sessions that come from a live room and follow what it shows."""
    noise: float = 0.15
    """Share of the clicks on anything popular, for no reason."""
    revisit: float = 0.14
    """How often a click goes back to an item of this session."""
    attach: float = 0.7
    """How often, with something in the cart, the next look is at what goes with it."""
    follow_up: float = 0.3
    """How often a purchase brings a known shopper back, for what goes with it or for more of it."""
