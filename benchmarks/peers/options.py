"""What a comparison is run with: options that every peer shares, and settings that each may choose for itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Options:
    """What the caller decides, equal for every peer."""

    system: str
    budget_seconds: float
    dim: int
    layers: int
    heads: int
    length: int
    batch: int
    threads: int
    seed: int
    patience: int
    trials: int
    """Trials of the search; 0 takes the first settings of the peer's grid."""
    clock: Literal["wall", "cpu"]
    """What budgets and rates count: seconds on the wall, or processor seconds, which a busy machine leaves alone."""
    speed_only: bool
    """Train for the budget with the first settings and answer nothing."""
    repeats: bool
    """Lists may hold what the prefix holds. Where shoppers hardly ever return to an item
    (``training.learning.recipe.RARE``) they may not: the libraries have a filter for that."""
    settings: Mapping[str, Any] | None = None
    """Settings to train with; there is no search then."""


@dataclass(frozen=True)
class Settings:
    """What a peer may choose for itself."""

    loss: str
    dropout: float
    rate: float
    """Learning rate."""
    negatives: int
