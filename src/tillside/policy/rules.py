"""Which items a placement may show: hard rules forbid, soft rules only put an item behind those that keep them.

A rulebook is made for one request; it then judges any array of items, candidates and filler alike, so that no source
and no rung of the ladder gets around a hard rule. Where a soft rule would leave slots open it gives way: frequency caps
first, then a soft price band. Shape: U items to judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.asking import PlacementRequest
from tillside.policy.facts import IN_STOCK, OUT_OF_STOCK, ItemFacts
from tillside.policy.terms import HOUR_MS, Boosts, PriceBand, Rules, Stock

CAPPED: Final = 1
OUTSIDE_BAND: Final = 2
"""Levels of soft rules; the higher one gives way last."""
SOFT: Final = ("capped", "outside_band")
HARD: Final = ("cart", "excluded", "banned", "stock", "stale_feed", "categories", "age", "price", "viewed")
"""In the order in which they are named where several forbid an item."""
BANNED, STOCK, STALE_FEED, CATEGORIES, AGE, PRICE, VIEWED = range(HARD.index("banned"), len(HARD))

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of one request; ``blocked``, ``viewed`` and ``capped`` are ascending item numbers."""

    facts: ItemFacts
    blocked: Ints
    blocked_by: Ints
    viewed: Ints
    only: tuple[str, ...]
    never: tuple[str, ...]
    brands: tuple[str, ...]
    age: int
    least_stock: int
    feed_stale: bool
    hide_all: bool
    band: tuple[float, float] | None
    band_hard: bool
    capped: Ints

    @classmethod
    def of(
        cls, rules: Rules, request: PlacementRequest, facts: ItemFacts, *, day: date, anchors: Sequence[int]
    ) -> "Rulebook":
        """The rules that hold for a request on the shop's day."""
        bans = [ban for ban in rules.bans if ban.holds(day)]
        age = -1 if request.age is None else request.age
        session = request.session_L.tolist() if rules.hide_viewed == "all" else request.session_L[-1:].tolist()
        banned = [facts.index_of.get(ban.item, -1) for ban in bans if ban.item is not None]
        groups = (
            request.cart_M.tolist(),
            request.excluded,
            banned,
        )
        blocked = {item: rule for rule in reversed(range(len(groups))) for item in groups[rule]}
        stale = _stale(rules.stock, facts.feed_time_ms, request.now_ms)
        hide_unknown = rules.stock.unknown == "hide" or stale
        cap = rules.cap
        capped = [
            item
            for item, (shown, last_ms) in request.impressions.items()
            if cap and shown >= cap.shown and request.now_ms - last_ms < cap.within_hours * HOUR_MS
        ]
        return cls(
            facts=facts,
            blocked=np.array(sorted(blocked), np.int64),
            blocked_by=np.array([blocked[item] for item in sorted(blocked)], np.int64),
            viewed=np.array(sorted(set(session)) if rules.hide_viewed != "none" else (), np.int64),
            only=rules.categories.only,
            never=(
                *rules.categories.never,
                *(ban.category for ban in bans if ban.category is not None),
                *(limit.category for limit in rules.age_limits if limit.years > max(age, 0)),
            ),
            brands=tuple(ban.brand for ban in bans if ban.brand is not None),
            age=max(age, 0),
            least_stock=IN_STOCK if hide_unknown else OUT_OF_STOCK + 1,
            feed_stale=stale,
            hide_all=(stale and rules.stock.when_stale == "hide_all") or (hide_unknown and facts.feed_time_ms is None),
            band=_band(rules.price_band, request, facts, anchors) if rules.price_band else None,
            band_hard=bool(rules.price_band and rules.price_band.hard),
            capped=np.array(sorted(capped), np.int64),
        )

    def verdicts(self, items_U: Ints) -> npt.NDArray[np.int8]:
        """For each item the first hard rule that forbids it, an index into HARD, or -1, int8 [U].

        Args:
            items_U: distinct numbers of items that the facts know, ascending.
        """
        facts = self.facts
        if self.hide_all:
            return np.full(len(items_U), STALE_FEED if self.feed_stale else STOCK, np.int8)
        verdicts_U = np.full(len(items_U), -1, np.int8)
        if len(self.viewed):
            verdicts_U[_places(self.viewed, items_U)[0]] = VIEWED
        if self.band and self.band_hard:
            verdicts_U[~self._inside(items_U)] = PRICE
        if facts.highest_age > self.age:
            verdicts_U[facts.minimum_age_N.take(items_U) > self.age] = AGE
        if self.brands:
            verdicts_U[facts.brands.having(self.brands).take(facts.brands.codes_N.take(items_U))] = BANNED
        if self.only or self.never:
            codes_U = facts.categories.codes_N.take(items_U)
            if self.only:
                verdicts_U[~facts.categories.having(self.only).take(codes_U)] = CATEGORIES
            if self.never:
                verdicts_U[facts.categories.having(self.never).take(codes_U)] = CATEGORIES
        verdicts_U[facts.stock_N.take(items_U) < self.least_stock] = STOCK
        if len(self.blocked):
            places, found = _places(self.blocked, items_U)
            verdicts_U[places] = self.blocked_by[found]
        return verdicts_U

    def levels(self, items_U: Ints) -> Ints:
        """The highest level of a soft rule that each item does not keep, 0 where it keeps all, int64 [U].

        Args:
            items_U: as for :meth:`verdicts`.
        """
        levels_U = np.zeros(len(items_U), np.int64)
        if len(self.capped):
            levels_U[_places(self.capped, items_U)[0]] = CAPPED
        if self.band and not self.band_hard:
            levels_U[~self._inside(items_U)] = OUTSIDE_BAND
        return levels_U

    def _inside(self, items_U: Ints) -> Mask:
        assert self.band is not None
        prices_U = self.facts.prices_N.take(items_U)  # an unknown price, NaN, lies outside
        inside_U: Mask = (prices_U >= self.band[0]) & (prices_U <= self.band[1])
        return inside_U


