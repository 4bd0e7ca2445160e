"""The next-item loss: the group ``loss``."""

import math
from dataclasses import dataclass
from enum import Enum

MOST_DRAWN = 1_000_000
"""Negatives of a batch; beyond, the full softmax costs less."""
MOST_INTENT = 1000
"""Weight of the purchase intent beside which the next item would no longer be learned."""
LEAST_RECENCY = 0.001
"""Time constant as a share of the log; with a smaller one hardly a session but the newest would be learned from."""


class Softmax(Enum):
    """Which items a target's logit is normalised over."""

    auto = "auto"
    full = "full"
    sampled = "sampled"


@dataclass
class LossConfig:
    """The next-item loss, its pool of negatives if sampled, and the weights of its terms.

    With the sampled softmax a step computes only the rows of the item table that occur in its batch and its pool.
    """

    softmax: Softmax = Softmax.auto
    """auto: full up to ``full_up_to_items`` trained items, sampled above."""
    full_up_to_items: int = 20_000
    """Above this, the full softmax costs several times as much and ranks no better."""
    sparse_from_items: int = 200_000
    """Items from which the optimizer updates only those rows of the item table that a sampled batch touches; below, all
    of them, which is cheap there and keeps their momentum going."""
    pool: int = 1536
    """Negatives drawn per batch and shared by all its targets."""
    uniform_share: float = 1.0
    """Share of the pool drawn uniformly; the rest is drawn in proportion to items' training counts."""
    intent_weight: float = 1.0
    """Weight of the purchase-intent loss beside the next-item loss; features that predict intent help ranking too."""
    look_ahead: float = 0.5
    """Weight look_ahead ** n of a stronger behaviour (cart, purchase, ...) that comes n events after the next event of
    the session, which itself has weight 1; 0: only the next event is learned."""
    recency: float | None = None
    """Time constant, as a share of the log, of the exponential decay of sessions' weights with age; 0: equal weights.
    null: the time constant of session kNN, chosen on validation before training starts."""

    def __post_init__(self) -> None:
        if self.pool < 1:
            raise ValueError(f"loss.pool must be at least 1, got {self.pool}")
        if self.pool > MOST_DRAWN:
            raise ValueError(f"loss.pool must be at most {MOST_DRAWN}, got {self.pool}")
        for name in ("full_up_to_items", "sparse_from_items"):
            if getattr(self, name) < 0:
                raise ValueError(f"loss.{name} must be at least 0, got {getattr(self, name)}")
        if not 0 < self.uniform_share <= 1:
            raise ValueError(f"loss.uniform_share must be above 0 and at most 1, got {self.uniform_share}")
        if not 0 <= self.intent_weight < math.inf:
            raise ValueError(f"loss.intent_weight must be finite and not negative, got {self.intent_weight}")
        if self.intent_weight > MOST_INTENT:
            raise ValueError(f"loss.intent_weight must be at most {MOST_INTENT}, got {self.intent_weight}")
        if not 0 <= self.look_ahead <= 1:
            raise ValueError(f"loss.look_ahead must be from 0 to 1, got {self.look_ahead}")
        if self.recency is not None and not 0 <= self.recency < math.inf:
            raise ValueError(f"loss.recency must be null, or finite and not negative, got {self.recency}")
        if self.recency and self.recency < LEAST_RECENCY:
            raise ValueError(f"loss.recency must be null, 0 or at least {LEAST_RECENCY}, got {self.recency}")
