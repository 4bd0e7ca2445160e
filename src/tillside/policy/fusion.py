"""Fusion: what all sources bring becomes one score an item, with the contributions that it is made of.

Every source gives an item a strength from 0 to 1; several anchors of one relation combine by noisy-or, 1 - prod(1 - s).
Fusion by ``strengths`` sums weight times strength. With a scale (``tillside.relations.chances``) all strengths of an
item together tell its probability, which the mean weight of its sources multiplies; without one the model's items count
by rank alone, so that logits, counts and lists without scores are comparable. Fusion by ``odds`` takes strengths as
purchase probabilities p, the model's being a softmax of its scores, and sums weight times log(1 + p / FAINT_CHANCE), so
that a source with weak evidence for many items still counts.

Shapes: E entries (item, source, anchor), C cells (item, source), U distinct items, S sources, L lists, N items.
"""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from tillside.policy.file.rule_terms import SourceName
from tillside.policy.requests import NOTHING
from tillside.relations import RELATIONS
from tillside.relations.chances import Evidence, Scale

SOURCES: Final[tuple[SourceName, ...]] = get_args(SourceName)
FIRST_RELATION: Final = SOURCES.index(RELATIONS[0])
NAMED_BEFORE: Final[tuple[tuple[SourceName, ...], ...]] = (
    ("complement", "upsell", "downsell", "bundle", "scene", "gift"),
    ("substitute", "brand", "series"),
    ("new", "clearance"),
    ("model", "popular"),
)
"""Of several sources that bring an item one of the first group names it, since that tells the shopper why."""
NAMING: Final = tuple(next(group for group, names in enumerate(NAMED_BEFORE) if source in names) for source in SOURCES)
NAMING_S: Final = np.array(NAMING)
assert SOURCES[FIRST_RELATION : FIRST_RELATION + len(RELATIONS)] == RELATIONS
FAINT_CHANCE: Final = 0.01
"""A probability p contributes log(1 + p / FAINT_CHANCE): linear far below it, logarithmic far above it."""
NO_STRENGTHS: Final = np.zeros(0)
SOURCE_BITS: Final = 4
"""Bits of the source in a packed cell key: ``item << SOURCE_BITS | source``."""
SOURCE_MASK: Final = (1 << SOURCE_BITS) - 1
PLACES: Final = np.arange(1 << 12)
assert len(SOURCES) <= SOURCE_MASK + 1

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Entry = tuple[npt.NDArray[np.integer], npt.NDArray[np.floating], float, int, int]
"""Items, strengths, factor of the strengths, source, and anchor (-1 for none)."""


