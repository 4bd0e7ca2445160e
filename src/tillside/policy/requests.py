"""What a placement is asked and what it answers: plain values, items by number, no strings that would need a look-up.

Requests and answers are msgspec structs, which are made faster than dataclasses.

Shapes: L events of the session, M items in the cart, I items with impressions, C candidates, N items.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tillside.events import Behaviours

Ints = npt.NDArray[np.int64]
Tier = Literal["model", "covisitation", "popularity", "static"]
Mode = Literal["cross_sell", "balanced", "down_sell"]
Language = Literal["en", "zh"]
VIEW: Final = 0
CART: Final = 1
GOAL: Final = 2
NOTHING: Final = np.zeros(0, np.int64)


def event_kinds(behaviours: Behaviours) -> Ints:
    """What each behaviour is to a policy, int64 [A]: the goal, putting into the cart, or else looking."""
    kinds = [CART if name == "cart" else VIEW for name in behaviours.names]
    return np.array([*kinds[:-1], GOAL], np.int64)


class PlacementRequest(Struct, frozen=True, kw_only=True):
    """One question to a policy; items are numbers of the facts, those that the facts do not know are left out.

    Attributes:
        k: how many items; None leaves it to the policy's ``slots``.
        session_L: items, oldest first.
        kinds_L: VIEW, CART or GOAL for each, see :func:`event_kinds`; empty where it is not known.
        times_L: UTC ms for each, TIME_UNKNOWN or empty where it is not known.
        cart_M: what is in the cart, latest last, an item as often as its quantity.
        segment: new, returning, dormant or high_value; others and None have the policy of all.
        age: years, None if unknown; then nothing with an age limit is shown.
        impressions: item -> (how often it was shown, when last, UTC ms).
        excluded: items that are never shown.
        intent: calibrated probability that the session still buys, or None.
        host: the item that the live room's host shows now.
        scene: items of the scene.
        explain: whether the items' parts are wanted.
    """

    placement: str
    now_ms: int
    k: int | None = None
    session_L: Ints = NOTHING
    kinds_L: Ints = NOTHING
    times_L: Ints = NOTHING
    cart_M: Ints = NOTHING
    segment: str | None = None
    age: int | None = None
    impressions: Mapping[int, tuple[int, int]] = MappingProxyType({})
    excluded: frozenset[int] = frozenset()
    intent: float | None = None
    host: int | None = None
    scene: tuple[int, ...] = ()
    explain: bool = False
    language: Language = "en"


@dataclass(frozen=True)
class ModelCandidates:
    """What one rung of the ladder gives: items [C], best first, with their raw scores [C]; only their order counts."""

    items: Ints
    scores: npt.NDArray[np.float32]
    tier: Tier = "model"


class PlacedItem(Struct, frozen=True):
    """One item of the answer.

    Attributes:
        score: what it was ranked by before diversity, 0 for the filler.
        source: a source of the policy, or the rung's name where a lower rung answered for the model.
        anchor: the item that a relation led from, or None.
        rule: the pin that set it, or None.
        parts: what each source gave, the boost, and what diversity took; None where it was not asked for.
        reason_key: names the reason, for shops that write their own.
        reason: a sentence for the shopper.
    """

    item: int
    score: float
    source: str
    anchor: int | None
    rule: str | None
    parts: Mapping[str, float] | None
    reason_key: str
    reason: str


class OfferedBundle(Struct, frozen=True):
    """Items that go together, those of the cart first.

    Attributes:
        missing: those that are not in the cart.
        price: the sum of their prices.
        discounted_price: what they cost together under the best promotion, or None if none holds.
        promotion: its name.
    """

    items: tuple[int, ...]
    missing: tuple[int, ...]
    price: float
    discounted_price: float | None
    promotion: str | None


class PromotionHint(Struct, frozen=True):
    """What is missing to a promotion's next step: so many more items, then so many per cent."""

    promotion: str
    missing: int
    percent: float
    reached_percent: float
    text: str


class Placement(Struct, frozen=True):
    """An answer.

    Attributes:
        decided: from comparing (0) to decided (1), which the mode is read off.
        why: what led there, such as ``intent 0.82`` or ``repeat_views``.
        dropped: candidates that each rule kept out (hard ones) or put behind others (soft ones).
        feed_stale: whether the items feed was too old for this placement's rules.
    """

    items: list[PlacedItem]
    mode: Mode
    decided: float
    why: tuple[str, ...]
    bundles: list[OfferedBundle]
    promotion: PromotionHint | None
    dropped: Mapping[str, int]
    feed_stale: bool
