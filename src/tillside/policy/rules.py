"""Rules of a placement: hard rules forbid an item, soft rules rank it behind the items that keep them.

A rulebook is built for one request and judges any array of items, candidates and filler alike, so no source and no
fallback tier bypasses a hard rule. Verdicts that hold for all requests of a day are looked up (``standing``). Soft
rules give way if they would leave slots open: frequency caps first, then a soft price band, then what goes with nothing
in the cart.

Shapes: U items to judge, N items, L events of the session, M items in the cart, G sets of categories, C classes of
items by what they fit.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from tillside.policy.day_rules import (
    BANNED,
    CART,
    DISMISSED,
    EXCLUDED,
    FILTER,
    HARD,
    KIND,
    MISFIT,
    PRICE,
    STALE_FEED,
    STOCK,
    VARIANT,
    VIEWED,
    DayRules,
    Standing,
    Verdicts,
)
from tillside.policy.file.rule_terms import PriceBand, Rules, Stock
from tillside.policy.file.values import HOUR_MS
from tillside.policy.items.facts import IN_STOCK, OUT_OF_STOCK, ItemFacts
from tillside.policy.items.filters import Among
from tillside.policy.requests import GOAL, PlacementRequest
from tillside.policy.restraint import Resting, resting
from tillside.policy.variants import Variants

__all__ = ["CAPPED", "HARD", "OUTSIDE_BAND", "SOFT", "UNRELATED", "VIEWED", "Rulebook"]

CAPPED: Final = 1
OUTSIDE_BAND: Final = 2
UNRELATED: Final = 3
"""Soft-rule levels; the higher one gives way last."""
SOFT: Final = ("capped", "outside_band", "unrelated")
DECIDED: Final = ("cart", "checkout", "order_confirmed")
"""Placements where nobody wants another one of what they have just chosen."""

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Rulebook(Struct, frozen=True, eq=False):
    """Rules of one request.

    Attributes:
        facts: what the item numbers refer to; ``day`` knows them only weakly.
        day: rules of the shop's day.
        standing: the hard rules that do not depend on the session, and ``verdicts_N`` what they say of each item.
        feed_stale: whether the items feed is too old or missing.
        blocked: item -> the hard rule that forbids it, an index into HARD.
        viewed, capped: items hidden as viewed, and items at their frequency cap.
        named: union of ``blocked``, ``viewed`` and ``capped``, ascending.
        band: lowest and highest allowed price, or None for any.
        band_hard: whether the band is a hard rule.
        resting: what the shopper saw too often or waved away.
        kinds_G: category sets hidden as kinds of the basket; None for none.
        misfits_C: classes that do not fit the basket; None for none.
        among: the only items that the request allows; None for all.
        variants: what is one thing in several sizes or colours; None if the policy does not say.
    """

    facts: ItemFacts
    day: DayRules
    standing: Standing
    verdicts_N: Verdicts
    feed_stale: bool
    blocked: dict[int, int]
    viewed: frozenset[int]
    capped: frozenset[int]
    named: Ints
    band: tuple[float, float] | None
    band_hard: bool
    resting: Resting
    kinds_G: Mask | None
    misfits_C: Mask | None
    among: Among | None = None
    variants: Variants | None = None

    @classmethod
    def of(
        cls, rules: Rules, request: PlacementRequest, facts: ItemFacts, *, day: date, anchors: Sequence[int]
    ) -> "Rulebook":
        """Rulebook for a request on ``day``, the shop's date."""
        today = DayRules.of(rules, facts, day)
        stale = _stale(rules.stock, facts.feed_time_ms, request.now_ms)
        hide_unknown = stale or rules.stock.unknown == "hide"
        hidden = -1
        if (stale and rules.stock.when_stale == "hide_all") or (hide_unknown and facts.feed_time_ms is None):
            hidden = STALE_FEED if stale else STOCK
        standing = today.standing(
            age=max(request.age or 0, 0), least_stock=IN_STOCK if hide_unknown else OUT_OF_STOCK + 1, hidden=hidden
        )
        rested, basket = resting(rules, request, facts), _basket(request, facts)
        blocked = dict.fromkeys(today.banned, BANNED) | dict.fromkeys(rested.dismissed, DISMISSED)
        blocked.update(dict.fromkeys(request.excluded, EXCLUDED))
        blocked.update(dict.fromkeys(request.cart_M.tolist(), CART))
        viewed: Sequence[int] = ()
        if request.hide_seen or rules.hide_viewed == "all":
            viewed = request.session_L.tolist()
        elif rules.hide_viewed == "last":
            viewed = request.session_L[-1:].tolist()
        return cls(
            facts=facts,
            day=today,
            standing=standing,
            verdicts_N=facts.tables.get(standing, lambda: standing.verdicts(facts)),
            feed_stale=stale,
            blocked=blocked,
            viewed=frozenset(viewed),
            capped=rested.capped,
            named=np.array(sorted({*blocked, *viewed, *rested.capped}), np.int64),
            band=_band(rules.price_band, request, facts, anchors) if rules.price_band else None,
            band_hard=bool(rules.price_band and rules.price_band.hard),
            resting=rested,
            kinds_G=_kinds(today, request, facts, basket=basket, anchors=anchors),
            misfits_C=_misfits(rules.fits, facts, basket=basket, anchors=anchors),
            among=request.among,
            variants=_variants(rules.variants, request, facts, held=[*basket, *anchors]),
        )

    def boosts(self, items_U: Ints, now_ms: int, own_brand_U: npt.NDArray[np.bool_] | None = None) -> Floats | None:
        """Factor on each item's score, from 1 to the policy's bound, float64 [U]; None if all are 1.

        Args:
            own_brand_U: which items are of the brand of what they go with; None if that counts nothing.
        """
        factors_U = self.day.boosts(items_U, now_ms)
        if own_brand_U is None or not own_brand_U.any():
            return factors_U
        boosts = self.day.rules.boosts
        made_U = np.ones(len(items_U)) if factors_U is None else factors_U
        made_U[own_brand_U] += boosts.same_brand
        return np.minimum(made_U, boosts.at_most, out=made_U)

    @property
    def narrows(self) -> bool:
        """Whether the request forbids more than single items, so that a source should propose some more."""
        hidden = (self.kinds_G, self.misfits_C, self.resting.dismissed_G)
        varied = self.variants is not None and bool(self.variants.things)
        return varied or any(mask is not None for mask in hidden) or (self.band is not None and self.band_hard)

    def judged(self, items_U: Ints) -> tuple[Verdicts, Ints]:
        """Judge items by all rules.

        Args:
            items_U: distinct item numbers known to the facts, ascending.

        Returns:
            The hard rule that forbids each item (of several, by the precedence that HARD states), an index into HARD,
            or -1, int8 [U], and the highest soft-rule level that it violates, 0 for none, int64 [U].
        """
        facts = self.facts
        verdicts_U, levels_U = self.verdicts_N.take(items_U), np.zeros(len(items_U), np.int64)
        if self.standing.hidden >= 0 or not len(items_U):
            return verdicts_U, levels_U
        if self.band:
            prices_U = facts.prices_N.take(items_U)
            outside_U = ~((prices_U >= self.band[0]) & (prices_U <= self.band[1]))  # an unknown price, NaN, is outside
            if self.band_hard:
                np.putmask(verdicts_U, outside_U & (verdicts_U < 0), PRICE)
            else:
                np.putmask(levels_U, outside_U, OUTSIDE_BAND)
        if self.kinds_G is not None:
            kin_U = self.kinds_G.take(facts.categories.codes_N.take(items_U))
            np.putmask(verdicts_U, kin_U & (verdicts_U < 0), KIND)
        if self.misfits_C is not None and facts.matching is not None:
            misfits_U = self.misfits_C.take(facts.matching.classes_N.take(items_U))
            np.putmask(verdicts_U, misfits_U & (verdicts_U < 0), MISFIT)
        if self.variants is not None:
            np.putmask(verdicts_U, self.variants.hiding(items_U) & (verdicts_U < 0), VARIANT)
        if self.resting.dismissed_G is not None:
            gone_U = self.resting.dismissed_G.take(facts.categories.codes_N.take(items_U))
            np.putmask(verdicts_U, gone_U & (verdicts_U < 0), DISMISSED)
        if self.resting.capped_G is not None:
            tired_U = self.resting.capped_G.take(facts.categories.codes_N.take(items_U))
            np.putmask(levels_U, tired_U & (levels_U == 0), CAPPED)
        if self.among is not None:
            np.putmask(verdicts_U, ~self.among.holding(items_U) & (verdicts_U < 0), FILTER)
        if len(self.named):
            places = items_U[:-1].searchsorted(self.named)
            for hit in (items_U.take(places) == self.named).nonzero()[0].tolist():
                item, place = int(self.named[hit]), int(places[hit])
                if item in self.blocked:
                    verdicts_U[place] = self.blocked[item]
                elif item in self.viewed and verdicts_U[place] < 0:
                    verdicts_U[place] = VIEWED
                if item in self.capped and not levels_U[place]:
                    levels_U[place] = CAPPED
        return verdicts_U, levels_U

    def verdict(self, item: int) -> int:
        """Hard rule that forbids one item, as in :meth:`judged`: an index into HARD, or -1."""
        verdict = self.verdicts_N.item(item)
        if self.standing.hidden >= 0:
            return verdict
        rule = self.blocked.get(item)
        if rule is not None or verdict >= 0:
            return verdict if rule is None else rule
        facts = self.facts
        if self.band and self.band_hard and not self.band[0] <= facts.prices_N[item] <= self.band[1]:
            return PRICE
        if self.kinds_G is not None and self.kinds_G[facts.categories.codes_N[item]]:
            return KIND
        if self.misfits_C is not None and facts.matching and self.misfits_C[facts.matching.classes_N[item]]:
            return MISFIT
        if self.variants is not None and self.variants.hides(item):
            return VARIANT
        if self.resting.dismissed_G is not None and self.resting.dismissed_G[facts.categories.codes_N[item]]:
            return DISMISSED
        if self.among is not None and not self.among.holds(item):
            return FILTER
        return VIEWED if item in self.viewed else -1


