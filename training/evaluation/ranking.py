"""Rank of each case's target in the whole catalogue, computed in chunks of bounded memory.

Shapes: B cases of a chunk, C all cases, V items.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.ranking import mrr_at, ranks_of_targets, recall_at, top_k
from training.cli.progress import progress
from training.evaluation.scorers import CHUNK_SCORES, ModelScorer, Scorer
from training.inputs.cases import Cases

COVERAGE_AT = 20


@dataclass
class Ranked:
    """Ranks and more that one system gave to the cases.

    Attributes:
        ranks_C: rank of the target, 1 is best; MISSED where it cannot be ranked.
    """

    ranks_C: npt.NDArray[np.int64]
    intent_C: npt.NDArray[np.float32] | None = None
    """Purchase intent, a probability; NaN where the prefix holds no known item."""
    shown_V: npt.NDArray[np.int64] | None = None
    """In how many of the cases' top 20 each item is."""
    depth: int | None = None
    """Length of the lists that were ranked; a target beyond it is MISSED. None: the whole catalogue."""


def rank(scorer: Scorer, cases: Cases, *, items: int, coverage: bool = True) -> Ranked:
    """Rank every case, in chunks of bounded memory and similar prefix lengths.

    Args:
        items: V.
        coverage: also count each item's occurrences in the top 20.
    """
    by_length = np.argsort(cases.prefix_lengths_C, kind="stable")
    result = Ranked(np.empty(len(cases), np.int64), shown_V=np.zeros(items, np.int64) if coverage else None)
    if isinstance(scorer, ModelScorer):
        result.intent_C = np.empty(len(cases), np.float32)
    step = max(1, min(1024, CHUNK_SCORES // max(items, 1)))
    for start in progress(range(0, len(cases), step), "ranking cases"):
        chosen = by_length[start : start + step]
        batch, asked_B = cases.batch(chosen), cases.asked_C[chosen]
        if isinstance(scorer, ModelScorer) and result.intent_C is not None:
            scores_BV, result.intent_C[chosen] = scorer.score_and_intent(batch, asked_B)
        else:
            scores_BV = scorer.score(batch, asked_B)
        result.ranks_C[chosen] = ranks_of_targets(scores_BV, cases.targets_C[chosen])
        if result.shown_V is not None:
            result.shown_V += np.bincount(top_k(scores_BV, COVERAGE_AT).ravel(), minlength=items)
    return result


def quality(ranks_C: npt.NDArray[np.int64]) -> float:
    """Recall@20 + MRR@20, by which settings are chosen on validation; 0 without cases."""
    return float((recall_at(ranks_C, 20) + mrr_at(ranks_C, 20)).mean()) if len(ranks_C) else 0.0
