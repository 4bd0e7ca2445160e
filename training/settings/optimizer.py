"""Learning rate, weight decay and clipping: the keys ``optimizer``."""

import math
from dataclasses import dataclass

LEAST = 1e-12
"""Of the learning rate and the norm of gradients: below it no weight moves."""


@dataclass
class OptimizerConfig:
    """AdamW with linear warm-up and cosine decay; sparse Adam for the item table where LossConfig says so."""

    learning_rate: float = 1e-2
    """The highest, after the warm-up."""
    weight_decay: float = 0.01
    """Applied to matrices only. A sparsely updated item table has none; its vectors are normalised anyway."""
    warmup_share: float = 0.05
    """Share of all steps in which the learning rate rises from 0; it decays in the others."""
    clip_norm: float = 1.0
    """Gradients of a larger global norm are scaled down to it."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"optimizer.{name} must be above 0 and finite, got {getattr(self, name)}")
            if getattr(self, name) < LEAST:
                raise ValueError(f"optimizer.{name} must be at least {LEAST:g}, got {getattr(self, name)}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"optimizer.weight_decay must not be negative, got {self.weight_decay}")
        if self.learning_rate <= 1 and self.weight_decay * self.learning_rate >= 1:
            raise ValueError(
                f"optimizer.weight_decay must be below 1 / optimizer.learning_rate ({1 / self.learning_rate:g}), since "
                f"a step takes learning_rate * weight_decay of each weight away, got {self.weight_decay:g}"
            )
        if not 0 <= self.warmup_share < 1:
            raise ValueError(f"optimizer.warmup_share must be in [0, 1), got {self.warmup_share}")
