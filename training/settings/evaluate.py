"""Settings of ``training.evaluate``."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from training.settings.tracking import TrackingConfig


class Baseline(Enum):
    """A recommender that needs no training run."""

    popularity = "popularity"
    session_popularity = "session-popularity"
    covisitation = "covisitation"
    sequential_rules = "sequential-rules"
    item_knn = "item-knn"


BESIDE_A_RUN: Final = (Baseline.covisitation, Baseline.popularity)
"""Judged beside every run."""


@dataclass
class EvaluateConfig:
    """What to evaluate, and on which data set."""

    run: str | None = None
    """A run's id; without one only the baselines are evaluated, on ``dataset``."""
    dataset: str | None = None
    """Default: the data set the run was trained on, where it lay then."""
    baselines: list[Baseline] = field(default_factory=lambda: list(BESIDE_A_RUN))
    """Simple recommenders evaluated on the same cases."""
    bundle: str | None = None
    """An exported bundle of the run, evaluated too, one session at a time as the server answers."""
    policy: str | None = None
    """A policy file: evaluate the placements of the run's model under it, and nothing else."""
    relations: str | None = None
    """With ``policy``: a folder that training.relate wrote. Default: the data set's own, if it has any."""
    items_feed: str | None = None
    """With ``policy``: an items feed of the shop. Default: the catalogue's attributes, stock unknown."""
    feedback: str | None = None
    """With ``policy`` and ``bundle``: a feedback folder whose exposures kept their requests (--feedback-requests of the
    server). The policy is judged by what came of answers that another one left to chance, and needs no run."""
    measured: str | None = None
    """With ``feedback``: the folder that training.measure wrote of it. Default: joined anew, by the usual rules."""
    least_effective: float = 200.0
    """With ``feedback``: effective answers below which nothing is estimated."""
    k: int = 5
    """With ``policy``: items shown at every placement."""
    out: str | None = None
    """Folder for metrics.json; default: print only. For policy.json the run's own, if it is there."""
    seed: int = 0
    """Of the bootstrap."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError(f"baselines names one twice: {', '.join(each.name for each in self.baselines)}")
        if self.feedback is not None:
            if self.policy is None or self.bundle is None or self.run is not None or self.dataset is not None:
                raise ValueError(
                    "feedback judges a policy: policy and bundle must be given, and neither run nor dataset"
                )
            if self.relations is not None:
                raise ValueError("relations are the bundle's where feedback judges: relations must be left out")
            if not self.least_effective >= 1:
                raise ValueError(f"least_effective must be at least 1, got {self.least_effective:g}")
            return
        if self.measured is not None:
            raise ValueError("measured is of a feedback folder: feedback must be given, as feedback=DIR")
        if self.run is None and (self.dataset is None or not self.baselines or self.bundle is not None):
            raise ValueError("run must be given, as run=RUN_ID; without one dataset and baselines, and no bundle")
        if self.policy is not None and (self.run is None or self.bundle is not None):
            raise ValueError("policy is judged with the model of a run: run must be given, and no bundle")
        if self.policy is None and (self.relations is not None or self.items_feed is not None):
            raise ValueError("relations and items_feed are for a policy: policy must be given, as policy=FILE")
        if not 1 <= self.k <= 100:
            raise ValueError(f"k must be from 1 to 100, got {self.k}")
