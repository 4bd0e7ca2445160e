"""A request in the terms of one bundle: what the batch, the ladder and the policy are asked with.

Shapes: N items that can be recommended, D dimensions, L events, H items of earlier sessions, A items that came by feed.
A batch of ``tillside.encoding`` (``items_BL``, ``lengths_B``) has B = 1 rows here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from serving.answering.scope import Scope
from serving.policy.placement_request import IndexedPlacement
from tillside.encoding.batch import Batch
from tillside.engine import FloatArray


@dataclass(frozen=True, slots=True)
class IndexedRequest:
    """A request in the catalogue indices of one bundle.

    Attributes:
        excluded: items that must not be answered: the exclusion list, and without a placement what ``hide_seen`` hides.
        excluded_ids: the same as item ids, unknown ones included.
        seen_ids: item ids of the session, unknown ones included.
        names: whether items get their name.
        not_sent: whether the session was to be remembered, and nothing was.
        hint: what about the request is hardly meant so.
        placement: the request translated for the policy; None without a placement.
        late: number of the first item of the batch that came by feed, and the rows of all such items; None where the
            batch holds none.
        scope: the only items that may answer, without a placement; None for all.
    """

    batch: Batch
    ask: int
    k: int
    excluded: frozenset[int]
    excluded_ids: Sequence[str]
    unknown: list[str]
    empty: bool
    seen_ids: frozenset[str] = frozenset()
    names: bool = False
    hint: str | UnsetType = UNSET
    placement: IndexedPlacement | None = None
    late: tuple[int, FloatArray] | None = None
    scope: Scope | None = None
    not_sent: bool = False

    @property
    def known(self) -> bool:
        """Whether the session or its history holds an item that the model knows."""
        return bool(self.batch.lengths_B[0])

    @property
    def session_L(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """Items of the session that the model knows, oldest first."""
        return self._learned(self.batch.session(0))

    @property
    def past_H(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """Items of the shopper's earlier sessions that the model knows, oldest first."""
        return self._learned(self.batch.before(0))

    @property
    def seen_L(self) -> npt.NDArray[np.int64]:  # noqa: N802
        """All items in the encoder's input that the bundle has: history, then session, oldest first."""
        return self._learned(self.batch.items_BL[0, : self.batch.lengths_B[0]])

    def vectors_LD(self, items_ND: FloatArray) -> FloatArray:  # noqa: N802
        """Rows of the encoder's input, padding included, [L, D].

        Args:
            items_ND: those of the bundle's items.
        """
        items_L = self.batch.items_BL[0]
        first, rows_AD = self.late or (len(items_ND), items_ND[:0])
        late_L = items_L >= first
        vectors_LD: FloatArray = items_ND[np.where(late_L, 0, items_L)]
        vectors_LD[late_L] = rows_AD[items_L[late_L] - first]
        return vectors_LD

    def _learned(self, items_L: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return items_L if self.late is None else items_L[items_L < self.late[0]]
