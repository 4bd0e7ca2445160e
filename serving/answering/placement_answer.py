"""One placement from candidates to an answer: picks the tier whose candidates are used, and each item's explanation.

If the policy fails on a request the answer is empty: an unapplied rule is worse than an empty slot on a page.

Shapes: L session items.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serving.answering.fallbacks import Ladder, Reason, Tier
from serving.answering.outcome import Outcome
from serving.answering.question import Question
from serving.policy.placement_request import placed_answer
from serving.protocol.messages import Answer, RecommendedItem
from tillside.policy import ModelCandidates, Placement
from tillside.policy.proposals import listed

log = logging.getLogger("serving")
Ints = npt.NDArray[np.int64]


class MakeAnswer(Protocol):
    """Builds the fields common to all answers of a recommender."""

    def __call__(
        self, question: Question, items: list[RecommendedItem], tier: Tier, reason: Reason | None, intent: float | None
    ) -> Answer:
        """Answer to ``question``."""
        ...


class Placer:
    """Answers placement requests of one recommender.

    Args:
        nearest: maps items and session items to each item's nearest session item.
        items: number of items that have a vector.
    """

    def __init__(
        self, ladder: Ladder, *, answer: MakeAnswer, nearest: Callable[[Ints, Ints], Ints], items: int
    ) -> None:
        self._ladder = ladder
        self._answer = answer
        self._nearest = nearest
        self._items = items

    def rungs(self, question: Question) -> Iterator[ModelCandidates]:
        """Candidates of the fallback tiers, best tier first."""
        assert question.asked is not None
        yield from self._ladder.rungs(question.session_L, ask=question.ask)
        static = question.asked.assortment.static
        if len(static):
            yield listed(static, "static")

    def placed(
        self,
        question: Question,
        given: Iterable[ModelCandidates],
        *,
        reason: Reason | None,
        intent: float | None = None,
        failure: str | None = None,
        spent: tuple[float | None, float | None] = (None, None),
    ) -> Outcome:
        """Placement from the first of ``given`` of which the policy shows any item, else from no candidates.

        Args:
            spent: encode and search seconds of the question's batch.
        """
        start = time.perf_counter()
        asked = question.asked
        assert asked is not None
        tier: Tier = "model"
        try:
            placement: Placement | None = None
            for model in given:
                placement = asked.place(model, intent)
                if placement.items:
                    tier = model.tier
                    break
            placement = placement or asked.place(None, intent)
            tier = tier if placement.items else "empty"
            answer = self._answer(question, [], tier, reason, intent)
            because = self._because(placement, question.seen_L)
            answer = placed_answer(asked, placement, answer=answer, because=because)
        except Exception as error:
            log.error("a placement failed", exc_info=True)
            answer = self._answer(question, [], "empty", "model_failed", None)
            return Outcome(answer, *spent, failure=type(error).__name__)
        seconds = time.perf_counter() - start
        return Outcome(answer, *spent, failure=failure, policy_seconds=seconds, dropped=placement.dropped)

    def _because(self, placement: Placement, seen_L: Ints) -> dict[int, int]:
        """Nearest item of session or history, for each placed item that came from the model alone."""
        items = [placed.item for placed in placement.items if placed.source == "model" and placed.item < self._items]
        if not items or not len(seen_L):
            return {}
        return dict(zip(items, self._nearest(np.array(items), seen_L).tolist(), strict=True))