def boost(boosts: Boosts, items_U: Ints, facts: ItemFacts, *, day: date, now_ms: int) -> npt.NDArray[np.float64]:
    """What each item's score is multiplied by, from 1 to the policy's bound, float64 [U]."""
    factors_U = np.ones(len(items_U))
    if boosts.clearance:
        factors_U += boosts.clearance * facts.clearance_N.take(items_U)
    if boosts.margin:
        factors_U += boosts.margin * facts.known_margin_N.take(items_U)
    if boosts.new:
        factors_U += boosts.new * (facts.new_until_N.take(items_U) > now_ms)
    for season in boosts.seasons:
        if season.holds(day):
            factors_U += season.boost * facts.categories.having(season.categories).take(
                facts.categories.codes_N.take(items_U)
            )
    return np.minimum(factors_U, boosts.at_most)


def _stale(stock: Stock, feed_time_ms: int | None, now_ms: int) -> bool:
    if stock.feed_max_age_minutes is None:
        return False
    return feed_time_ms is None or now_ms - feed_time_ms > stock.feed_max_age_minutes * HOUR_MS / 60


def _band(
    band: PriceBand, request: PlacementRequest, facts: ItemFacts, anchors: Sequence[int]
) -> tuple[float, float] | None:
    """Bounds of prices, both included, or None where there is no price to compare with."""
    items = list(anchors[:1]) if band.of == "anchor" else [i for i in request.cart_M.tolist() if facts.knows(i)]
    prices = [price for price in facts.prices_N[items].tolist() if price == price]
    if not prices:
        return None
    price = sum(prices) if band.of == "cart_total" else max(prices)
    return band.low * price, band.high * price


def _places(few: Ints, items_U: Ints) -> tuple[Ints, Mask]:
    """Where a few items stand among ascending ones, and which of the few do."""
    if not len(items_U):
        return few[:0], np.zeros(len(few), bool)
    places = items_U[:-1].searchsorted(few)
    found = items_U[places] == few
    return places[found], found