class Candidates(Struct, frozen=True, eq=False):
    """Fused candidates of all sources, with the contributions they are made of.

    Attributes:
        items_U: distinct items, ascending.
        totals_U: score of each item, the sum over its sources.
        cells_U: start of each item's cells, and the end, [U + 1].
        parts_C: contribution of one source to one item, its weight included.
        chances_C: strength of one source for one item, without its weight; with evidence, the item's chance.
        keys_C: packed item and source, see SOURCE_BITS.
        entries_C: start of each cell's entries, and the end, [C + 1].
        strengths_E: strength of each entry.
        lists_E: index into ``anchors`` of each entry.
        anchors: anchor of each list, -1 for none.
        pinned: items pinned by a relation pair set by hand.
    """

    items_U: Ints
    totals_U: Floats
    cells_U: Ints
    parts_C: Floats
    chances_C: Floats
    keys_C: Ints
    entries_C: Ints
    strengths_E: Floats
    lists_E: Ints
    anchors: tuple[int, ...]
    pinned: frozenset[int]

    def parts(self, row: int) -> dict[str, float]:
        """Contribution of each source to an item, in the order of SOURCES."""
        cells = range(self.cells_U.item(row), self.cells_U.item(row + 1))
        return {SOURCES[self.keys_C.item(cell) & SOURCE_MASK]: self.parts_C.item(cell) for cell in cells}

    def strongest_U(self) -> Floats:  # noqa: N802
        """Strength of each item by the source that is surest of it [U]."""
        found: Floats = np.maximum.reduceat(self.chances_C, self.cells_U[:-1]) if len(self.items_U) else NO_STRENGTHS
        return found

    def related_U(self) -> npt.NDArray[np.bool_]:  # noqa: N802
        """Whether a relation of an anchor brings each item [U]."""
        if not len(self.items_U):
            return np.zeros(0, bool)
        places_C = (self.keys_C & SOURCE_MASK) - FIRST_RELATION
        found: npt.NDArray[np.bool_] = np.logical_or.reduceat(
            (places_C >= 0) & (places_C < len(RELATIONS)), self.cells_U[:-1]
        )
        return found

    def of_anchor_U(self, codes: Mapping[int, int], codes_N: Ints) -> npt.NDArray[np.bool_]:  # noqa: N802
        """Which items have the code of an anchor whose relations bring them [U].

        Args:
            codes: of the anchors that count, 0 for none; ``codes_N`` those of all items.
        """
        places_C = (self.keys_C & SOURCE_MASK) - FIRST_RELATION
        related_C = (places_C >= 0) & (places_C < len(RELATIONS))
        if not related_C.any():
            return np.zeros(len(self.items_U), bool)
        codes_L = np.array([codes.get(anchor, 0) for anchor in self.anchors])
        codes_E = codes_L.take(self.lists_E)
        own_C = codes_N.take(self.keys_C >> SOURCE_BITS)
        same_E = (codes_E > 0) & (codes_E == own_C.repeat(np.diff(self.entries_C)))
        same_C = related_C & np.logical_or.reduceat(same_E, self.entries_C[:-1])
        found: npt.NDArray[np.bool_] = np.logical_or.reduceat(same_C, self.cells_U[:-1])
        return found

    def main(self, row: int) -> tuple[str, int | None]:
        """The source that names an item, and its strongest anchor; ties go to the first.

        It is, of the sources that sell it best (NAMED_BEFORE), the one with the largest contribution.
        """
        cell = self._main_cell(row)
        start, end = self.entries_C.item(cell), self.entries_C.item(cell + 1)
        if end - start > 1:
            start += int(self.strengths_E[start:end].argmax())
        anchor = self.anchors[self.lists_E.item(start)]
        return SOURCES[self.keys_C.item(cell) & SOURCE_MASK], None if anchor < 0 else anchor

    def mainly(self, source: SourceName) -> npt.NDArray[np.bool_]:
        """Mask [U] of the items that ``source`` names."""
        mask_U = np.zeros(len(self.items_U), bool)
        cells = (self.keys_C & SOURCE_MASK == SOURCES.index(source)).nonzero()[0]
        rows = self.cells_U.searchsorted(cells, side="right") - 1
        mask_U[rows] = True
        for place in (self.cells_U.take(rows + 1) - self.cells_U.take(rows) > 1).nonzero()[0].tolist():
            row = rows.item(place)
            mask_U[row] = self._main_cell(row) == cells.item(place)
        return mask_U

    def steered(self, factors: Mapping[SourceName, float]) -> "Candidates":
        """These, the score of each item multiplied by the factor of the source that names it."""
        factors_S = np.array([factors.get(source, 1.0) for source in SOURCES])
        if not len(self.items_U) or (factors_S == 1.0).all():
            return self
        starts_U = self.cells_U[:-1]
        sizes_U = self.cells_U[1:] - starts_U
        sources_C = self.keys_C & SOURCE_MASK
        naming_C = NAMING_S.take(sources_C)
        first_C = naming_C == np.minimum.reduceat(naming_C, starts_U).repeat(sizes_U)
        parts_C = np.where(first_C, self.parts_C, -1.0)
        named_C = parts_C == np.maximum.reduceat(parts_C, starts_U).repeat(sizes_U)
        factors_U = np.maximum.reduceat(np.where(named_C, factors_S.take(sources_C), 0.0), starts_U)
        return replace(self, totals_U=self.totals_U * factors_U, parts_C=self.parts_C * factors_U.repeat(sizes_U))

    def _main_cell(self, row: int) -> int:
        start, end = self.cells_U.item(row), self.cells_U.item(row + 1)
        if end - start == 1:
            return start
        return min(
            range(start, end), key=lambda cell: (NAMING[self.keys_C.item(cell) & SOURCE_MASK], -self.parts_C.item(cell))
        )


