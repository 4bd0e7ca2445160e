"""Shopper intents and their effect on clicks, carts and purchases; holds all behavioural constants.

Intents are latent: absent from the log, recorded in the ground truth. Mode weights are the distribution of the next
click's source.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np


class Mode(IntEnum):
    """Source of the next clicked item."""

    LADDER = 0  # the adjacent model of the family, pricier or cheaper
    RIVAL_OF_WANTED = 1  # a substitute of the wanted item
    RIVAL_OF_LAST = 2  # a substitute of the last clicked item
    COMPLEMENT = 3  # a complement of an item in the cart, else of the wanted one
    CATEGORY = 4  # a popular item of the wanted kind
    OTHER_WISH = 5  # the session's other wish


@dataclass(frozen=True)
class Intent:
    """One intent: session share, mode probabilities, and base odds of cart, buy and leave against one more click."""

    name: str
    share: float
    modes: tuple[float, float, float, float, float, float]
    direct: float
    """Probability that the first click is the wanted item itself."""
    cart: float
    buy: float
    leave: float
    goes_with: float
    """Multiplier on the config's ``attach`` once something is in the cart."""


INTENTS: Final = (
    Intent("decided", 0.13, (0.18, 0.36, 0.11, 0.07, 0.16, 0.12), 0.70, 0.19, 0.38, 0.16, 1.3),
    Intent("comparing", 0.32, (0.22, 0.32, 0.13, 0.02, 0.19, 0.12), 0.35, 0.019, 0.22, 0.13, 0.7),
    Intent("browsing", 0.34, (0.07, 0.14, 0.15, 0.03, 0.31, 0.30), 0.25, 0.005, 0.08, 0.17, 0.5),
    Intent("accessory", 0.09, (0.18, 0.34, 0.14, 0.05, 0.09, 0.20), 0.60, 0.11, 0.32, 0.18, 0.8),
    Intent("gift", 0.07, (0.10, 0.20, 0.10, 0.04, 0.28, 0.28), 0.35, 0.030, 0.25, 0.14, 0.4),
    Intent("replenisher", 0.05, (0.10, 0.24, 0.06, 0.20, 0.08, 0.32), 0.80, 0.26, 0.55, 0.20, 0.7),
)
NAMES: Final = tuple(intent.name for intent in INTENTS)
DECIDED, COMPARING, BROWSING, ACCESSORY, GIFT, REPLENISHER = range(len(INTENTS))

SHARES: Final = np.cumsum([intent.share for intent in INTENTS])
MODES: Final = np.cumsum([intent.modes for intent in INTENTS], axis=1)
DIRECT: Final = np.array([intent.direct for intent in INTENTS])
CART: Final = np.log([intent.cart for intent in INTENTS])
BUY: Final = np.log([intent.buy for intent in INTENTS])
LEAVE: Final = np.log([intent.leave for intent in INTENTS])
GOES_WITH: Final = np.array([intent.goes_with for intent in INTENTS])
REVISITS: Final = np.array([0.8, 1.3, 0.8, 0.8, 1.0, 0.5])
"""Multiplier on the config's ``revisit``, per intent."""
