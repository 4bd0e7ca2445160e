"""Exploration: slots drawn at random among the best candidates, with the exact probability of what was drawn.

Only answers that could have been otherwise tell what another policy would have earned. Candidates are those that
``choose`` compares anyway: the hard rules have passed them, soft rules and minimum counts hold as without exploration,
and what is pinned by hand is never drawn. The draw is Plackett-Luce (Luce, 1959; Plackett, 1975): slot by slot, each
remaining candidate with a probability proportional to its worth. What another policy showed can be followed in the same
way, so that it is known how probable it is here.

Shapes: R candidates that are compared.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tillside.policy.choosing import LEVEL
from tillside.policy.file.terms import Exploration

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NOT_HERE = -1
"""What is picked where none of the candidates stands in the slot."""


class Explorer:
    """Picks the slots of one answer.

    Args:
        rng: draws; the same state draws the same answer.

    Attributes:
        propensities: of each pick, the probability that this candidate stood in its slot, given those before it.
    """

    def __init__(self, exploration: Exploration, rng: np.random.Generator) -> None:
        self._of, self._rng = exploration, rng
        self._drawing = exploration.of == "answers" and bool(rng.random() < exploration.share)
        self._told = _Told(exploration)
        self.propensities: list[float] = []

    def pick(self, worth_R: Floats, items_R: Ints) -> int:
        """The candidate for the next slot; -inf marks those that may not be taken."""
        best = int(worth_R.argmax())  # ties go to the first
        rows, chances = candidates(self._of, worth_R, best)
        draws = self._drawing if self._of.of == "answers" else bool(self._rng.random() < self._of.share)
        row = best
        if draws and len(rows) > 1:
            row = int(rows[self._rng.choice(len(rows), p=chances)])
        self.propensities.append(self._told.then(float(chances[(rows == row).argmax()]), best=row == best))
        return row


class Follower:
    """Picks what was shown, and says how probable each of it is under this policy, given the slots before it.

    Args:
        exploration: of the policy; None where it draws nothing, so that its best is certain.
        shown: the items to follow; past their end the best are taken.

    Attributes:
        chances: probability of each item that was followed; 0 of one that this policy would not show there.
        spread: of each such slot the items that this policy may show there, with their probabilities.
    """

    def __init__(self, exploration: Exploration | None, shown: Sequence[int]) -> None:
        self._of, self._shown = exploration, shown
        self._told = _Told(exploration)
        self.chances: list[float] = []
        self.spread: list[dict[int, float]] = []

    def pick(self, worth_R: Floats, items_R: Ints) -> int:
        """The candidate that was shown in the next slot, or NOT_HERE; -inf marks those that may not be taken."""
        best = int(worth_R.argmax())
        if len(self.chances) == len(self._shown):
            return best
        rows, chances = (np.array([best]), np.ones(1)) if self._of is None else candidates(self._of, worth_R, best)
        self.spread.append(
            {
                int(items_R[row]): chance
                for row, drawn in {best: 0.0, **dict(zip(rows.tolist(), chances.tolist(), strict=True))}.items()
                if (chance := self._told.next(drawn, best=row == best)) > 0
            }
        )
        [found] = ((items_R == self._shown[len(self.chances)]) & (worth_R > -np.inf)).nonzero()
        row = int(found[0]) if len(found) else NOT_HERE
        self.chances.append(self._told.then(float(chances[rows == row].sum()), best=row == best))
        return row


class _Told:
    """The probabilities of one answer's slots, of which it is not seen whether they were drawn."""

    def __init__(self, exploration: Exploration | None) -> None:
        self._share = 0.0 if exploration is None else exploration.share
        self._whole = exploration is not None and exploration.of == "answers"
        self._drawn = self._best = 1.0  # that a drawn answer begins as this one does, and that one without a draw does

    def next(self, drawn: float, *, best: bool) -> float:
        """Probability of a candidate that a draw takes with the probability ``drawn``, given the slots before."""
        share = self._share
        if not self._whole:
            return share * drawn + (1 - share) * best
        before = share * self._drawn + (1 - share) * self._best
        return (share * self._drawn * drawn + (1 - share) * self._best * best) / before

    def then(self, drawn: float, *, best: bool) -> float:
        """The same, of the candidate that was taken; what cannot be so is followed as if the answer began after it."""
        found = self.next(drawn, best=best)
        self._drawn, self._best = (self._drawn * drawn, self._best * best) if found else (1.0, 1.0)
        return found


def candidates(exploration: Exploration, worth_R: Floats, best: int) -> tuple[Ints, Floats]:
    """Candidates that may be drawn for a slot, and their probabilities, summing to 1.

    Args:
        best: the row that stands there without a draw.
    """
    level = round(-float(worth_R[best]) / LEVEL)
    if level < 0:  # pinned by hand
        return np.array([best]), np.ones(1)
    scores_R = worth_R + LEVEL * level
    rows = (scores_R > -LEVEL / 2).nonzero()[0]
    rows = rows[np.argsort(-scores_R[rows], kind="stable")][: exploration.among]
    scores = np.maximum(scores_R[rows], 0.0)
    top = float(scores[0])
    if not top > 0 or not math.isfinite(top):
        return rows[:1], np.ones(1)
    weights = (scores / top) ** (1 / exploration.temperature)
    return rows, weights / weights.sum()
