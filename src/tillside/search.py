"""Top-k retrieval: a fast scan proposes candidates, one routine rescores them, an error bound proves the list exact.

A scan reads int8 rows, or fp32 rows for many queries at once; rounding bounds the error of its scores. A list is
returned if its last score exceeds everything that the scan left out by more than the bound; otherwise the scan is
deepened, and at last the whole catalogue is scored. So an answer depends neither on the precision nor on the batch it
came in. An approximate index has no such bound: its recall is measured at export.

Surprising: every score that leaves this module comes from :func:`inner_products`, whose result for an item does not
depend on the other items computed with it. A BLAS matrix product does not promise that.

Shapes: B queries, N items, D columns, C candidates, K items of a list, V eligible items.
"""

import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from tillside.search_bounds import Bound, float_bound, int8_bound

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
SearchMode = Literal["exact", "int8", "approximate"]
Propose = Callable[[FloatArray, int], tuple[FloatArray, IntArray]]
"""Maps queries [B, D] and a number of items to scores and items [B, C], best first; C may be less than asked for."""

MARGIN: Final = 100
"""Candidates beyond k, or k more if that is larger: scores get denser down the list, and the proof needs a gap."""
LEAST: Final = 64
"""Lists shorter than this are searched at this length: it costs little, and most requests then share a batch."""
TOGETHER_FROM: Final = 16
"""Batch size from which one fp32 scan is no slower than int8 scans (measured at 10k, 100k and 1M items)."""
FEW: Final = 4
"""Up to 1 / FEW of the catalogue, gathering and scoring the eligible items is faster than a full scan."""
DEEPER: Final = 8
"""Growth factor of the candidates after a failed proof; a second scan is cheaper than a full product."""
MOST_MASKS: Final = 8
"""Sets of eligible items whose masks are remembered."""
MOST_SCORES: Final = 2**24
"""Scores per pass, 64 MiB: larger batches are split, since allocated memory is not returned."""