def _variants(
    attribute: str | None, request: PlacementRequest, facts: ItemFacts, *, held: Sequence[int]
) -> Variants | None:
    """What is one thing with the basket, an anchor or the host's item; None where no attribute tells."""
    if attribute is None:
        return None
    shown = [] if request.host is None else [request.host]
    return Variants.of(attribute, facts, [item for item in (*held, *shown) if facts.knows(item)])


def _stale(stock: Stock, feed_time_ms: int | None, now_ms: int) -> bool:
    if stock.feed_max_age_minutes is None:
        return False
    return feed_time_ms is None or now_ms - feed_time_ms > stock.feed_max_age_minutes * HOUR_MS / 60


def _basket(request: PlacementRequest, facts: ItemFacts) -> list[int]:
    """The cart's distinct known items, the latest first; without a cart what the session bought."""
    items = request.cart_M
    if not len(items) and len(request.kinds_L):
        items = request.session_L[request.kinds_L == GOAL]
    return [item for item in dict.fromkeys(items[::-1].tolist()) if facts.knows(item)]


def just_taken(request: PlacementRequest) -> bool:
    """Whether the cart holds what the session came to last, so that the shopper has decided about it."""
    return len(request.session_L) > 0 and bool(np.isin(request.session_L[-1], request.cart_M))


