"""What an answer becomes in the log: an exposure.

Of an answer that was left to chance the request may be kept, so that another policy can be asked it again: without
keys, for a share of the answers that is chosen by their ids alone, and never one that is long.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, structs

from serving.answering.outcome import Outcome
from serving.protocol.messages import PlacedAnswer, RecommendRequest
from tillside.feedback.exposures import NOT_KEPT, Exposure, Slot

MOST_REQUEST_BYTES: Final = 1 << 15
"""Of a request that is kept: some 500 events."""
ID_DIGITS: Final = 8


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


def exposure_of(answered: Answered, hashed: Callable[[str], str], *, requests: float = 0.0) -> Exposure:
    """The exposure of an answer.

    Args:
        hashed: makes what is written of a shopper's or session's key.
        requests: share of the answers left to chance whose request is kept.
    """
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
        request=_kept_request(answered, share=requests),
    )


def _kept_request(answered: Answered, *, share: float) -> msgspec.Raw:
    """What was asked, as JSON that names nobody."""
    request, outcome = answered.request, answered.outcome
    if not share or request is None or outcome.propensities is None:
        return NOT_KEPT
    if int(outcome.answer.recommendation_id[:ID_DIGITS], 16) >= share * 16**ID_DIGITS:
        return NOT_KEPT
    time_ms = int(answered.seconds * 1000) if request.timestamp is UNSET else request.timestamp
    left_out = dict.fromkeys(("shopper_id", "session_id", "placements", "names", "explain", "deadline_ms"), UNSET)
    kept = msgspec.json.encode(structs.replace(request, timestamp=time_ms, **left_out))
    return msgspec.Raw(kept) if len(kept) <= MOST_REQUEST_BYTES else NOT_KEPT