@dataclass(frozen=True)
class SearchPlan:
    """Search settings of a bundle, chosen and measured at export.

    Attributes:
        tier: ``exact`` scans fp32 rows, ``int8`` adds int8 rows, ``approximate`` adds an index to both.
        rounding: largest Euclidean distance of an item's row, without its trend, from its int8 row.
        candidates: candidates that the index proposes beyond k.
        measured: recall and other measurements, for people only.
    """

    tier: SearchMode = "exact"
    rounding: float = 0.0
    candidates: int = 0
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exactly(self) -> "SearchPlan":
        """The same plan without the approximate index, so that every list is exact."""
        return replace(self, tier="int8", candidates=0) if self.tier == "approximate" else self

    def document(self) -> dict[str, Any]:
        """The plan as JSON types."""
        own: dict[str, Any] = {"tier": self.tier}
        own |= {"rounding": self.rounding} if self.tier != "exact" else {}
        own |= {"candidates": self.candidates} if self.tier == "approximate" else {}
        return own | {"measured": dict(self.measured)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "SearchPlan":
        """The inverse of :meth:`document`.

        Raises:
            ValueError: the tier is unknown, or one of its numbers is missing or out of range.
        """
        try:
            tier, measured = document["tier"], dict(document["measured"])
            rounding = float(document["rounding"]) if tier != "exact" else 0.0
            candidates = int(document["candidates"]) if tier == "approximate" else 0
            sound = tier in get_args(SearchMode) and 0 <= rounding < math.inf
            sound = sound and (candidates > 0 or tier != "approximate")
        except (KeyError, TypeError, ValueError, OverflowError):
            sound = False
        if not sound:
            raise ValueError(
                f"search must have a tier of {', '.join(get_args(SearchMode))}, what was measured, from int8 on a "
                f"rounding of at least 0 and for approximate candidates of at least 1, got {document}"
            )
        return cls(tier, rounding, candidates, measured)


def searched(k: int) -> int:
    """Length at which a top-k is searched: LEAST, or the next power of two, so that it does not depend on the batch."""
    return max(LEAST, 1 << (k - 1).bit_length())


def inner_products(items_ND: FloatArray, items_C: IntArray, query_D: FloatArray) -> FloatArray:
    """Scores [C] of some items; the score of an item does not depend on the others."""
    scores_C: FloatArray = np.vecdot(items_ND.take(items_C, axis=0), query_D)
    return scores_C


def best(scores_C: FloatArray, items_C: IntArray, k: int) -> tuple[FloatArray, IntArray]:
    """Top-k scores and items [min(k, C)], best first, ties in catalogue order."""
    k = min(k, len(items_C))
    if k < len(items_C) // 8:
        kept = np.flatnonzero(scores_C >= _kth(scores_C, k)) if k else np.zeros(0, np.int64)
        scores_C, items_C = scores_C[kept], items_C[kept]
    order_K = np.lexsort((items_C, -scores_C))[:k]
    return scores_C[order_K], items_C[order_K]


def _kth(scores_C: FloatArray, k: int) -> np.float32:
    """The k-th highest score; k from 1 to C."""
    value: np.float32 = np.partition(scores_C, len(scores_C) - k)[len(scores_C) - k]
    return value


def index_scan(index: Any) -> Propose:
    """Proposals of an opened faiss index, one query at a time, so that results do not depend on the batch."""

    def propose(query_BD: FloatArray, wanted: int) -> tuple[FloatArray, IntArray]:
        padded = np.zeros((len(query_BD), index.d), np.float32)
        padded[:, : query_BD.shape[1]] = query_BD
        found = [index.search(padded[row : row + 1], wanted) for row in range(len(padded))]
        scores, items = (np.concatenate(part) for part in zip(*found, strict=True))
        return scores, items

    return propose


class EligibleMasks:
    """Masks [N] of the latest sets of eligible items, so that a candidate is looked up in one step.

    In a sorted array of 100,000 items the candidates of one query cost a tenth of the scan. A set is known by its
    array, which callers keep as long as the rules behind it hold, and which this does not keep alive.
    """

    def __init__(self, items: int) -> None:
        self._items = items
        self._known: dict[int, tuple[weakref.ref[IntArray], Mask]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, eligible_V: IntArray) -> Mask:
        """Mask of a set, which must not change; made where it is none of the latest."""
        found = self._known.get(id(eligible_V))
        if found is not None and found[0]() is eligible_V:
            return found[1]
        mask_N = np.zeros(self._items, bool)
        mask_N[eligible_V] = True
        known = dict(list(self._known.items())[1 - MOST_MASKS :])  # made anew, since threads may share it
        self._known = known | {id(eligible_V): (weakref.ref(eligible_V), mask_N)}
        return mask_N


@dataclass(frozen=True)
class Scan:
    """A source of candidates; without an error bound its lists are not proven exact."""

    propose: Propose
    bound: Bound | None


class ItemSearch:
    """Top-k search over one item matrix; exact unless the plan is ``approximate``.

    Args:
        items_ND: item rows; the last column is the trend.
        floats: scan of the fp32 rows.
        int8: scan of the int8 rows, for plans from ``int8`` up.
        index: proposals of an approximate index, for ``approximate`` plans.
    """

    def __init__(
        self,
        plan: SearchPlan,
        items_ND: FloatArray,
        *,
        floats: Propose,
        int8: Propose | None = None,
        index: Propose | None = None,
    ) -> None:
        assert (int8 is not None) >= (plan.tier != "exact"), "a plan needs its scans"
        assert (index is not None) >= (plan.tier == "approximate"), "a plan needs its scans"
        self._items_ND = items_ND
        self._float_bound = float_bound(items_ND)
        self._together = self._alone = Scan(floats, self._float_bound)
        self._approximate: Scan | None = None
        self._candidates = plan.candidates
        self._eligible = EligibleMasks(len(items_ND))
        if int8 is not None and plan.tier != "exact":
            self._alone = Scan(int8, int8_bound(items_ND, plan.rounding))
        if index is not None and plan.tier == "approximate":
            self._approximate = Scan(index, None)
        self.unproven = 0
        """Count of queries so far that needed a full product."""

    def search(self, query_BD: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """Scores and items [B, min(k, N)], best first, ties in catalogue order."""
        if self._approximate is not None:
            return self._scan(self._approximate, query_BD, k, wanted=searched(k) + self._candidates)
        return self._scan(self._exact(len(query_BD)), query_BD, k, wanted=k + max(MARGIN, k))

    def search_among(self, query_BD: FloatArray, eligible_V: IntArray, k: int) -> tuple[FloatArray, IntArray]:
        """Top-k among eligible items [B, min(k, V)]; on ``approximate`` plans too exact unless most are eligible.

        Args:
            eligible_V: distinct catalogue indices, ascending.
        """
        items, eligible = len(self._items_ND), len(eligible_V)
        if eligible * FEW <= items or eligible <= MARGIN:
            rows = [best(inner_products(self._items_ND, eligible_V, query_D), eligible_V, k) for query_D in query_BD]
            return _stacked(rows, min(k, eligible))
        lightly = 2 * eligible > items
        if self._approximate is not None and lightly:
            wanted = -(-(k + self._candidates) * items // eligible)
            return self._scan(self._approximate, query_BD, k, wanted=wanted, eligible_V=eligible_V)
        wanted = -(-(k + MARGIN) * items // eligible)
        return self._scan(self._exact(len(query_BD)), query_BD, k, wanted=wanted, eligible_V=eligible_V)

    def scanned(self, query_BD: FloatArray, k: int, *, candidates: int) -> tuple[FloatArray, IntArray]:
        """Top-k of this plan's own scan with ``candidates`` beyond k, proven or not; for measuring recall."""
        scan = self._approximate or self._alone
        _, items_BC = scan.propose(query_BD, min(k + candidates, len(self._items_ND)))
        rows = [
            best(inner_products(self._items_ND, items_C[items_C >= 0], query_D), items_C[items_C >= 0], k)
            for query_D, items_C in zip(query_BD, items_BC, strict=True)
        ]
        return _stacked(rows, min(k, items_BC.shape[1]))

    def whole(self, query_D: FloatArray, k: int, eligible_V: IntArray | None = None) -> tuple[FloatArray, IntArray]:
        """Top-k of one query by a full product: every item that could be in it within the error bound is rescored."""
        scores_V: FloatArray = self._items_ND @ query_D
        if eligible_V is not None:
            scores_V = scores_V[eligible_V]
        k = min(k, len(scores_V))
        if not k:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        doubt = 2 * float(self._float_bound(query_D[None])[0])
        near_C = np.flatnonzero(scores_V >= float(_kth(scores_V, k)) - doubt)
        items_C = near_C if eligible_V is None else eligible_V[near_C]
        return best(inner_products(self._items_ND, items_C, query_D), items_C, k)

    def _exact(self, queries: int) -> Scan:
        return self._together if queries >= TOGETHER_FROM else self._alone

    def _scan(
        self, scan: Scan, query_BD: FloatArray, k: int, *, wanted: int, eligible_V: IntArray | None = None
    ) -> tuple[FloatArray, IntArray]:
        items = len(self._items_ND)
        step = max(TOGETHER_FROM, MOST_SCORES // items)
        if len(query_BD) > step:
            parts = [
                self._scan(scan, query_BD[start : start + step], k, wanted=wanted, eligible_V=eligible_V)
                for start in range(0, len(query_BD), step)
            ]
            return np.concatenate([scores_BK for scores_BK, _ in parts]), np.concatenate([part for _, part in parts])
        k, wanted = min(k, items if eligible_V is None else len(eligible_V)), min(wanted, items)
        proposed_BC, items_BC = scan.propose(query_BD, wanted)
        errors_B = None if scan.bound is None else scan.bound(query_BD)
        eligible_N = None if eligible_V is None else self._eligible.of(eligible_V)
        rows = []
        for row, query_D in enumerate(query_BD):
            # faiss pads missing results with -1
            kept_C = np.flatnonzero(items_BC[row] >= 0)
            if eligible_N is not None:
                kept_C = kept_C[eligible_N.take(items_BC[row].take(kept_C))]
            items_C, proposed_C = items_BC[row].take(kept_C), proposed_BC[row].take(kept_C)
            scores_C = inner_products(self._items_ND, items_C, query_D)
            scores_K, items_K = best(scores_C, items_C, k)
            proven = len(items_K) == k
            if proven and errors_B is not None and wanted < items:
                error = float(errors_B[row])
                faithful = float(np.abs(scores_C - proposed_C).max(initial=0.0)) <= error
                proven = faithful and (not k or float(scores_K[-1]) > float(proposed_BC[row, -1]) + error)
            if not proven:
                scores_K, items_K = self._deeper(scan, query_D, k, wanted=wanted, eligible_V=eligible_V)
            rows.append((scores_K, items_K))
        return _stacked(rows, k)

    def _deeper(
        self, scan: Scan, query_D: FloatArray, k: int, *, wanted: int, eligible_V: IntArray | None
    ) -> tuple[FloatArray, IntArray]:
        """Top-k of one query whose proof failed with ``wanted`` candidates: from DEEPER times as many, or from all."""
        wanted *= DEEPER
        if scan.bound is None or wanted * DEEPER > len(self._items_ND):
            self.unproven += 1
            return self.whole(query_D, k, eligible_V)
        scores_1K, items_1K = self._scan(scan, query_D[None], k, wanted=wanted, eligible_V=eligible_V)
        return scores_1K[0], items_1K[0]


def _stacked(rows: list[tuple[FloatArray, IntArray]], k: int) -> tuple[FloatArray, IntArray]:
    if len(rows) == 1:
        return rows[0][0][None], rows[0][1][None]
    if not rows:
        return np.zeros((0, k), np.float32), np.zeros((0, k), np.int64)
    return np.stack([scores_K for scores_K, _ in rows]), np.stack([items_K for _, items_K in rows])
