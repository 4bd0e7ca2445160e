"""One placement from candidates to an answer: which rung's candidates count, and what is said of each item.

A policy that fails on a request shows nothing: a rule that was not applied is worse than an empty place in a page.
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

log = logging.getLogger("serving")
Ints = npt.NDArray[np.int64]


class MakeAnswer(Protocol):
    """What every answer of a recommender says."""

    def __call__(
        self, question: Question, items: list[RecommendedItem], tier: Tier, reason: Reason | None, intent: float | None
    ) -> Answer:
        """The answer."""
        ...


class Placer:
    """Answers the placements of one recommender.

    Args:
        nearest: for each item the nearest item of a session.
        items: so many items have a vector.
    """

    def __init__(
        self, ladder: Ladder, *, answer: MakeAnswer, nearest: Callable[[Ints, Ints], Ints], items: int
    ) -> None:
        self._ladder = ladder
        self._answer = answer
        self._nearest = nearest
        self._items = items

    def rungs(self, question: Question) -> Iterator[ModelCandidates]:
        """What stands in for the model, the best rung first."""
        assert question.asked is not None
        yield from self._ladder.rungs(question.session_L, ask=question.ask)
        static = question.asked.assortment.static
        if len(static):
            yield ModelCandidates(static, np.arange(len(static), 0, -1, dtype=np.float32), "static")

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
        """What the policy makes of the first candidates of which it shows any, or of none.

        Args:
            spent: how long the question's batch was encoded and searched.
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
        """The nearest item of the session, or of what came before it, for each that came from the model alone."""
        items = [placed.item for placed in placement.items if placed.source == "model" and placed.item < self._items]
        if not items or not len(seen_L):
            return {}
        return dict(zip(items, self._nearest(np.array(items), seen_L).tolist(), strict=True))
