"""Full-catalogue ranking, its metrics with bootstrap intervals, and calibration metrics.

Target ranks are pessimistic: items with the target's score rank before it. Ties among recommended items are broken by
catalogue order, so equal scores give equal lists. A target that cannot be ranked (unseen in training) has the rank
:data:`MISSED` and counts as a miss in every mean.

Shapes: B cases, V items, G blocks of them, C scores that reach a bound, S sessions, M metrics, R resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MISSED: Final = np.iinfo(np.int64).max
CUTOFFS: Final = (5, 10, 20)
BLOCK: Final = 32
"""Items of a block of :func:`top_k`."""

FloatArray = npt.NDArray[np.floating[Any]]


def ranks_of_targets(scores_BV: FloatArray, targets_B: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Rank of each target, 1 is best; a target outside 0 .. V - 1 has rank MISSED."""
    items = scores_BV.shape[1]
    known = (targets_B >= 0) & (targets_B < items)
    target_scores = scores_BV[np.arange(len(targets_B)), np.where(known, targets_B, 0)]
    ranks = (items - np.count_nonzero(scores_BV < target_scores[:, None], axis=1)).astype(np.int64)
    return np.where(known, ranks, MISSED)


def top_k(scores_BV: FloatArray, k: int) -> npt.NDArray[np.int64]:
    """Top-k items of each row, best first, ties in catalogue order, int64 [B, min(k, V)].

    The k-th best of the maxima of disjoint blocks is at most the k-th best score, and few scores reach it: only those
    are sorted.
    """
    rows, items = scores_BV.shape
    k = min(k, items)
    if k == 0:
        return np.zeros((rows, 0), np.int64)
    blocks = items // BLOCK
    maxima_BG = scores_BV
    if blocks >= 2 * k:
        maxima_BG = scores_BV[:, : blocks * BLOCK].reshape(rows, BLOCK, blocks).max(axis=1)
    least_B = -np.partition(-maxima_BG, k - 1, axis=1)[:, k - 1]
    rows_C, items_C = np.nonzero(scores_BV >= least_B[:, None])
    ends_B = np.bincount(rows_C, minlength=rows).cumsum()
    found = np.empty((rows, k), np.int64)
    for row, end in enumerate(ends_B.tolist()):
        start = ends_B.item(row - 1) if row else 0
        own = items_C[start:end] if end - start >= k else np.arange(items)  # fewer: some scores are no numbers
        worth = scores_BV[row].take(own)
        found[row] = own.take(np.argsort(-worth, kind="stable")[:k])
    return found


def recall_at(ranks_B: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """Recall@k per case: 1 if the target is in the top k, else 0. With one target per case it equals the hit rate."""
    return (ranks_B <= k).astype(np.float64)


def mrr_at(ranks_B: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """Reciprocal rank at k per case: 1 / rank if the target is in the top k, else 0."""
    return np.where(ranks_B <= k, 1.0 / ranks_B, 0.0)


def ndcg_at(ranks_B: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.float64]:
    """NDCG@k per case: 1 / log2(1 + rank) if the target is in the top k, else 0 (one relevant item: ideal DCG 1)."""
    clipped = np.minimum(ranks_B, k)  # log2(1 + MISSED) would overflow
    return np.where(ranks_B <= k, 1.0 / np.log2(1.0 + clipped), 0.0)


def case_metrics(
    ranks_B: npt.NDArray[np.int64], cutoffs: Sequence[int] = CUTOFFS
) -> dict[str, npt.NDArray[np.float64]]:
    """Per-case metrics [B] by name: ``recall@5`` ... ``ndcg@20``."""
    kinds = {"recall": recall_at, "mrr": mrr_at, "ndcg": ndcg_at}
    return {f"{name}@{k}": metric(ranks_B, k) for name, metric in kinds.items() for k in cutoffs}


DRAWN_TOGETHER = 100_000
"""Sessions drawn at once by the bootstrap: with few sessions, calls for each resample would cost more than its sums."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its bootstrap interval, 95 % unless stated otherwise."""

    value: float
    low: float
    high: float


def bootstrap_means(
    values_MB: FloatArray,
    sessions_B: npt.NDArray[np.integer[Any]],
    *,
    rng: np.random.Generator,
    resamples: int = 500,
    weights_B: FloatArray | None = None,
    level: float = 0.95,
) -> list[Interval]:
    """Mean of each metric over cases, with percentile intervals from a cluster bootstrap over sessions.

    Cases of one session are correlated, so resampling single cases would make the intervals too narrow.

    Args:
        values_MB: M metrics of B cases.
        sessions_B: session id of each case, any integers.
        weights_B: case weights above 0; None for equal weights. If the values are ratios and the weights their
            denominators, the mean is the ratio of the sums.
        level: nominal coverage of the intervals.
    """
    if values_MB.shape[1] == 0:
        return [Interval(float("nan"), float("nan"), float("nan"))] * len(values_MB)
    _, session = np.unique(sessions_B, return_inverse=True)
    size = int(session.max()) + 1
    counts_S = np.bincount(session, weights=weights_B, minlength=size).astype(np.float64)
    weighed_MB = values_MB if weights_B is None else values_MB * weights_B
    sums_MS = np.stack([np.bincount(session, weights=row, minlength=size) for row in weighed_MB])
    means_RM = np.empty((resamples, len(values_MB)))
    together = max(1, DRAWN_TOGETHER // size)
    for start in range(0, resamples, together):
        block = slice(start, min(start + together, resamples))
        drawn_RS = rng.integers(0, size, (block.stop - start, size))
        drawn_RS += size * np.arange(len(drawn_RS))[:, None]
        weights_RS = np.bincount(drawn_RS.ravel(), minlength=drawn_RS.size).reshape(drawn_RS.shape)
        means_RM[block] = weights_RS @ sums_MS.T / (weights_RS @ counts_S)[:, None]
    tail = round((1 - level) / 2, 12)
    low_M, high_M = np.quantile(means_RM, [tail, 1 - tail], axis=0)
    means_M = values_MB.mean(axis=1) if weights_B is None else weighed_MB.sum(axis=1) / weights_B.sum()
    return [Interval(float(m), float(a), float(b)) for m, a, b in zip(means_M, low_M, high_M, strict=True)]


def area_under_roc(scores_B: FloatArray, labels_B: npt.NDArray[np.bool_]) -> float:
    """ROC AUC: probability that a positive scores above a negative, ties counted half; NaN without both classes."""
    positives, negatives = int(labels_B.sum()), int((~labels_B).sum())
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(scores_B, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mean_rank[inverse][labels_B].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def reliability(
    probabilities_B: FloatArray, labels_B: npt.NDArray[np.bool_], *, bins: int = 15
) -> list[tuple[float, float, int]]:
    """Reliability diagram: mean prediction, observed rate and case count of equal-mass bins, predictions ascending."""
    order = np.argsort(probabilities_B, kind="stable")
    chunks = np.array_split(order, min(bins, len(order))) if len(order) else []
    return [(float(probabilities_B[c].mean()), float(labels_B[c].mean()), len(c)) for c in chunks]


def calibration_error(bins: Sequence[tuple[float, float, int]]) -> float:
    """Expected calibration error (ECE) over the bins of :func:`reliability`; NaN without cases."""
    cases = sum(count for _, _, count in bins)
    if not cases:
        return float("nan")
    return sum(count * abs(predicted - observed) for predicted, observed, count in bins) / cases
