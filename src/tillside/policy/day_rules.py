"""What a policy says of every item on one day, whoever asks: hard rules and boosts as tables over all items.

Which items a category or a ban covers does not change between two requests, so it is worked out once over the whole
catalogue and remembered by the facts; a request then only looks its candidates up. Shapes: N items.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tillside.policy.file.terms import Pin, Rules, Season
from tillside.policy.items.facts import ItemFacts

HARD: Final = ("cart", "excluded", "banned", "stock", "stale_feed", "categories", "age", "price", "viewed")
"""In the order in which they are named where several forbid an item."""
CART, EXCLUDED, BANNED, STOCK, STALE_FEED, CATEGORIES, AGE, PRICE, VIEWED = range(len(HARD))

Ints = npt.NDArray[np.int64]
Verdicts = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class Standing(NamedTuple):
    """Hard rules that say the same of an item whoever asks.

    Attributes:
        only, never: category paths.
        least_stock: what an item's stock must be at least, of STOCK_UNKNOWN, IN_STOCK and OUT_OF_STOCK.
        age: items for older shoppers are forbidden.
        hidden: STOCK or STALE_FEED, which then forbids everything, or -1.
    """

    only: tuple[str, ...]
    never: tuple[str, ...]
    brands: tuple[str, ...]
    least_stock: int
    age: int
    hidden: int

    def verdicts(self, facts: ItemFacts) -> Verdicts:
        """For each item the first of these rules that forbids it, an index into HARD, or -1, int8 [N]."""
        if self.hidden >= 0:
            return np.full(len(facts), self.hidden, np.int8)
        verdicts_N = np.full(len(facts), -1, np.int8)
        verdicts_N[facts.minimum_age_N > self.age] = AGE
        if self.brands:
            verdicts_N[facts.brands.having(self.brands).take(facts.brands.codes_N)] = BANNED
        codes_N = facts.categories.codes_N
        if self.only:
            verdicts_N[~facts.categories.having(self.only).take(codes_N)] = CATEGORIES
        if self.never:
            verdicts_N[facts.categories.having(self.never).take(codes_N)] = CATEGORIES
        verdicts_N[facts.stock_N < self.least_stock] = STOCK
        return verdicts_N


@dataclass(frozen=True, slots=True)
class DayRules:
    """A placement's rules as they are on one day, in the numbers of the facts.

    Attributes:
        banned: items.
        pins: item and pin, by slot.
        ages: at each of them another age limit ends, ascending, the first is 0.
    """

    rules: Rules
    facts: ItemFacts
    banned: tuple[int, ...]
    brands: tuple[str, ...]
    pins: tuple[tuple[int, Pin], ...]
    ages: tuple[int, ...]
    _never: tuple[str, ...]
    _seasons: tuple[Season, ...]
    _standing: dict[tuple[int, int, int], Standing] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Rules, facts: ItemFacts, day: date) -> "DayRules":
        """The same object whenever the same rules are asked about for the same day."""
        found = facts.days.get((id(rules), day), lambda: cls._made(rules, facts, day))
        assert found.rules is rules, "what is remembered keeps its rules, so no others have their number"
        return found

    @classmethod
    def _made(cls, rules: Rules, facts: ItemFacts, day: date) -> "DayRules":
        bans = [ban for ban in rules.bans if ban.holds(day)]
        pins = sorted((pin for pin in rules.pins if pin.holds(day)), key=lambda pin: pin.slot)
        return cls(
            rules=rules,
            facts=facts,
            banned=tuple(facts.index_of[item] for ban in bans if (item := ban.item or "") in facts.index_of),
            brands=tuple(ban.brand for ban in bans if ban.brand is not None),
            pins=tuple((facts.index_of[pin.item], pin) for pin in pins if pin.item in facts.index_of),
            ages=tuple(sorted({0, *facts.ages, *(limit.years for limit in rules.age_limits)})),
            _never=(*rules.categories.never, *(ban.category for ban in bans if ban.category is not None)),
            _seasons=tuple(season for season in rules.boosts.seasons if season.holds(day)),
        )

    def standing(self, *, age: int, least_stock: int, hidden: int) -> Standing:
        """The rules that hold for all shoppers of an age, equal for ages between two limits."""
        age = self.ages[bisect_right(self.ages, age) - 1]
        found = self._standing.get((age, least_stock, hidden))
        if found is None:
            limits = (limit.category for limit in self.rules.age_limits if limit.years > age)
            only, never = self.rules.categories.only, (*self._never, *limits)
            found = Standing(only, never, self.brands, least_stock, age, hidden)
            self._standing[age, least_stock, hidden] = found
        return found

    def boosts(self, items_U: Ints, now_ms: int) -> Floats | None:
        """What each item's score is multiplied by, from 1 to the policy's bound, float64 [U]; None for 1 throughout."""
        boosts, facts = self.rules.boosts, self.facts
        lifting = boosts.new and facts.newest_ms > now_ms
        if not (boosts.clearance or boosts.margin or self._seasons):
            if not lifting:
                return None
            factors_U = np.ones(len(items_U))
        else:
            key = (boosts.clearance, boosts.margin, self._seasons)
            factors_U = facts.tables.get(key, self._steady_boosts).take(items_U)
        if lifting:
            factors_U += boosts.new * (facts.new_until_N.take(items_U) > now_ms)
        return np.minimum(factors_U, boosts.at_most, out=factors_U)

    def _steady_boosts(self) -> Floats:
        """The same for all items but for what is new, not yet bounded, float64 [N]."""
        boosts, facts = self.rules.boosts, self.facts
        factors_N = np.ones(len(facts))
        factors_N += boosts.clearance * facts.clearance_N
        factors_N += boosts.margin * np.nan_to_num(facts.margin_N)
        for season in self._seasons:
            factors_N += season.boost * facts.categories.having(season.categories).take(facts.categories.codes_N)
        return factors_N
