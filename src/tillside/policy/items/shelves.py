"""The shop's shelves: all items, new ones and those on clearance, each most popular first, whole and by category.

Made once when facts are swapped in, O(N log N); a placement then takes the first few of a shelf, or walks one in chunks
until it has enough. Items that popularity does not name stand at the end of a shelf, by id. Shapes: N items, P shelved.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.items.facts import ItemFacts

FIRST_CHUNK: Final = 256

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shelf:
    """Items in order, int64 [P], and the same by category: that of code g is ``sorted_P[starts[g]:starts[g + 1]]``."""

    items_P: Ints
    sorted_P: Ints
    starts: list[int]

    @classmethod
    def of(cls, items_P: Ints, facts: ItemFacts) -> "Shelf":
        """The shelf of items that are in order."""
        codes_P = facts.categories.codes_N[items_P]
        order = np.argsort(codes_P, kind="stable")
        starts = np.searchsorted(codes_P[order], np.arange(len(facts.categories.sets) + 1))
        return cls(items_P, items_P[order], starts.tolist())

    def category(self, code: int) -> Ints:
        """The items of one set of categories, in order."""
        return self.sorted_P[self.starts[code] : self.starts[code + 1]]


@dataclass(frozen=True)
class Shelves:
    """What :func:`tillside.policy.place` takes from the shop's stock where sources ask for it, or leave slots open."""

    popular: Shelf
    new: Shelf
    clearance: Shelf
    facts: ItemFacts
    _only: dict[tuple[str, ...], Ints] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, facts: ItemFacts, *, popular_N: npt.NDArray[np.integer]) -> "Shelves":
        """The shelves of these facts.

        Args:
            popular_N: item numbers, most popular first, ties by id; items that are left out come last.
        """
        ranked = np.asarray(popular_N, np.int64)
        missing = np.ones(len(facts), bool)
        missing[ranked] = False
        left_out = np.flatnonzero(missing)
        ranked = np.concatenate([ranked, left_out[np.argsort(facts.rank_N[left_out])]])
        new_P, clearance_P = ranked[facts.new_until_N[ranked] > 0], ranked[facts.clearance_N[ranked] > 0]
        return cls(Shelf.of(ranked, facts), Shelf.of(new_P, facts), Shelf.of(clearance_P, facts), facts)

    def walk(self, only: tuple[str, ...]) -> Iterator[Ints]:
        """All items, or those of some categories, most popular first, in chunks that grow."""
        items_P = self.popular.items_P
        if only:
            if only not in self._only:
                within_G = self.facts.categories.having(only)
                self._only[only] = items_P[within_G[self.facts.categories.codes_N[items_P]]]
            items_P = self._only[only]
        start, size = 0, FIRST_CHUNK
        while start < len(items_P):
            yield items_P[start : start + size]
            start, size = start + size, 2 * size
