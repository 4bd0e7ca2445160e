"""The items that can reach the top 20 of each validation case, so blends are tuned without re-scoring the catalogue.

Shapes: C cases (in ``gather`` also candidates by votes), E entries of all cases (case by case), B cases of a batch, V
or N rankable items, K best items by the model, L events of the session, U distinct items.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.encoding import Batch
from tillside.ranking import top_k
from tillside.recommenders.blend import FloatArray, IntArray, SessionMemory, strongest
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases

MODEL_ITEMS: Final = 200
CANDIDATES: Final = 200
CHUNK: Final = 256
NO_FLOATS, NO_PLACES = np.zeros(0, np.float32), np.zeros(0, np.int64)

Votes = Callable[[IntArray], tuple[IntArray, FloatArray]]


@dataclass(frozen=True)
class Entries:
    """Candidate items of each case as ragged (CSR-like) arrays: model score, votes and what repeats and trends add."""

    offsets_C: npt.NDArray[np.int64]
    """Where each case's entries start, and the end of the last [C + 1]."""
    scores_E: npt.NDArray[np.float32]
    votes_E: npt.NDArray[np.float32]
    back_E: npt.NDArray[np.int64]
    """Index into a behaviour's ``repeats``: events since the item, capped; ``len(repeats)`` if the session lacks it."""
    trends_E: npt.NDArray[np.float32]
    past_E: npt.NDArray[np.float32]
    """log(1 + the item's events in the shopper's earlier sessions); 0 where the current session holds it."""
    target_C: npt.NDArray[np.int64]
    """Index of the target's entry; -1 where it has none."""
    asked_C: npt.NDArray[np.int64]

    def only(self, cases: npt.NDArray[np.int64]) -> "Entries":
        """Subset of the cases, by indices."""
        sizes = np.diff(self.offsets_C)[cases]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        first = self.offsets_C[:-1][cases]
        chosen = np.repeat(first - offsets[:-1], sizes) + np.arange(offsets[-1])
        target_C = self.target_C[cases]
        target_C = np.where(target_C >= 0, target_C - first + offsets[:-1], -1)
        arrays = (self.scores_E, self.votes_E, self.back_E, self.trends_E, self.past_E)
        return Entries(offsets, *(array[chosen] for array in arrays), target_C, self.asked_C[cases])

    @classmethod
    def gather(
        cls,
        scorer: Scorer,
        votes: Votes,
        cases: Cases,
        chosen: npt.NDArray[np.int64],
        *,
        trend_N: npt.NDArray[np.float32],
        repeats: int,
    ) -> "Entries":
        """For each chosen case, the union of the model's top items, the top candidates by votes, and the items of the
        session and of the shopper's earlier ones.

        Any other item has too low a score and too few votes to reach the top 20.

        Args:
            trend_N: trend of every rankable item.
            repeats: number of repeat bonuses per behaviour.
        """
        scores, given, backs, trends, pasts, lengths, targets, asked = [], [], [], [], [], [], [], []
        for batch, targets_B, asked_B in case_rows(cases, chosen):
            scores_BV = scorer.score(batch, asked_B)
            best_BK = top_k(scores_BV, min(MODEL_ITEMS, len(trend_N)))
            for row, target in enumerate(targets_B.tolist()):
                session_L = batch.session(row)
                items_C, votes_C = strongest(*votes(session_L), CANDIDATES)
                seen_U, back_U = np.unique(session_L[::-1], return_index=True)
                past_U, often_U = SessionMemory.pulled(session_L, batch.before(row))
                union = np.unique(np.concatenate([items_C, best_BK[row], seen_U, past_U]))
                (voted, past), distance = np.zeros((2, len(union)), np.float32), np.full(len(union), repeats)
                past[np.searchsorted(union, past_U)] = often_U
                voted[np.searchsorted(union, items_C)] = votes_C
                distance[np.searchsorted(union, seen_U)] = np.minimum(back_U, repeats - 1)
                place = np.flatnonzero(union == target)
                targets.append(int(place[0]) if len(place) else -1)
                scores.append(scores_BV[row, union])
                given.append(voted)
                backs.append(distance)
                trends.append(trend_N[union])
                pasts.append(past)
                lengths.append(len(union))
            asked.append(asked_B)
        offsets_C = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        place_C = np.array(targets, np.int64)
        return cls(
            offsets_C,
            np.concatenate([NO_FLOATS, *scores]),
            np.concatenate([NO_FLOATS, *given]),
            np.concatenate([NO_PLACES, *backs]),
            np.concatenate([NO_FLOATS, *trends]),
            np.concatenate([NO_FLOATS, *pasts]),
            np.where(place_C >= 0, offsets_C[:-1] + place_C, -1),
            np.concatenate([NO_PLACES, *asked]),
        )


def case_rows(
    cases: Cases, chosen: npt.NDArray[np.int64]
) -> Iterator[tuple[Batch, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Batches of the cases whose session holds a known item, with their targets and behaviours asked for."""
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        batch = cases.batch(part)
        known = batch.own_B > 0
        if known.all():
            yield batch, cases.targets_C[part], cases.asked_C[part]
        elif known.any():
            yield cases.batch(part[known]), cases.targets_C[part[known]], cases.asked_C[part[known]]
