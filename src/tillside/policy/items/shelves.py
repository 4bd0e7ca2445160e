"""Shelves: precomputed lists of all, new and clearance items, most popular first, in total and by category.

Built once when facts are swapped in, O(N log N); a placement then takes the head of a shelf, or walks one in chunks
until it has enough. Items without a popularity rank come last, by id.

Shapes: N items, B behaviours, P items on a shelf, G sets of categories, A items that pass a filter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.filters import Among

FIRST_CHUNK: Final = 256
NARROW: Final = 10_000
"""Items of a request's own set up to which they are sorted by popularity, instead of being met on the way."""

Ints = npt.NDArray[np.int64]


def most_popular(scores_BN: npt.NDArray[np.floating], facts: ItemFacts) -> Ints:
    """Items by popularity for each behaviour, best first, ties by item id, int64 [B, N]; N may leave out the last."""
    rank_N = facts.rank_N[: scores_BN.shape[1]]
    return np.stack([np.lexsort((rank_N, -scores_N)) for scores_N in scores_BN])


@dataclass(frozen=True)
class Shelf:
    """Items in order, int64 [P], and the same grouped by category code g: ``sorted_P[starts[g]:starts[g + 1]]``."""

    items_P: Ints
    sorted_P: Ints
    starts: list[int]

    @classmethod
    def of(cls, items_P: Ints, facts: ItemFacts) -> "Shelf":
        """Shelf of ordered items."""
        codes_P = facts.categories.codes_N[items_P]
        order = np.argsort(codes_P, kind="stable")
        starts = np.searchsorted(codes_P[order], np.arange(len(facts.categories.sets) + 1))
        return cls(items_P, items_P[order], starts.tolist())

    def category(self, code: int) -> Ints:
        """Items of one category code, in order."""
        return self.sorted_P[self.starts[code] : self.starts[code + 1]]


@dataclass(frozen=True)
class Shelves:
    """The shelves that :func:`tillside.policy.place` draws on for shelf sources and for filler."""

    popular: Shelf
    new: Shelf
    clearance: Shelf
    facts: ItemFacts
    _only: dict[tuple[str, ...], Ints] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, facts: ItemFacts, *, popular_N: npt.NDArray[np.integer]) -> "Shelves":
        """Build the shelves of these facts.

        Args:
            popular_N: item numbers, most popular first, ties by id; may be incomplete, missing items come last.
        """
        ranked = np.asarray(popular_N, np.int64)
        missing = np.ones(len(facts), bool)
        missing[ranked] = False
        left_out = np.flatnonzero(missing)
        ranked = np.concatenate([ranked, left_out[np.argsort(facts.rank_N[left_out])]])
        new_P, clearance_P = ranked[facts.new_until_N[ranked] > 0], ranked[facts.clearance_N[ranked] > 0]
        return cls(Shelf.of(ranked, facts), Shelf.of(new_P, facts), Shelf.of(clearance_P, facts), facts)

    def recounted(self, facts: ItemFacts) -> "Shelves":
        """Shelves of facts that differ from these in numbers alone, see :meth:`ItemFacts.only_counted_by`: what is new
        or on clearance may be others, the order and the categories are the same."""
        ranked = self.popular.items_P
        new, clearance = self.new, self.clearance
        if not np.array_equal(facts.new_until_N > 0, self.facts.new_until_N > 0):
            new = Shelf.of(ranked[facts.new_until_N[ranked] > 0], facts)
        if not np.array_equal(facts.clearance_N > 0, self.facts.clearance_N > 0):
            clearance = Shelf.of(ranked[facts.clearance_N[ranked] > 0], facts)
        return replace(self, new=new, clearance=clearance, facts=facts)

    @cached_property
    def places_N(self) -> Ints:  # noqa: N802
        """Place of each item in the popular shelf."""
        found_N = np.empty(len(self.facts), np.int64)
        found_N[self.popular.items_P] = np.arange(len(self.facts))
        return found_N

    def walk(self, only: tuple[str, ...], among: Among | None = None) -> Iterator[Ints]:
        """All items, or those of the categories ``only`` if any, most popular first, in chunks of doubling size.

        Args:
            among: the only items that are looked for; a broad set may come with others in between.
        """
        items_P = self.popular.items_P
        if among is not None and len(among.items_A) <= NARROW:
            items_P = items_P[np.sort(self.places_N[among.items_A])]
        elif only:
            if only not in self._only:
                within_G = self.facts.categories.having(only)
                self._only[only] = items_P[within_G[self.facts.categories.codes_N[items_P]]]
            items_P = self._only[only]
        start, size = 0, FIRST_CHUNK
        while start < len(items_P):
            yield items_P[start : start + size]
            start, size = start + size, 2 * size
