"""Shoppers with preferences, and session start times.

A few shoppers visit often, many once. Traffic follows the hour of the day and the day of the week. Shapes: U shoppers.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.simulator.goods import BRAND_STRIDE, DAY_MS, DEPARTMENTS, Floats, Ints
from training.simulator.products import BRANDS

HOUR_MS: Final = DAY_MS // 24
HOURS: Final = (8, 4, 2, 2, 2, 4, 9, 18, 26, 32, 36, 40, 44, 40, 36, 36, 40, 46, 54, 64, 72, 66, 44, 20)
"""Relative traffic by hour of the day, UTC."""
WEEKDAYS: Final = (0.92, 0.90, 0.92, 0.97, 1.0, 1.18, 1.25)
"""Relative traffic, Monday first."""


@dataclass(frozen=True)
class Shoppers:
    """Preferences of U shoppers."""

    sensitivity_U: Floats
    """Price sensitivity, 0 to 1."""
    eagerness_U: Floats
    """Propensity to buy; shifts a session's initial desire."""
    department_U: Ints
    brand_rank_U: Ints
    """Rank of the favourite brand, in any department (modulo its number of brands)."""
    arrival_U: Floats
    """Cumulative share of sessions."""

    def brand(self, shopper: Ints, brand_of_item: Ints) -> Ints:
        """Favourite brand of each shopper in the department of the given brand."""
        department = brand_of_item // BRAND_STRIDE
        sizes = np.array([len(BRANDS[name]) for name in DEPARTMENTS])
        return department * BRAND_STRIDE + self.brand_rank_U[shopper] % sizes[department]


def make_shoppers(rng: np.random.Generator, shoppers: int) -> Shoppers:
    """Draw the preferences of ``shoppers`` shoppers."""
    arrival = np.cumsum(rng.gamma(0.6, 1.0, shoppers) + 1e-6)
    return Shoppers(
        sensitivity_U=rng.beta(2.0, 2.0, shoppers),
        eagerness_U=rng.normal(0.0, 0.5, shoppers),
        department_U=rng.choice(len(DEPARTMENTS), shoppers, p=[0.5, 0.25, 0.25]),
        brand_rank_U=np.minimum(rng.exponential(3.5, shoppers).astype(np.int64), BRAND_STRIDE - 1),
        arrival_U=arrival / arrival[-1],
    )


def arrivals(rng: np.random.Generator, *, sessions: int, start_ms: int, days: int) -> Ints:
    """Draw session start times, ascending, UTC milliseconds."""
    weekday = (start_ms // DAY_MS + 3 + np.arange(days)) % 7  # the epoch began on a Thursday
    day = np.array(WEEKDAYS)[weekday] * np.exp(rng.normal(0, 0.06, days))
    cumulative = np.concatenate([[0.0], np.cumsum((day[:, None] * np.array(HOURS)).ravel())])
    moments = np.sort(rng.random(sessions)) * cumulative[-1]
    return start_ms + (np.interp(moments, cumulative, np.arange(len(cumulative))) * HOUR_MS).astype(np.int64)
