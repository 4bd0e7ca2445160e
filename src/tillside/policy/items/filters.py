"""Filters of a request: which items are in a category, in a price range, or have given values of attributes.

A small language of conditions that all must hold, never code. What a filter allows is a set of item numbers of one
state of the facts; a request's own candidates are such a set too, so that rules, searches and shelves know one thing.

Shapes: N items, A of them in a set, U items to judge, V eligible items, G sets of values.
"""

import itertools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tillside.events import CATEGORY
from tillside.policy.file.rule_terms import AtLeast
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.groups import Groups

MOST_STANDINGS: Final = 8
"""Sets of eligible items that one set remembers, by the standing rules they come of."""

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Among:
    """The only items that may be shown, ascending and distinct, int64 [A]; the numbers are those of one state of facts.

    Attributes:
        problem: what the filter named that no item has, in a sentence; empty if some item meets it.
    """

    items_A: Ints
    problem: str = ""
    _allowed: dict[Hashable, Ints] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, items: Iterable[int]) -> "Among":
        """The set of these items."""
        return cls(np.array(sorted(set(items)), np.int64))

    def holding(self, items_U: Ints) -> Mask:
        """Which of the items are in the set, [U]."""
        if not len(self.items_A):
            return np.zeros(len(items_U), bool)
        places_U = self.items_A.searchsorted(items_U).clip(max=len(self.items_A) - 1)
        found_U: Mask = self.items_A[places_U] == items_U
        return found_U

    def holds(self, item: int) -> bool:
        """Whether one item is in the set."""
        return bool(self.holding(np.array([item], np.int64))[0])

    def also(self, other: "Among | None") -> "Among":
        """The items of both sets; this one for None."""
        if other is None:
            return self
        return Among(self.items_A[other.holding(self.items_A)], other.problem or self.problem)

    def allowed(self, standing: Hashable, verdicts_N: npt.NDArray[np.int8], *, items: int) -> Ints:
        """Those of the first ``items`` that the verdicts of the standing rules allow too [V], remembered by those."""
        known = self._allowed
        found = known.get(standing)
        if found is None:
            own_A = self.items_A[: self.items_A.searchsorted(items)]
            found = own_A[verdicts_N[own_A] < 0]
            if len(known) >= MOST_STANDINGS:
                known.clear()
            known[standing] = found
        return found


class ItemFilter(NamedTuple):
    """Conditions that all must hold; empty ones allow every item.

    Attributes:
        categories, without: paths, each with those below it; one of the first, none of the second.
        low, high: bounds of the price, both inclusive, or None; with either an unknown price does not match.
        attributes: name, and the values of which an item has one.
    """

    categories: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def among(self, facts: ItemFacts) -> Among:
        """The items that meet it."""
        mask_N = np.ones(len(facts), bool)
        if self.categories:
            mask_N &= _having(facts.categories, self.categories)
        if self.without:
            mask_N &= ~_having(facts.categories, self.without)
        if self.low is not None or self.high is not None:
            low, high = self.low or 0.0, np.inf if self.high is None else self.high
            mask_N &= (facts.prices_N >= low) & (facts.prices_N <= high)  # an unknown price, NaN, is in no range
        for name, values in self.attributes:
            mask_N &= _having(groups_of(facts, name), values)
        items_A = np.flatnonzero(mask_N)
        return Among(items_A, "" if len(items_A) else self._problem(facts))

    def _problem(self, facts: ItemFacts) -> str:
        """What no item has of what was named; the conditions together, if each is met by some."""
        named = [("categories", CATEGORY, facts.categories, self.categories)]
        named += [("attributes", name, groups_of(facts, name), values) for name, values in self.attributes]
        for kind, name, groups, values in named:
            if values and not _having(groups, values).any():
                what = "in the category" if kind == "categories" else f"whose {name} is"
                return f"the filter leaves no item: none is {what} {' or '.join(values)}"
        return "the filter leaves no item: none meets all its conditions"


def groups_of(facts: ItemFacts, attribute: str) -> Groups:
    """Values of any attribute by item, the feed's before the catalogue's; cached by the facts."""
    if attribute == CATEGORY:
        return facts.categories
    if attribute not in attribute_names(facts):
        return Groups(np.zeros(len(facts), np.int64), ((),))  # whoever asks for any name fills no cache
    found: Groups = facts.tables.get(("attribute", attribute), lambda: _made(facts, attribute))
    return found


def group_of(need: AtLeast, facts: ItemFacts) -> tuple[Groups, str]:
    """What a minimum of a category or a brand counts in, and which value."""
    if need.category is not None:
        return facts.categories, need.category
    assert need.brand is not None, "a minimum of a source counts in no group"
    return facts.brands, need.brand


def attribute_names(facts: ItemFacts) -> frozenset[str]:
    """Names of all attributes that some item has; cached by the facts."""
    found: frozenset[str] = facts.tables.get("attributes", lambda: _names(facts))
    return found


def _names(facts: ItemFacts) -> frozenset[str]:
    tokens = itertools.chain(facts.catalogue.vocabulary, *facts.tokens.values())
    return frozenset(token.partition("=")[0] for token in tokens)


def _made(facts: ItemFacts, attribute: str) -> Groups:
    prefix = f"{attribute}="
    own = {
        item: [token.removeprefix(prefix) for token in tokens if token.startswith(prefix)]
        for item, tokens in facts.tokens.items()
    }
    return Groups.of(facts.catalogue, attribute).changed(own, items=len(facts))


def _having(groups: Groups, values: Iterable[str]) -> Mask:
    """Mask [N]; unlike ``Groups.having`` it remembers nothing, since anybody may ask for any value."""
    wanted = set(values)
    found: Mask = np.array([not wanted.isdisjoint(own) for own in groups.sets], bool).take(groups.codes_N)
    return found
