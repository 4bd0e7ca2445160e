"""Pairs of items that meet in sessions, counted once and looked up item by item: what simple recommenders are made of.

Shapes: N items, P pairs with a weight, B rows of a batch, K items to look up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions

CHUNK_PAIRS: Final = 2**22
"""Pairs made at once; together with their sums about 0.3 GB."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ItemPairs:
    """A sparse matrix: item i points to ``neighbours[offsets[i]:offsets[i + 1]]``, by the ``weights`` of that slice."""

    offsets: Ints
    neighbours: Ints
    weights: npt.NDArray[np.float32]

    @classmethod
    def count(
        cls, sessions: Sessions, *, items: int, window: int, weigh: Callable[[Ints], Floats], both_ways: bool
    ) -> "ItemPairs":
        """Sum the weights of all pairs of events at most ``window`` events apart in one session.

        Args:
            items: N; pairs with an item outside 0 .. N - 1 are left out.
            weigh: the weight of a pair, given how many events it is apart, 1 or more.
            both_ways: the later item points to the earlier one, too; an item then never points to itself.
        """
        keys, sums = np.zeros(0, np.int64), np.zeros(0)
        for earlier, later, distance in _pairs(sessions, window):
            taken = (np.minimum(earlier, later) >= 0) & (np.maximum(earlier, later) < items)
            if both_ways:
                taken &= earlier != later
            earlier, later, weights = earlier[taken], later[taken], weigh(distance[taken])
            keys = np.concatenate([keys, earlier * items + later, *([later * items + earlier] if both_ways else [])])
            sums = np.concatenate([sums, weights, *([weights] if both_ways else [])])
            keys, inverse = np.unique(keys, return_inverse=True)
            sums = np.bincount(inverse, weights=sums, minlength=len(keys)).astype(np.float64)
        offsets = np.searchsorted(keys, np.arange(items + 1) * items)
        return cls(offsets, keys % max(items, 1), sums.astype(np.float32))

    @property
    def sources(self) -> Ints:
        """The item that each pair starts from, int64 [P]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def strongest(self, most: int) -> "ItemPairs":
        """The ``most`` heaviest pairs of each item; of equal ones those that stand first in the catalogue."""
        sources = self.sources
        order = np.lexsort((self.neighbours, -self.weights, sources))
        place = np.arange(len(order)) - self.offsets[sources]
        kept = np.sort(order[place < most])
        offsets = np.searchsorted(sources[kept], np.arange(len(self.offsets)))
        return ItemPairs(offsets, self.neighbours[kept], self.weights[kept])

    def add_to(
        self, scores_BV: npt.NDArray[np.float32], rows_K: Ints, items_K: Ints, factors_K: npt.NDArray[np.float32]
    ) -> None:
        """Add to row ``rows_K[k]`` the weights that item ``items_K[k]`` points with, times ``factors_K[k]``."""
        starts, sizes = self.offsets[items_K], self.offsets[items_K + 1] - self.offsets[items_K]
        places = np.arange(sizes.sum()) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
        at = np.repeat(rows_K * scores_BV.shape[1], sizes) + self.neighbours[places]
        np.add.at(scores_BV.reshape(-1), at, self.weights[places] * np.repeat(factors_K, sizes))


def _pairs(sessions: Sessions, window: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Chunks of pairs of one session: earlier item, later item, how many events they are apart."""
    items, ends = np.asarray(sessions.items, np.int64), np.asarray(sessions.offsets)[1:]
    events = np.arange(len(items))
    partners = np.minimum(np.repeat(ends, np.diff(sessions.offsets)) - 1 - events, window)
    before = np.concatenate([[0], np.cumsum(partners)])
    start = 0
    while start < len(items):
        end = max(start + 1, int(np.searchsorted(before, before[start] + CHUNK_PAIRS, side="right")) - 1)
        counts = partners[start:end]
        distance = np.arange(counts.sum()) - np.repeat(before[start:end] - before[start], counts) + 1
        earlier = np.repeat(events[start:end], counts)
        yield items[earlier], items[earlier + distance], distance
        start = end
