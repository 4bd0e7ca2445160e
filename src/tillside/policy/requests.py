"""Requests to a placement and its answers: plain values with items by number, so no id needs a lookup.

They are msgspec structs, which are faster to create than dataclasses.

Shapes: L events of the session, M items in the cart, C candidates, B behaviours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tillside.events import Behaviours
from tillside.policy.items.filters import Among

Ints = npt.NDArray[np.int64]
Tier = Literal["model", "covisitation", "popularity", "static"]
Mode = Literal["cross_sell", "balanced", "down_sell"]
Language = Literal["en", "zh"]
VIEW: Final = 0
CART: Final = 1
GOAL: Final = 2
NOTHING: Final = np.zeros(0, np.int64)


def event_kinds(behaviours: Behaviours) -> Ints:
    """Event kind of each behaviour, int64 [B]: GOAL for the last, CART for ``cart``, VIEW for the others."""
    kinds = [CART if name == "cart" else VIEW for name in behaviours.names]
    return np.array([*kinds[:-1], GOAL], np.int64)


class Dismissed(Struct, frozen=True):
    """What a shopper waved away: one item, a category with all below it, or a placement.

    Attributes:
        time_ms: when, UTC ms.
    """

    time_ms: int
    item: int | None = None
    category: str | None = None
    placement: str | None = None


class PlacementRequest(Struct, frozen=True, kw_only=True):
    """One request to a policy; items are numbers of the facts, unknown ones are ignored.

    Attributes:
        placement: name of a placement of the policy.
        now_ms: time of the request, UTC ms.
        k: number of items; None for the placement's ``slots``.
        session_L: items, oldest first.
        kinds_L: VIEW, CART or GOAL per event, see :func:`event_kinds`; empty if unknown.
        times_L: UTC ms per event, TIME_UNKNOWN for an unknown one; empty if all are.
        cart_M: items in the cart, latest last, repeated by quantity.
        segment: new, returning, dormant or high_value; others and None use the base policy.
        age: of the shopper in years; if None, nothing with an age limit is shown.
        impressions: item -> (impression count, time of the last one in UTC ms).
        dismissed: what the shopper waved away.
        moment: what goes on, such as ``explanation`` in a live room; None for nothing special.
        excluded: items that must not be shown.
        hide_seen: whether the session's items are hidden, as by the rule ``hide_viewed: all``.
        intent: calibrated probability that the session still reaches the goal, or None.
        host: item that the host of the live room currently shows.
        scene: items of the scene.
        explain: whether to fill :attr:`PlacedItem.parts`.
        language: of the reasons and the promotion hint.
        among: the only items that may be shown: the request's candidates, and what meets its filter; None for all.
        boosts: factors on the scores of sets of items; of several that hold an item the factors multiply.
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
    dismissed: tuple[Dismissed, ...] = ()
    moment: str | None = None
    excluded: frozenset[int] = frozenset()
    hide_seen: bool = False
    intent: float | None = None
    host: int | None = None
    scene: tuple[int, ...] = ()
    explain: bool = False
    language: Language = "en"
    among: Among | None = None
    boosts: tuple[tuple[Among, float], ...] = ()


@dataclass(frozen=True)
class ModelCandidates:
    """Candidates of one fallback tier: items [C], best first, and raw scores [C].

    Only the order of the scores counts, except for the ``model`` tier under ``fusion: odds``.
    """

    items: Ints
    scores: npt.NDArray[np.float32]
    tier: Tier = "model"


class PlacedItem(Struct, frozen=True):
    """One item of the answer.

    Attributes:
        score: ranking score before diversity; 0 for pinned and filler items and for the host's.
        source: a source of the policy, or the tier's name where a lower tier answered for the model; ``pinned``, or
            ``host`` for the host's own item.
        anchor: item whose relation proposed this one, or None.
        rule: name of the pin that placed it, ``manual pair`` for a pinned relation, or None.
        parts: contribution of each source, the boost factor, and the diversity penalty (negative); None unless asked
            for.
        reason_key: key of the reason, for shops that write their own sentences.
        reason: sentence for the shopper.
        propensity: probability that the item stood in its slot, given those before it; 1 where nothing is drawn.
    """

    item: int
    score: float
    source: str
    anchor: int | None
    rule: str | None
    parts: Mapping[str, float] | None
    reason_key: str
    reason: str
    propensity: float = 1.0


class OfferedBundle(Struct, frozen=True):
    """Product bundle, items of the cart first.

    Attributes:
        missing: its items that are not in the cart.
        price: sum of the prices.
        discounted_price: price under the best promotion, or None if none applies.
        promotion: name of that promotion.
    """

    items: tuple[int, ...]
    missing: tuple[int, ...]
    price: float
    discounted_price: float | None
    promotion: str | None


class PromotionHint(Struct, frozen=True):
    """Next step of a promotion.

    Attributes:
        missing: items to it; 0 for a step that asks for a sum.
        percent: what it takes off; 0 for a step that gives something else.
        reached_percent: what the step that is reached takes off.
        missing_spend: sum to it, None for a step that counts items.
        amount, gift: the sum that it takes off, or the id of the item that comes free; else None.
        text: sentence for the shopper.
    """

    promotion: str
    missing: int
    percent: float
    reached_percent: float
    text: str
    missing_spend: float | None = None
    amount: float | None = None
    gift: str | None = None


class Placement(Struct, frozen=True):
    """Answer to a placement request.

    Attributes:
        items: best first, in slot order.
        decided: from comparing (0) to decided (1); determines the mode.
        why: the signals behind it, such as ``intent 0.82`` or ``repeat_views -0.25``.
        dropped: number of candidates that each rule removed (hard) or demoted (soft).
        removed: number of items that each rule removed: of the whole assortment by rules that do not depend on the
            request, of the candidates by all others. Empty unless asked for or nothing is shown.
        notes: for the shop's staff: needs that are not met, and why nothing is shown.
        feed_stale: whether the items feed is too old for this placement's rules.
    """

    items: list[PlacedItem]
    mode: Mode
    decided: float
    why: tuple[str, ...]
    bundles: list[OfferedBundle]
    promotion: PromotionHint | None
    dropped: Mapping[str, int]
    feed_stale: bool
    removed: Mapping[str, int] = MappingProxyType({})
    notes: tuple[str, ...] = ()
