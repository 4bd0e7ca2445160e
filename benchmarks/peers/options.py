"""Parameters of a comparison: options that all peers share, and settings that each chooses for itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Options:
    """Chosen by the caller, equal for every peer."""

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
    """What budgets and rates count: wall-clock seconds, or CPU seconds, which a busy machine leaves alone."""
    speed_only: bool
    """Train for the budget with the first settings and answer nothing."""
    repeats: bool
    """Whether lists may hold items of the prefix. Not where shoppers hardly ever return to an item
    (``training.learning.training_setup.RARE``): the libraries have a filter for that."""
    settings: Mapping[str, Any] | None = None
    """Settings to train with, instead of a search."""


@dataclass(frozen=True)
class Settings:
    """Hyperparameters that a peer may choose for itself."""

    loss: str
    dropout: float
    rate: float
    """Learning rate."""
    negatives: int
