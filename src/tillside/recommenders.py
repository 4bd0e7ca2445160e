"""Recommenders that need no training run: popularity and last-item co-visitation.

They stand beside every model in its evaluation, and popularity also answers an empty session online.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.encoding import Batch


def popularity(counts_NB: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """How often each item met each behaviour, as scores [behaviours, items].

    Items that are level in the behaviour asked for are ordered by all their events.
    """
    total_N = counts_NB.sum(axis=1)
    tie_break_N = total_N / (total_N.max(initial=0) + 1.0)
    return np.ascontiguousarray((counts_NB + tie_break_N[:, None]).T, dtype=np.float32)


@dataclass(frozen=True)
class Popularity:
    """The most frequent items of the behaviour asked for, whatever the session holds."""

    scores_by_behaviour: npt.NDArray[np.float32]

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, items]."""
        return self.scores_by_behaviour[ask_B]


@dataclass(frozen=True)
class CoVisitation:
    """Items seen in the same sessions as the last item, most often first; popularity breaks ties and fills up.

    ``neighbours[offsets[i]:offsets[i + 1]]`` met item i in ``weights`` of the same slice many sessions' windows.
    """

    offsets: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    tie_break_N: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, sessions: Sessions, *, items: int, window: int = 10) -> "CoVisitation":
        """Count pairs at most ``window`` events apart in one session, both ways, an item never with itself."""
        length = len(sessions.items)
        session_E = np.repeat(np.arange(len(sessions)), np.diff(sessions.offsets))
        events = np.asarray(sessions.items, np.int64)
        keys, weights = np.zeros(0, np.int64), np.zeros(0, np.int64)
        for distance in range(1, min(window, length - 1) + 1):
            left, right = events[:-distance], events[distance:]
            together = (session_E[:-distance] == session_E[distance:]) & (left != right)
            together &= (np.minimum(left, right) >= 0) & (np.maximum(left, right) < items)
            left, right = left[together], right[together]
            pairs = np.concatenate([keys, left * items + right, right * items + left])
            pair_weights = np.concatenate([weights, np.ones(2 * len(left), np.int64)])
            keys, inverse = np.unique(pairs, return_inverse=True)
            weights = np.bincount(inverse, weights=pair_weights).astype(np.int64)
        offsets = np.searchsorted(keys, np.arange(items + 1) * items)
        counts = np.bincount(events[(events >= 0) & (events < items)], minlength=items)
        tie_break = (counts / (counts.max(initial=0) + 1.0)).astype(np.float32)
        return cls(offsets, keys % max(items, 1), weights.astype(np.float32), tie_break)

    def score(self, batch: Batch, ask_B: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores [B, items]; the behaviour asked for makes no difference."""
        scores = np.tile(self.tie_break_N, (len(batch.lengths_B), 1))
        for row in np.flatnonzero(batch.lengths_B):
            last = batch.items_BL[row, batch.lengths_B[row] - 1]
            near = slice(self.offsets[last], self.offsets[last + 1])
            scores[row, self.neighbours[near]] += self.weights[near]
        return scores
