"""Rules of a placement for one day, independent of the request: verdicts and boosts as columns over all items.

Which items a category or a ban covers does not change between two requests, so the columns are computed once over the
whole catalogue and cached by the facts; a request then only looks its candidates up. Surprising: the cached rules know
their facts weakly. Facts that were reachable from their own cache would be a cycle, which a server that freezes its
objects out of garbage collection never gives back.

Shapes: N items, U given items, G sets of categories.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from weakref import ref

import numpy as np
import numpy.typing as npt

from tillside.policy.file.rule_terms import Pin, Rules, Season
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import groups_of

HARD: Final = (
    "cart",
    "excluded",
    "banned",
    "stock",
    "stale_feed",
    "categories",
    "age",
    "price",
    "viewed",
    "kind",
    "misfit",
    "dismissed",
    "filter",
    "variant",
)
"""Names of the hard rules; an index is a verdict.

Where several forbid an item, the verdict is the first of: cart, excluded, dismissed or banned item, stock, categories
(bans of a category included), banned brand, age, price, kind, misfit, variant, dismissed category, filter,
viewed. A feed that
hides all items (``stock`` or ``stale_feed``) precedes them all.
"""
CART, EXCLUDED, BANNED, STOCK, STALE_FEED, CATEGORIES, AGE, PRICE, VIEWED, KIND, MISFIT, DISMISSED, FILTER, VARIANT = (
    range(len(HARD))
)

Ints = npt.NDArray[np.int64]
Verdicts = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Standing(NamedTuple):
    """Hard rules that depend on the item alone; key of their verdicts in the cache.

    Attributes:
        only, never: category paths, allowed and forbidden.
        brands: banned brands.
        least_stock: lowest allowed stock state: IN_STOCK, or STOCK_UNKNOWN where unknown stock may be shown.
        age: highest allowed minimum age of an item, years.
        hidden: verdict on all items, STOCK or STALE_FEED, where the feed hides everything; else -1.
    """

    only: tuple[str, ...]
    never: tuple[str, ...]
    brands: tuple[str, ...]
    least_stock: int
    age: int
    hidden: int

    def verdicts(self, facts: ItemFacts) -> Verdicts:
        """Verdict on each item by these rules, an index into HARD, or -1, int8 [N]: stock, categories, brand, age."""
        if self.hidden >= 0:
            return np.full(len(facts), self.hidden, np.int8)
        verdicts_N = np.full(len(facts), -1, np.int8)
        verdicts_N[facts.minimum_age_N > self.age] = AGE  # later rules overwrite earlier ones
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
    """Rules of a placement in force on one day, with item ids resolved to item numbers of the facts.

    Attributes:
        banned: item numbers.
        brands: banned brands.
        pins: item number and pin, by slot.
        ages: 0 and all age limits of items and categories, ascending, years.
    """

    rules: Rules
    _facts: "ref[ItemFacts]"
    banned: tuple[int, ...]
    brands: tuple[str, ...]
    pins: tuple[tuple[int, Pin], ...]
    ages: tuple[int, ...]
    _never: tuple[str, ...]
    _seasons: tuple[Season, ...]
    _standing: dict[tuple[int, int, int], Standing] = field(default_factory=dict)
    _kinds: dict[int, Mask | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Rules, facts: ItemFacts, day: date) -> "DayRules":
        """Rules for a day, cached: one object per rules and day."""
        found = facts.days.get((id(rules), day), lambda: cls._made(rules, facts, day))
        assert found.rules is rules, "a cache entry keeps its rules alive, so their id() is unique"
        return found

    @classmethod
    def _made(cls, rules: Rules, facts: ItemFacts, day: date) -> "DayRules":
        bans = [ban for ban in rules.bans if ban.holds(day)]
        pins = sorted((pin for pin in rules.pins if pin.holds(day)), key=lambda pin: pin.slot)
        return cls(
            rules=rules,
            _facts=ref(facts),
            banned=tuple(facts.index_of[item] for ban in bans if (item := ban.item or "") in facts.index_of),
            brands=tuple(ban.brand for ban in bans if ban.brand is not None),
            pins=tuple((facts.index_of[pin.item], pin) for pin in pins if pin.item in facts.index_of),
            ages=tuple(sorted({0, *facts.ages, *(limit.years for limit in rules.age_limits)})),
            _never=(*rules.categories.never, *(ban.category for ban in bans if ban.category is not None)),
            _seasons=tuple(season for season in rules.boosts.seasons if season.holds(day)),
        )

    @property
    def facts(self) -> ItemFacts:
        """The facts whose item numbers these rules hold; whoever asks keeps them alive."""
        facts = self._facts()
        assert facts is not None, "rules are asked while their facts are in use"
        return facts

    def standing(self, *, age: int, least_stock: int, hidden: int) -> Standing:
        """Item-only hard rules for an age in years, one object per interval between two age limits."""
        age = self.ages[bisect_right(self.ages, age) - 1]
        found = self._standing.get((age, least_stock, hidden))
        if found is None:
            limits = (limit.category for limit in self.rules.age_limits if limit.years > age)
            only, never = self.rules.categories.only, (*self._never, *limits)
            found = Standing(only, never, self.brands, least_stock, age, hidden)
            self._standing[age, least_stock, hidden] = found
        return found

    def kind(self, code: int) -> Mask | None:
        """Mask [G] of the category sets that hold the kind of an item with the set ``code``; None if it has no kind."""
        if code not in self._kinds:
            categories, hide = self.facts.categories, self.rules.hide_kind
            path = categories.finest(code)
            several = any(path == other or path.startswith(f"{other}.") for other in hide.but)
            kind = path if hide.depth is None else ".".join(path.split(".")[: hide.depth])
            self._kinds[code] = categories.having((kind,)) if kind and not several else None
        return self._kinds[code]

    def boosts(self, items_U: Ints, now_ms: int) -> Floats | None:
        """Factor on each item's score, from 1 to the policy's bound, float64 [U]; None if all are 1."""
        boosts, facts = self.rules.boosts, self.facts
        lifting = boosts.new and facts.newest_ms > now_ms
        if not (boosts.clearance or boosts.margin or boosts.attributes or self._seasons):
            if not lifting:
                return None
            factors_U = np.ones(len(items_U))
        else:
            key = (boosts.clearance, boosts.margin, boosts.attributes, self._seasons)
            factors_U = facts.tables.get(key, self._steady_boosts).take(items_U)
        if lifting:
            factors_U += boosts.new * (facts.new_until_N.take(items_U) > now_ms)
        return np.minimum(factors_U, boosts.at_most, out=factors_U)

    def _steady_boosts(self) -> Floats:
        """Factors of all items without the boost of new items and before the bound, float64 [N]."""
        boosts, facts = self.rules.boosts, self.facts
        factors_N = np.ones(len(facts))
        factors_N += boosts.clearance * facts.clearance_N
        factors_N += boosts.margin * np.nan_to_num(facts.margin_N)
        for lifted in boosts.attributes:
            groups = groups_of(facts, lifted.attribute)
            factors_N += lifted.boost * groups.having((lifted.value,)).take(groups.codes_N)
        for season in self._seasons:
            factors_N += season.boost * facts.categories.having(season.categories).take(facts.categories.codes_N)
        return factors_N
