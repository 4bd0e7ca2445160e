"""Settings of ``training.policy``."""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from training.settings.tracking import TrackingConfig


class Action(Enum):
    """What to do with a policy."""

    check = "check"
    preview = "preview"
    diff = "diff"


@dataclass
class PolicyConfig:
    """Which policy to check, to show or to compare, and on which shop."""

    do: Action = Action.check
    """What to do; may be typed as the first word, without do=."""
    policy: str | None = None
    """Policy file, or the name of one that ships."""
    before: str | None = None
    """For diff: the policy file before the change."""
    run: str | None = None
    """A run's id, for preview and diff: its model proposes, on the data set it was trained on."""
    dataset: str | None = None
    """For check: the data set whose names are looked up. Default: that of the run."""
    bundle: str | None = None
    """For check, instead of a data set: a bundle."""
    relations: str | None = None
    """A folder that training.relate wrote. Default: the data set's or the bundle's own, if it has any."""
    by_hand: str | None = None
    """What a server's merchandisers set beside the file: its --state folder, or a file with what GET /v1/merchandising
    answered. Default: nothing."""
    items_feed: str | None = None
    """An items feed of the shop. Default: none, stock unknown."""
    sessions: int = 20
    """For preview and diff: how many sessions of the test part, half of them right after something was put into the
    cart."""
    placement: str | None = None
    """For preview and diff: only this placement. Default: all."""
    day: str | None = None
    """Day that rules with dates are tried at, such as 2026-11-11. Default: that of each session, for check today."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.policy is None:
            raise ValueError("policy must be given, as policy=FILE")
        if self.do is Action.check and not (self.dataset or self.bundle or self.run):
            raise ValueError("a policy is checked against a shop: dataset=DIR, bundle=DIR or run=RUN_ID must be given")
        if self.dataset and self.bundle:
            raise ValueError("either dataset or bundle must be given, not both")
        if self.do is not Action.check and self.run is None:
            raise ValueError(f"{self.do.name} asks a run's model: run must be given, as run=RUN_ID or run=latest")
        if (self.do is Action.diff) != (self.before is not None):
            raise ValueError("before is for diff and diff needs it, as in: diff policy=FILE before=OTHER_FILE")
        if not 1 <= self.sessions <= 1000:
            raise ValueError(f"sessions must be from 1 to 1000, got {self.sessions}")
        if self.day is not None:
            try:
                date.fromisoformat(self.day)
            except ValueError:
                raise ValueError(f"day must be a date such as 2026-11-11, got {self.day!r}") from None
