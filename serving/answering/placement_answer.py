"""One placement from candidates to an answer: picks the tier whose candidates are used, and each item's explanation.

If the policy fails on a request the answer is empty: an unapplied rule is worse than an empty slot on a page.

Shapes: L session items, V items that alone are eligible, B behaviours.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from serving.answering.fallbacks import Ladder, Tier
from serving.answering.indexed_request import IndexedRequest
from serving.answering.nearest_item import NearestItem
from serving.answering.outcome import Outcome
from serving.policy.placed_answer import placed_answer
from serving.policy.placement_request import IndexedPlacement
from serving.protocol.messages import Answer, CommonFields
from tillside.policy import ModelCandidates, Placement
from tillside.policy.placing import Retraced
from tillside.policy.proposals import listed

log = logging.getLogger("serving")
NO_FRESH_FEED: Final = (
    "the stock rule of this placement hides every item without a fresh items feed; give one with --items-feed FILE, or "
    "PUT /v1/items on the admin port"
)


def fallback_candidates(ladder: Ladder, question: IndexedRequest) -> Iterator[ModelCandidates]:
    """Candidates of the fallback tiers for a placement, best tier first."""
    assert question.placement is not None
    indexed = question.placement
    eligible_V = None if indexed.prepared.request.among is None else indexed.eligible_V
    yield from ladder.rungs(question.session_L, ask=question.ask, eligible_V=eligible_V)
    static = indexed.assortment.static
    if len(static):
        yield listed(static, "static")


def answer_placement(
    question: IndexedRequest,
    given: Iterable[ModelCandidates],
    common: CommonFields,
    nearest: NearestItem,
    *,
    failure: str | None = None,
    spent: tuple[float | None, float | None] = (None, None),
) -> Outcome:
    """Placement from the first of ``given`` of which the policy shows any item, else from no candidates.

    Args:
        common: the answer's fields beside items and tier; the purchase intent steers the policy.
        nearest: explains what came from the model alone.
        spent: encode and search seconds of the question's batch.
    """
    start = time.perf_counter()
    indexed = question.placement
    assert indexed is not None
    try:
        rng = None
        if indexed.prepared.placement.explore is not None:  # drawn by its id, so that an answer can be drawn again
            rng = np.random.default_rng(int(common["recommendation_id"], 16))
        placement, tier = _first_placed(indexed, given, common["purchase_intent"], rng)
        if not placement.items and indexed.prepared.rulebook.standing.hidden >= 0:
            common = {**common, "hint": NO_FRESH_FEED}
        because = _because(placement, question.seen_L, nearest)
        answer = placed_answer(
            indexed,
            placement,
            tier=tier,
            common=common,
            because=because,
            seen_ids=question.seen_ids,
            names=question.names,
        )
    except Exception as error:
        log.error("a placement failed", exc_info=True)
        common = {**common, "degraded_reason": "model_failed", "purchase_intent": None}
        return Outcome(Answer(items=[], tier="empty", **common), *spent, failure=type(error).__name__)
    seconds = time.perf_counter() - start
    propensities = None if rng is None else [item.propensity for item in placement.items]
    return Outcome(
        answer,
        *spent,
        failure=failure,
        policy_seconds=seconds,
        dropped=placement.dropped,
        propensities=propensities,
    )


def _first_placed(
    indexed: IndexedPlacement, given: Iterable[ModelCandidates], intent: float | None, rng: np.random.Generator | None
) -> tuple[Placement, Tier]:
    """The placement, and the tier that answers for its items."""
    placement: Placement | None = None
    for model in given:
        placement = indexed.place(model, intent, rng)
        if placement.items:
            return placement, model.tier
    placement = placement or indexed.place(None, intent, rng)
    return placement, "model" if placement.items else "empty"


def retrace_placement(
    question: IndexedRequest, given: Iterable[ModelCandidates], intent: float | None, shown: Sequence[str]
) -> Retraced:
    """How probable it is that :func:`answer_placement` answers with the item ids ``shown``."""
    indexed = question.placement
    assert indexed is not None
    tiers = list(given)
    last = tiers[-1] if tiers else None
    model = next((each for each in tiers[:-1] if indexed.place(each, intent).items), last)
    index_of, prepared, assortment = indexed.assortment.facts.index_of, indexed.prepared, indexed.assortment
    return prepared.retrace(
        [index_of.get(item_id, -1) for item_id in shown],
        shelves=assortment.shelves_B[indexed.ask],
        relations=assortment.placed_relations,
        model=model,
        intent=intent,
    )


def _because(placement: Placement, seen_L: npt.NDArray[np.int64], nearest: NearestItem) -> dict[int, int]:
    """Nearest item of session or history, for each placed item that came from the model alone."""
    items = [placed.item for placed in placement.items if placed.source == "model" and placed.item < len(nearest)]
    if not items or not len(seen_L):
        return {}
    return dict(zip(items, nearest.among(np.array(items), seen_L).tolist(), strict=True))
