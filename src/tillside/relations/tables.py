"""Pairs and sets of items as flat arrays: the directed table of one relation, and product bundles of 2 to 4 items.

They are views of memory-mapped files, so the cost of a lookup does not depend on the number of items; ``fault``
validates such a file completely when it is loaded.

Shapes: N items, P pairs (entries, for product bundles), R product bundles.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

LEAST_BUNDLE: Final = 2
MOST_BUNDLE: Final = 4

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RelationTable:
    """One relation in CSR form: the partners of item i are ``items[offsets[i]:offsets[i + 1]]``, strongest first.

    Attributes:
        offsets: int64 [N + 1].
        items: int32 [P]; no self-pairs, no duplicates.
        strengths: float32 [P] in (0, 1], comparable across anchors.
    """

    offsets: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    strengths: Floats

    @classmethod
    def of(
        cls, anchors_P: Ints, items_P: Ints, strengths_P: npt.NDArray[Any], *, items: int, most: int
    ) -> "RelationTable":
        """Table of the ``most`` strongest partners of each item, ties in catalogue order.

        Args:
            items: N.

        Raises:
            ValueError: a pair is duplicate, joins an item to itself or to an index outside 0 .. N - 1, or its strength
                is not in (0, 1].
        """
        strengths_P = np.asarray(strengths_P, np.float32)
        anchors_P, items_P = np.asarray(anchors_P, np.int64), np.asarray(items_P, np.int64)
        order = np.lexsort((items_P, -strengths_P, anchors_P))
        anchors_P, items_P, strengths_P = anchors_P[order], items_P[order], strengths_P[order]
        starts = np.searchsorted(anchors_P, np.arange(items + 1))
        kept = np.arange(len(order)) - starts[anchors_P.clip(0, items)] < most
        offsets = np.searchsorted(anchors_P[kept], np.arange(items + 1)).astype(np.int64)
        table = cls(offsets, items_P[kept].astype(np.int32), strengths_P[kept])
        outside = len(anchors_P) and (anchors_P[0] < 0 or anchors_P[-1] >= items)
        fault = f"a pair starts from none of the {items} items" if outside else table.fault(items=items)
        if fault:
            raise ValueError(f"relation table: {fault}")
        return table

    @classmethod
    def empty(cls, *, items: int) -> "RelationTable":
        """A table without pairs."""
        return cls(np.zeros(items + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.items)

    @property
    def anchors(self) -> Ints:
        """Anchor (source item) of each pair, int64 [P]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def holds(self, anchors_P: Ints, items_P: Ints) -> npt.NDArray[np.bool_]:
        """Whether the table holds each of the given pairs, bool."""
        size = len(self.offsets) - 1
        held: npt.NDArray[np.bool_] = np.isin(anchors_P * size + items_P, self.anchors * size + self.items)
        return held

    def partners(self, item: int) -> tuple[npt.NDArray[np.int32], Floats]:
        """Partners and strengths of one item, as views; empty for an item outside 0 .. N - 1."""
        if not 0 <= item < len(self.offsets) - 1:
            return self.items[:0], self.strengths[:0]
        start, end = int(self.offsets[item]), int(self.offsets[item + 1])
        return self.items[start:end], self.strengths[start:end]

    def strongest(self, item: int, most: int) -> tuple[npt.NDArray[np.int32], Floats]:
        """The first ``most`` of :meth:`partners`, and those tied with the last of them."""
        offsets, strengths = self._views
        if not 0 <= item < len(offsets) - 1:
            return self.items[:0], self.strengths[:0]
        start, end = offsets[item], offsets[item + 1]
        if end - start > most:
            all_of_them, end = end, start + most
            while end < all_of_them and strengths[end] == strengths[end - 1]:
                end += 1
        return self.items[start:end], self.strengths[start:end]

    @cached_property
    def _views(self) -> tuple[memoryview, memoryview]:
        """Offsets and strengths for scalar access, twice as fast as indexing the numpy arrays."""
        return self.offsets.data, self.strengths.data

    def fault(self, *, items: int) -> str | None:
        """Message about what is wrong with the arrays; None if they are valid."""
        fault = _ragged_fault(self.offsets, self.items, self.strengths, rows=items, items=items)
        if fault or not len(self.items):
            return fault
        anchors, partners = self.anchors, np.asarray(self.items, np.int64)
        if (anchors == partners).any():
            return "an item is its own partner"
        if len(np.unique(anchors * items + partners)) < len(anchors):
            return "a pair stands there twice"
        same = anchors[1:] == anchors[:-1]
        return "partners are not the strongest first" if (np.diff(self.strengths)[same] > 0).any() else None


