"""What a shop has, for requests with a placement or without: item facts with the feed applied, filters over them, and
the bans that hold everywhere.

Surprising: filters are remembered, since a category's page asks the same one again and again, but by their bytes, since
a price slider never does.

Shapes: N items known to the facts, W of them with a vector of the model, V eligible items, A items that pass a filter.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from serving.protocol.messages import Filter
from tillside.bundle import Bundle
from tillside.policy import ItemFacts, ItemsFeed
from tillside.policy.day_rules import DayRules
from tillside.policy.file.rule_terms import Rules
from tillside.policy.items.facts import OUT_OF_STOCK
from tillside.policy.items.filters import Among, ItemFilter

FILTER_BYTES: Final = 1 << 26
"""Size limit of the sets of items that filters allow."""
LEAST_FILTERS: Final = 4
OF_ANY_AGE: Final = 200
"""Years; without a placement no item is kept from anybody for their age."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stockroom:
    """Item facts of one state of the feed.

    Attributes:
        base: facts before any feed.
        bans: those that hold everywhere, each on its days; None for none.
        today: those of one day, and the ids of the items that they name; None until :meth:`on` says which.
    """

    base: ItemFacts
    facts: ItemFacts
    bans: Rules | None = None
    today: DayRules | None = None
    banned_ids: frozenset[str] = frozenset()
    _filters: "OrderedDict[ItemFilter, Among]" = field(default_factory=OrderedDict, repr=False, compare=False)
    _in_stock: dict[int, Ints | None] = field(default_factory=dict, repr=False, compare=False)
    _days: "dict[date, Stockroom]" = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, bundle: Bundle, *, feed: ItemsFeed | None = None) -> "Stockroom":
        """Stockroom of a bundle, with a feed applied.

        Raises:
            ValueError: an item's minimum age is not a number of years.
        """
        base = ItemFacts.of_catalogue(bundle.catalogue)
        return cls(base, base).restocked(feed)

    def restocked(self, feed: ItemsFeed | None) -> "Stockroom":
        """A new stockroom with ``feed`` applied to the base facts."""
        return Stockroom(self.base, self.base if feed is None else self.base.with_feed(feed))

    @property
    def limits(self) -> bool:
        """Whether anything keeps items from answers that ask for nothing special."""
        return self.fed or self.today is not None

    @property
    def fed(self) -> bool:
        """Whether a feed came."""
        return self.facts.feed_time_ms is not None

    def on(self, day: date) -> "Stockroom":
        """The same with the bans of a day in force, one object a day; of another day than the last it is made anew."""
        if self.bans is None:
            return self
        found = self._days.get(day)
        if found is None:
            self._days.clear()
            today = DayRules.of(self.bans, self.facts, day)
            ids = frozenset(ban.item for ban in self.bans.bans if ban.item is not None and ban.holds(day))
            found = self._days[day] = replace(self, today=today, banned_ids=ids, _in_stock={}, _days={})
        return found

    @cached_property
    def stock_N(self) -> npt.NDArray[np.int8]:  # noqa: N802
        """0 for what is sold out or banned, -1 for what may be shown, int8 [N]; items of unknown stock may."""
        if self.today is None:
            return np.where(self.facts.stock_N > OUT_OF_STOCK, np.int8(-1), np.int8(0))
        standing = self.today.standing(age=OF_ANY_AGE, least_stock=OUT_OF_STOCK + 1, hidden=-1)
        verdicts_N = standing.verdicts(self.facts)
        verdicts_N[list(self.today.banned)] = 0
        return np.minimum(verdicts_N, np.int8(0))

    def in_stock(self, items: int) -> Ints | None:
        """Those of the first ``items`` that may be shown, ascending [V]; None for all.

        The same object for the same ``items``, by which requests are searched together.
        """
        if items not in self._in_stock:
            found = np.flatnonzero(self.stock_N[:items] < 0)
            self._in_stock[items] = None if len(found) == items else found
        return self._in_stock[items]

    def among(self, asked: Filter) -> Among:
        """Items that meet a request's filter; an object of the same filter is the same."""
        conditions = conditions_of(asked)
        known = self._filters
        if conditions in known:
            known.move_to_end(conditions)
            return known[conditions]
        found = known[conditions] = conditions.among(self.facts)
        while len(known) > LEAST_FILTERS and sum(8 * len(each.items_A) + 512 for each in known.values()) > FILTER_BYTES:
            known.popitem(last=False)
        return found

    def price(self, item_id: str) -> float | None:
        """Price of an item; None if the item or its price is unknown."""
        number = self.facts.index_of.get(item_id)
        value = np.nan if number is None else self.facts.prices_N.item(number)
        return value if value == value else None


def conditions_of(asked: Filter) -> ItemFilter:
    """A request's filter as conditions; order and repetition change nothing."""
    price = asked.price or None
    return ItemFilter(
        categories=tuple(sorted({*(asked.categories or ())})),
        without=tuple(sorted({*(asked.without or ())})),
        low=None if price is None or price.at_least is UNSET else price.at_least,
        high=None if price is None or price.at_most is UNSET else price.at_most,
        attributes=tuple(sorted((each.name, tuple(sorted({*each.any_of}))) for each in asked.attributes or ())),
    )
