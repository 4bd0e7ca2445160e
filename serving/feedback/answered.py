"""What an answer becomes in the log: an exposure."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET

from serving.answering.outcome import Outcome
from serving.protocol.messages import PlacedAnswer, RecommendRequest
from tillside.feedback.exposures import Exposure, Slot


class Answered(NamedTuple):
    """An answer that was given: all that the answering thread puts down.

    Attributes:
        seconds: when, since the epoch.
        request: None of one that was answered unread.
        placement: of a page with several the one that was answered.
    """

    seconds: float
    request: RecommendRequest | None
    placement: str | None
    outcome: Outcome


def exposure_of(answered: Answered, hashed: Callable[[str], str]) -> Exposure:
    """The exposure of an answer; ``hashed`` makes what is written of a shopper's or session's key."""
    request, outcome = answered.request, answered.outcome
    answer = outcome.answer
    shopper = None if request is None or request.shopper_id is UNSET else hashed(request.shopper_id)
    session = None if request is None or request.session_id is UNSET else hashed(request.session_id)
    placed = answer if isinstance(answer, PlacedAnswer) else None
    propensities = outcome.propensities or [1.0] * len(answer.items)
    slots = [
        Slot(item.item_id, position, item.source, item.because, propensity)
        for position, (item, propensity) in enumerate(zip(answer.items, propensities, strict=True), 1)
    ]
    segment = placed.segment if placed else request.segment if request and request.segment is not UNSET else None
    return Exposure(
        recommendation_id=answer.recommendation_id,
        time=int(answered.seconds * 1000),
        tier=answer.tier,
        slots=slots,
        shopper=shopper,
        session=session,
        placement=answered.placement,
        reason=answer.degraded_reason,
        mode=placed.mode if placed else None,
        intent=answer.purchase_intent,
        segment=segment,
        experiment=None if answer.experiment is UNSET else answer.experiment,
        arm=None if answer.arm is UNSET else answer.arm,
        policy=placed.policy if placed else None,
        model=answer.model_version,
        anonymous=shopper is None,
    )
