"""An answer with its timings and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from serving.protocol.messages import Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and its measurements for the metrics; times are None for stages that did not run.

    Attributes:
        encode_seconds, search_seconds: duration of the request's whole batch.
        queue_seconds: time the request waited for its batch.
        policy_seconds: duration of the request's placement.
        failure: why the model failed on the request; None if it did not.
        dropped: number of the placement's candidates that each rule removed.
        propensities: probability of each item in its slot, given those before; None where nothing was drawn.
    """

    answer: Answer
    encode_seconds: float | None = None
    search_seconds: float | None = None
    queue_seconds: float | None = None
    failure: str | None = None
    policy_seconds: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    propensities: Sequence[float] | None = None


def with_remembered(outcome: Outcome, events: int | None) -> Outcome:
    """The outcome saying how many events of its shopper's visit were remembered; as it is where the request brought a
    session of its own."""
    if events is None:
        return outcome
    return replace(outcome, answer=structs.replace(outcome.answer, remembered_events=events))