def merged(
    entries: list[Entry],
    weights_S: Floats,
    pinned: frozenset[int],
    items: int,
    *,
    odds: bool,
    scale: Scale | Evidence | None = None,
    context: Callable[[Ints], Floats] | None = None,
) -> Candidates:
    if not entries:
        none = np.zeros(1, np.int64)
        nothing = (NOTHING, NO_STRENGTHS, none, NO_STRENGTHS, NO_STRENGTHS, NOTHING, none, NO_STRENGTHS, NOTHING)
        return Candidates(*nothing, (), frozenset())
    founds, strengths, factors, sources, anchors = zip(*entries, strict=True)
    sizes = [len(found) for found in founds]
    lists_E = _places(len(entries)).repeat(sizes)
    # packed (item, source, position): one sort groups by item, then source, and keeps the anchors' order
    keys_E = np.concatenate(founds, dtype=np.int64)
    bits = len(keys_E).bit_length()
    keys_E <<= SOURCE_BITS + bits
    keys_E |= (np.array(sources) << bits).take(lists_E)
    keys_E |= _places(len(keys_E))
    keys_E.sort()
    if not 0 <= keys_E[0] <= keys_E[-1] < items << SOURCE_BITS + bits:  # items of a newer catalogue than the facts
        keys_E = keys_E[slice(*keys_E.searchsorted([0, items << SOURCE_BITS + bits]))]
    order = keys_E & (1 << bits) - 1
    keys_E >>= bits
    lists_E = lists_E.take(order)
    strengths_E = np.concatenate(strengths, dtype=np.float64).take(order)
    strengths_E *= np.array(factors).take(lists_E)
    entries_C = _starts(keys_E)
    keys_C = keys_E.take(entries_C[:-1])
    items_C = keys_C >> SOURCE_BITS
    cells_U = _starts(items_C)
    chances_C = 1.0 - np.multiply.reduceat(1.0 - strengths_E, entries_C[:-1])
    sources_C = keys_C & SOURCE_MASK
    items_U = items_C.take(cells_U[:-1])
    if isinstance(scale, Evidence):
        context_U = None if context is None else context(items_U)
        chances_C, parts_C = scale.fused(chances_C, sources_C, cells_U, weights_S, context_U)
    elif scale is not None:
        chances_C, parts_C = scale.fused(chances_C, sources_C, cells_U, weights_S)
    else:
        parts_C = np.log1p(chances_C / FAINT_CHANCE) if odds else chances_C
        parts_C = parts_C * weights_S.take(sources_C)
    totals_U = np.add.reduceat(parts_C, cells_U[:-1])
    columns = (items_U, totals_U, cells_U, parts_C, chances_C, keys_C, entries_C, strengths_E, lists_E)
    return Candidates(*columns, tuple(anchors), pinned)


def _places(count: int) -> Ints:
    """``arange(count)``, possibly a shared array: read-only for callers."""
    return PLACES[:count] if count <= len(PLACES) else np.arange(count)


def _starts(ascending: Ints) -> Ints:
    """Start of each run of equal values, and the end."""
    first = np.empty(len(ascending) + 1, bool)
    first[0] = first[-1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:-1])
    return first.nonzero()[0]
