"""An answer and what was measured on the way to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.protocol.messages import Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and what the metrics want to know about it; times are None for what was not run.

    Attributes:
        encode_seconds, search_seconds: how long the request's batch took.
        queue_seconds: how long the request waited for its batch.
        policy_seconds: how long the request's placement took.
        failure: why the model gave nothing although it was asked, or None.
        dropped: candidates of the placement that each rule kept out.
    """

    answer: Answer
    encode_seconds: float | None = None
    search_seconds: float | None = None
    queue_seconds: float | None = None
    failure: str | None = None
    policy_seconds: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
