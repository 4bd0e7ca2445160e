"""Exploration: slots drawn at random among the best candidates, with the exact probability of what was drawn.

Only answers that could have been otherwise tell what another policy would have earned. Candidates are those that
``choose`` compares anyway: the hard rules have passed them, soft rules and minimum counts hold as without exploration,
and what is pinned by hand is never drawn. The draw is Plackett-Luce (Luce, 1959; Plackett, 1975): slot by slot, each
remaining candidate with a probability proportional to its worth.

Shapes: R candidates that are compared.
"""

import math

import numpy as np
import numpy.typing as npt

from tillside.policy.choosing import LEVEL
from tillside.policy.file.terms import Exploration

Floats = npt.NDArray[np.float64]


class Explorer:
    """Picks the slots of one answer.

    Args:
        rng: draws; the same state draws the same answer.

    Attributes:
        propensities: of each pick, the probability that this candidate stood in its slot, given those before it.
    """

    def __init__(self, exploration: Exploration, rng: np.random.Generator) -> None:
        self._of, self._rng = exploration, rng
        self._whole = exploration.of == "answers"
        self._drawing = self._whole and bool(rng.random() < exploration.share)
        self._drawn_before = self._best_before = 1.0
        self.propensities: list[float] = []

    def pick(self, worth_R: Floats) -> int:
        """The candidate for the next slot; -inf marks those that may not be taken."""
        best = int(worth_R.argmax())  # ties go to the first
        rows, chances = self._chances(worth_R, best)
        share = self._of.share
        draws = self._drawing if self._whole else bool(self._rng.random() < share)
        row = best
        if draws and len(rows) > 1:
            row = int(rows[self._rng.choice(len(rows), p=chances)])
        chance = float(chances[(rows == row).argmax()])
        if self._whole:  # whether this answer is a drawn one is not seen, only how likely both kinds are to begin so
            before = share * self._drawn_before + (1 - share) * self._best_before
            self._drawn_before *= chance
            self._best_before *= row == best
            propensity = (share * self._drawn_before + (1 - share) * self._best_before) / before
        else:
            propensity = share * chance + (1 - share) * (row == best)
        self.propensities.append(propensity)
        return row

    def _chances(self, worth_R: Floats, best: int) -> tuple[npt.NDArray[np.int64], Floats]:
        """Candidates that may be drawn for the slot, and their probabilities, summing to 1."""
        level = round(-float(worth_R[best]) / LEVEL)
        if level < 0:  # pinned by hand
            return np.array([best]), np.ones(1)
        scores_R = worth_R + LEVEL * level
        rows = (scores_R > -LEVEL / 2).nonzero()[0]
        rows = rows[np.argsort(-scores_R[rows], kind="stable")][: self._of.among]
        scores = np.maximum(scores_R[rows], 0.0)
        top = float(scores[0])
        if not top > 0 or not math.isfinite(top):
            return rows[:1], np.ones(1)
        weights = (scores / top) ** (1 / self._of.temperature)
        return rows, weights / weights.sum()
