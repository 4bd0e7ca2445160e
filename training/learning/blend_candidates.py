"""The items that can reach the top 20 of each validation case, so blends are tuned without re-scoring the catalogue.

Shapes: C cases, E entries of all cases (case by case), B cases of a batch, V or N rankable items, K best items by the
model, L events of the session, U distinct items.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tillside.encoding.batch import Batch
from tillside.ragged import entries
from tillside.ranking import top_k
from tillside.recommenders.blend import FloatArray, IntArray, SessionMemory
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases

MODEL_ITEMS: Final = 200
CANDIDATES: Final = 200
CHUNK: Final = 256
KEPT_SCORES: Final = 2**26
"""The model's scores of all items are kept between settings up to this many: 256 MiB."""
NO_FLOATS, NO_PLACES = np.zeros(0, np.float32), np.zeros(0, np.int64)


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
        chosen, sizes = entries(self.offsets_C, cases)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        first = self.offsets_C[:-1][cases]
        target_C = self.target_C[cases]
        target_C = np.where(target_C >= 0, target_C - first + offsets[:-1], -1)
        arrays = (self.scores_E, self.votes_E, self.back_E, self.trends_E, self.past_E)
        return Entries(offsets, *(array[chosen] for array in arrays), target_C, self.asked_C[cases])


class Candidates:
    """For each case the model's top items and the items of the session and of the shopper's earlier ones: candidates
    whatever the neighbours' settings. :meth:`entries` adds the top candidates by votes.

    Any other item has too low a score and too few votes to reach the top 20.

    Args:
        trend_N: trend of every rankable item.
        repeats: number of repeat bonuses per behaviour.
    """

    def __init__(
        self,
        scorer: Scorer,
        cases: Cases,
        chosen: npt.NDArray[np.int64],
        *,
        trend_N: npt.NDArray[np.float32],
        repeats: int,
    ) -> None:
        self.scorer, self.trend_N, self.repeats = scorer, trend_N, repeats
        self.sessions: list[IntArray] = []
        self.batches: list[tuple[Batch, npt.NDArray[np.int64]]] = []
        self.kept: list[FloatArray] = []
        items, targets = len(trend_N), [NO_PLACES]
        best, seen, backs, pasts, often = [NO_PLACES], [NO_PLACES], [NO_PLACES], [NO_PLACES], [NO_FLOATS]
        for batch, targets_B, asked_B in case_rows(cases, chosen):
            first = len(self.sessions)
            scores_BV = scorer.score(batch, asked_B)
            best_BK = top_k(scores_BV, min(MODEL_ITEMS, items))
            best.append((best_BK + (first + np.arange(len(targets_B)))[:, None] * items).ravel())
            for row in range(len(targets_B)):
                session_L = batch.session(row)
                seen_U, back_U = np.unique(session_L[::-1], return_index=True)
                seen.append(seen_U + (first + row) * items)
                backs.append(np.minimum(back_U, repeats - 1))
                self.sessions.append(session_L)
                if len(batch.before(row)):
                    past_U, often_U = SessionMemory.pulled(session_L, batch.before(row))
                    pasts.append(past_U + (first + row) * items)
                    often.append(often_U)
            targets.append(targets_B)
            self.batches.append((batch, asked_B))
            if len(chosen) * items <= KEPT_SCORES:
                self.kept.append(scores_BV)
        self.targets_C = np.concatenate(targets)
        self.asked_C = np.concatenate([NO_PLACES, *(asked_B for _, asked_B in self.batches)])
        seen_keys, past_keys = np.concatenate(seen), np.concatenate(pasts)
        keys = np.sort(np.concatenate([*best, seen_keys, past_keys]))  # np.unique would hash: ten times as long
        self.keys = keys[np.diff(keys, prepend=-1) > 0]
        self.scores = self._scores(self.keys)
        self.backs, self.pasts = np.full(len(self.keys), repeats), np.zeros(len(self.keys), np.float32)
        self.backs[np.searchsorted(self.keys, seen_keys)] = np.concatenate(backs)
        self.pasts[np.searchsorted(self.keys, past_keys)] = np.concatenate(often)

    def entries(self, votes_CN: csr_array) -> Entries:
        """The candidates and those of the votes, of which no case has more than CANDIDATES."""
        items, cases = len(self.trend_N), len(self.sessions)
        keys = np.repeat(np.arange(cases) * items, np.diff(votes_CN.indptr)) + votes_CN.indices
        place = np.searchsorted(self.keys, keys)
        known = np.zeros(len(keys), np.bool_)
        known[place < len(self.keys)] = self.keys[place[place < len(self.keys)]] == keys[place < len(self.keys)]
        voted = np.zeros(len(self.keys), np.float32)
        voted[place[known]] = votes_CN.data[known]
        fresh = keys[~known]
        added = place[~known] + np.arange(len(fresh))
        fresh_E = np.zeros(len(self.keys) + len(fresh), np.bool_)
        fresh_E[added] = True
        source = np.arange(len(fresh_E)) - np.cumsum(fresh_E)
        source[added] = len(self.keys) + np.arange(len(fresh))

        def merged(own: Any, others: Any) -> Any:
            return np.concatenate([own, np.broadcast_to(np.asarray(others, own.dtype), len(fresh))])[source]

        both = merged(self.keys, fresh)
        offsets_C = np.searchsorted(both, np.arange(cases + 1) * items)
        target = self.targets_C + np.arange(cases) * items
        target_C = np.searchsorted(both, target)
        found_C = target_C < offsets_C[1:]
        found_C[found_C] = both[target_C[found_C]] == target[found_C]
        return Entries(
            offsets_C,
            merged(self.scores, self._scores(fresh)),
            merged(voted, votes_CN.data[~known]),
            merged(self.backs, self.repeats),
            self.trend_N[both % max(items, 1)],
            merged(self.pasts, 0.0),
            np.where(found_C, target_C, -1),
            self.asked_C,
        )

    def _scores(self, keys: npt.NDArray[np.int64]) -> FloatArray:
        """The model's scores of cases' items, both in one key, ascending; computed again where they were too many."""
        items, start, found = len(self.trend_N), 0, [NO_FLOATS]
        for number, (batch, asked_B) in enumerate(self.batches):
            end = start + len(asked_B)
            first, last = np.searchsorted(keys, [start * items, end * items]).tolist()
            if first < last:
                scores_BV = self.kept[number] if self.kept else self.scorer.score(batch, asked_B)
                found.append(scores_BV.reshape(-1)[keys[first:last] - start * items])
            start = end
        return np.concatenate(found)


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