@dataclass(frozen=True)
class Bundles:
    """Sets of 2 to 4 items that are bought together, strongest first: offsets [R + 1], items [P], strengths [R]."""

    offsets: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    strengths: Floats

    @classmethod
    def from_sets(cls, sets: list[tuple[int, ...]], strengths: list[float]) -> "Bundles":
        """Build from item sets and their strengths, in any order."""
        rows = sorted(zip((tuple(sorted(each)) for each in sets), strengths, strict=True), key=lambda r: (-r[1], r[0]))
        offsets = np.cumsum([0, *(len(each) for each, _ in rows)]).astype(np.int64)
        items = np.array([item for each, _ in rows for item in each], np.int32)
        return cls(offsets, items, np.array([strength for _, strength in rows], np.float32))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        """Items of one row, ascending."""
        return self.items[int(self.offsets[row]) : int(self.offsets[row + 1])]

    def of(self, item: int) -> Ints:
        """Rows that hold an item, strongest first."""
        order, starts = self._places
        if not 0 <= item < len(starts) - 1:
            return order[:0]
        return order[starts[item] : starts[item + 1]]

    @cached_property
    def _places(self) -> tuple[Ints, memoryview]:
        """Inverted index: rows grouped by item, and the start of each item's group, up to the largest item index."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        starts = np.bincount(self.items, minlength=1).cumsum() if len(self.items) else np.zeros(1, np.int64)
        return rows[np.argsort(self.items, kind="stable")], np.concatenate([[0], starts]).data

    def fault(self, *, items: int) -> str | None:
        """Message about what is wrong with the arrays; None if they are valid."""
        sizes = np.diff(self.offsets)
        fault = _ragged_fault(self.offsets, self.items, self.strengths, rows=max(len(self), 0), items=items, each=False)
        if fault or not len(sizes):
            return fault
        if sizes.min() < LEAST_BUNDLE or sizes.max() > MOST_BUNDLE:
            return f"a bundle must hold {LEAST_BUNDLE} to {MOST_BUNDLE} items"
        inside = np.ones(len(self.items), bool)
        inside[self.offsets[:-1]] = False
        rising = np.diff(self.items, prepend=0) > 0
        return None if rising[inside].all() else "the items of a bundle must be distinct and ascending"


def _ragged_fault(
    offsets: Ints, items_P: npt.NDArray[np.int32], strengths: Floats, *, rows: int, items: int, each: bool = True
) -> str | None:
    kinds = [array.dtype.name for array in (offsets, items_P, strengths)] == ["int64", "int32", "float32"]
    shapes = offsets.shape == (rows + 1,) and strengths.shape == (items_P.shape if each else (rows,))
    if not (kinds and shapes and items_P.ndim == 1 and offsets[0] == 0 and offsets[-1] == len(items_P)):
        return "the arrays do not fit together"
    if (np.diff(offsets) < 0).any():
        return "the arrays do not fit together"
    if len(items_P) and not 0 <= int(items_P.min()) <= int(items_P.max()) < items:
        return f"a partner is none of the {items} items"
    return None if bool(((strengths > 0) & (strengths <= 1)).all()) else "a strength is not in (0, 1]"