def _kinds(
    today: DayRules, request: PlacementRequest, facts: ItemFacts, *, basket: Sequence[int], anchors: Sequence[int]
) -> Mask | None:
    """Mask [G] of the category sets that hold the kind of a basket's item; None for none."""
    hide = today.rules.hide_kind
    if hide.of == "none":
        return None
    items = basket
    if hide.of == "by_placement" and request.placement not in DECIDED:
        items = [item for item in items if item in request.session_L[-1:] and just_taken(request)]
    if hide.of == "anchors":
        items = [*items, *anchors]
    hidden_G = None
    for code in {facts.categories.codes_N.item(item) for item in items}:
        own_G = today.kind(code)
        if own_G is not None:
            hidden_G = own_G if hidden_G is None else hidden_G | own_G
    return hidden_G


def _misfits(of: str, facts: ItemFacts, *, basket: Sequence[int], anchors: Sequence[int]) -> Mask | None:
    """Mask [C] of the classes that do not fit; None for none.

    Of two phones the one that came last decides which cases fit, and, if asked, the anchors before the basket.
    """
    if facts.matching is None or of == "none":
        return None
    return facts.matching.refused([*anchors, *basket] if of == "anchors" else basket)


def _band(
    band: PriceBand, request: PlacementRequest, facts: ItemFacts, anchors: Sequence[int]
) -> tuple[float, float] | None:
    """Price bounds, both inclusive; None without a reference price."""
    items = list(anchors[:1]) if band.of == "anchor" else [i for i in request.cart_M.tolist() if facts.knows(i)]
    prices = [price for price in map(facts.prices_N.item, items) if price == price]
    if not prices:
        return None
    price = sum(prices) if band.of == "cart_total" else max(prices)
    return band.low * price, band.high * price
