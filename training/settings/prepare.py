"""Settings of ``training.prepare``."""

import dataclasses
from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from training.settings.data import LogConfig, with_feedback
from training.settings.split import SplitBy, SplitConfig

MOST_NAMED = 100
"""Maximum characters of a data set's name."""


class Repeats(Enum):
    """Handling of consecutive events with the same item and behaviour."""

    keep = "keep"
    collapse = "collapse"


@dataclass
class PrepareConfig:
    """Settings of ``training.prepare``."""

    out: str = MISSING
    """The directory to write; it appears whole or not at all, and replaces an older data set."""
    data: LogConfig = MISSING
    feedback: str | None = None
    """The feedback folder, with ``data=feedback``: the log is what serving.collector has kept there."""
    name: str | None = None
    """What runs, reports and lists call the data set. null: the kind of log, such as events."""
    session_gap_minutes: float | None = None
    """A pause of more minutes starts a new session. null: 30 where the log has users and no session ids, no such rule
    where it has session ids."""
    repeats: Repeats = Repeats.keep
    """The same item and behaviour twice in a row: keep, or collapse into the first."""
    max_session_length: int | None = None
    """A longer session is cut into sessions of this many events, a guard against bots. null: no limit."""
    min_item_support: int | None = None
    """An item needs this many events in the training part to be trained. null: 5, or fewer where that would leave less
    than three quarters of the training events in use; 1 for a log whose split is given and for leave_one_out. Training
    sessions lose the other items and then need ``min_session_length`` events; this is one pass, never repeated.
    Validation and test sessions keep all their events."""
    min_session_length: int = 2
    """A training session needs this many events."""
    split: SplitConfig = field(default_factory=SplitConfig)
    max_reject_share: float = 0.01
    """The run fails when a larger share of a file's rows is bad; the others are listed in rejects.csv."""
    holdout_items: float = 0.0
    """A share of the trained items, drawn with ``seed``, loses all its events before the test part: such items are new
    there, and metrics.json says how well new items are ranked. For measuring only."""
    seed: int = 0
    """Of the draw of ``holdout_items``."""

    def resolved(self) -> "PrepareConfig":
        """A copy with every default filled in, save a support that follows from the log itself.

        Raises:
            ValueError: a setting is out of range or does not fit the log.
        """
        data = with_feedback(self.data, self.feedback)
        given = data.split_is_given
        if self.name is not None and not (self.name.isprintable() and 0 < len(self.name.strip()) <= MOST_NAMED):
            raise ValueError(f"name must be null or 1 to {MOST_NAMED} printable characters, got {self.name!r}")
        if self.session_gap_minutes is not None and not self.session_gap_minutes > 0:
            raise ValueError(f"session_gap_minutes must be above 0 or null, got {self.session_gap_minutes}")
        if self.max_session_length is not None and self.max_session_length < 2:
            raise ValueError(f"max_session_length must be at least 2 or null, got {self.max_session_length}")
        if given and (self.session_gap_minutes or self.max_session_length or self.repeats is not Repeats.keep):
            raise ValueError(
                f"session_gap_minutes, max_session_length and repeats cannot be set for data={self.data.name}: "
                "its sessions and cases are given"
            )
        if not self.data.has_clock and self.session_gap_minutes:
            raise ValueError(f"session_gap_minutes must be null for data={self.data.name}, which has no clock")
        split = self.split.resolved(split_is_given=given, has_clock=self.data.has_clock)
        published = split.by in (SplitBy.given, SplitBy.leave_one_out)  # published protocols keep every item
        support = 1 if published and self.min_item_support is None else self.min_item_support
        for name, value in (("min_item_support", support), ("min_session_length", self.min_session_length)):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.holdout_items < 1:
            raise ValueError(f"holdout_items must be at least 0 and below 1, got {self.holdout_items}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if not 0 <= self.max_reject_share <= 1:
            raise ValueError(f"max_reject_share must be between 0 and 1, got {self.max_reject_share}")
        return dataclasses.replace(self, data=data, min_item_support=support, split=split)
