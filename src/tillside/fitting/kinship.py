"""Complements by kind: what goes with an item that no log knows, or that itself is too new to be in a relation.

The strength of two categories is shared out over the items of the second that fit, by how much each is taken, those of
the anchor's own brand more. So a phone that came a minute ago has its cases, and a case that came a minute ago stands
beside the phone it fits. Pairs of items that were there when relations were mined are left to the relation's table.

Shapes: N items, M members of a category, C classes of items by what they fit, G sets of categories.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.fitting.matching import Grouped, Matching
from tillside.fitting.rules import Kin

MOST_PROPOSED: Final = 16
"""Items proposed for one anchor, the strongest."""
MOST_KEPT: Final = 4096
"""Anchors whose proposals are kept."""
NOBODY: Final = np.zeros(0, np.int64)
NO_STRENGTHS: Final = np.zeros(0)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Kinship:
    """Kin bound to N items; immutable but for the proposals it keeps.

    Attributes:
        matching: what fits what.
        late_N: items that came, or changed what they fit, after the relations were mined.
        worth_N: how much each item is taken, above 0.
    """

    matching: Matching
    categories: Grouped
    brands: Grouped
    late_N: Bools
    worth_N: Floats
    _kin: dict[int, list[tuple[Kin, Ints, bool]]]
    _kept: dict[int, tuple[Ints, Floats]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        kin: Sequence[Kin],
        matching: Matching,
        *,
        categories: Grouped,
        brands: Grouped,
        late_N: Bools,
        worth_N: Floats,
    ) -> "Kinship":
        """Bind kin to items; members of each category are looked up once."""
        members: dict[str, tuple[Ints, bool]] = {}
        for path in {each.other for each in kin}:
            within_G = np.array([path in own for own in categories.sets], bool)
            own = within_G[categories.codes_N].nonzero()[0]
            members[path] = own, bool(late_N[own].any())
        by_code: dict[int, list[tuple[Kin, Ints, bool]]] = {}
        for code, paths in enumerate(categories.sets):
            found = [(each, *members[each.other]) for each in kin if each.one in paths and each.other not in paths]
            if found:
                by_code[code] = found
        return cls(matching, categories, brands, late_N, worth_N, by_code)

    def proposals(self, anchor: int) -> tuple[Ints, Floats]:
        """Complements of an anchor and their strengths, strongest first: for a late anchor all, else late items."""
        kin = self._kin.get(self.categories.codes_N.item(anchor))
        if kin is None:
            return NOBODY, NO_STRENGTHS
        found = self._kept.get(anchor)
        if found is None:
            found = self._made(anchor, kin)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[anchor] = found
        return found

    def _made(self, anchor: int, kin: list[tuple[Kin, Ints, bool]]) -> tuple[Ints, Floats]:
        late = bool(self.late_N[anchor])
        found = [
            shared_out(each, anchor, members_M, self.matching, brands=self.brands, worth_N=self.worth_N)
            for each, members_M, any_late in kin
            if late or any_late
        ]
        if not found:
            return NOBODY, NO_STRENGTHS
        items, strengths = (np.concatenate(column) for column in zip(*found, strict=True))
        kept = (items != anchor) & (late | self.late_N[items])
        items, strengths = items[kept], strengths[kept]
        order = np.lexsort((items, -strengths))
        items, first = np.unique(items[order], return_index=True)  # of two kin that name an item the stronger
        strengths = strengths[order][first]
        order = np.lexsort((items, -strengths))[:MOST_PROPOSED]
        return items[order], strengths[order]


def shared_out(
    kin: Kin, anchor: int, members_M: Ints, matching: Matching, *, brands: Grouped, worth_N: Floats
) -> tuple[Ints, Floats]:
    """Members that fit the anchor, and each one's share of the kin's strength."""
    row = matching.row(anchor)
    if row is not None:
        members_M = members_M[~row.refused_C.take(matching.classes_N.take(members_M))]
    if not len(members_M):
        return NOBODY, NO_STRENGTHS
    worth_M = worth_N.take(members_M)
    brand = brands.codes_N.item(anchor)
    if brand and kin.same_brand != 1:
        worth_M = np.where(brands.codes_N.take(members_M) == brand, worth_M * kin.same_brand, worth_M)
    return members_M, kin.strength * worth_M / worth_M.sum()
