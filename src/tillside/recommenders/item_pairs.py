"""Sparse item-to-item matrix of weighted co-occurrences in sessions, on which the simple recommenders are built.

Shapes: N items, P pairs with a weight, B rows of a batch, V = N columns of scores, K items to look up, L events of a
session, C candidates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.ragged import entries

CHUNK_PAIRS: Final = 2**22
"""Pairs per chunk; with their sums about 0.3 GB."""

FILES: Final = ("offsets", "neighbours", "weights")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ItemPairs:
    """CSR matrix [N, N]: row i has columns ``neighbours[offsets[i]:offsets[i + 1]]`` and that slice of ``weights``."""

    offsets: Ints
    neighbours: Ints
    weights: npt.NDArray[np.float32]

    @classmethod
    def count(
        cls, sessions: Sessions, *, items: int, window: int, weigh: Callable[[Ints], Floats], both_ways: bool
    ) -> "ItemPairs":
        """Sum the weights of all pairs of events at most ``window`` events apart in one session.

        Args:
            items: N; pairs with an item outside 0 .. N - 1 are dropped.
            weigh: weight of a pair by its distance in events, 1 or more.
            both_ways: symmetric and without self-pairs; otherwise only the earlier item points to the later one.
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
        """Row index (source item) of each pair, int64 [P]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def strongest(self, most: int) -> "ItemPairs":
        """The ``most`` heaviest pairs of each item, ties in catalogue order."""
        sources = self.sources
        order = np.lexsort((self.neighbours, -self.weights, sources))
        place = np.arange(len(order)) - self.offsets[sources]
        kept = np.sort(order[place < most])
        offsets = np.searchsorted(sources[kept], np.arange(len(self.offsets)))
        return ItemPairs(offsets, self.neighbours[kept], self.weights[kept])

    def evidence(self, items_L: Ints, *, decay: float) -> tuple[Ints, npt.NDArray[np.float32]]:
        """Items [C], ascending, that the items of one session point to, and the sum of the decayed weights [C].

        The cost does not depend on N: only the slices of the session's items are read.

        Args:
            items_L: the session, oldest first.
            decay: factor per event back: an item's weights count ``decay`` times as much as those of the next one.
        """
        spans = [(int(self.offsets[item]), int(self.offsets[item + 1])) for item in items_L.tolist()]
        if not spans:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        found = np.concatenate([self.neighbours[start:end] for start, end in spans])
        factors = decay ** np.arange(len(spans) - 1, -1, -1.0)
        weights = np.concatenate(
            [self.weights[start:end] * factor for (start, end), factor in zip(spans, factors, strict=True)]
        )
        items_C, place = np.unique(found, return_inverse=True)
        sums_C = np.bincount(place, weights=weights, minlength=len(items_C))
        return items_C.astype(np.int64), sums_C.astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write the arrays into an existing folder, 8 bytes per pair."""
        np.save(folder / "offsets.npy", self.offsets.astype(np.int64))
        np.save(folder / "neighbours.npy", self.neighbours.astype(np.int32))
        np.save(folder / "weights.npy", self.weights)

    @classmethod
    def load(cls, folder: Path, *, items: int) -> "ItemPairs":
        """Memory-map the arrays.

        Raises:
            ValueError: a file is missing, or the arrays are inconsistent or not of ``items`` items.
        """
        try:
            pairs = cls(*(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in FILES))
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{folder}: {error}") from None
        offsets, neighbours, weights = pairs.offsets, pairs.neighbours, pairs.weights
        sound = (offsets.dtype.kind, neighbours.dtype.kind, weights.dtype.kind) == ("i", "i", "f")
        sound = sound and offsets.shape == (items + 1,) and neighbours.shape == weights.shape == (neighbours.size,)
        sound = sound and offsets[0] == 0 and offsets[-1] == len(neighbours) and bool((np.diff(offsets) >= 0).all())
        sound = sound and (not len(neighbours) or (neighbours.min() >= 0 and neighbours.max() < items))
        if not (sound and np.isfinite(weights).all()):
            raise ValueError(f"{folder}: the arrays of pairs do not fit together or to {items} items")
        return pairs

    def add_to(
        self, scores_BV: npt.NDArray[np.float32], rows_K: Ints, items_K: Ints, factors_K: npt.NDArray[np.float32]
    ) -> None:
        """Add to ``scores_BV[rows_K[k]]`` the matrix row of item ``items_K[k]`` times ``factors_K[k]``, in place."""
        places, sizes = entries(self.offsets, items_K)
        at = np.repeat(rows_K * scores_BV.shape[1], sizes) + self.neighbours[places]
        np.add.at(scores_BV.reshape(-1), at, self.weights[places] * np.repeat(factors_K, sizes))


def _pairs(sessions: Sessions, window: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Chunks of within-session pairs: earlier item, later item, distance in events."""
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
