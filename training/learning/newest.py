"""What a refit cannot learn of the newest part: items that were too rare in the training part to have a vector.

Which items are trained is decided on the training part alone, so that validation judges what a model of its day could
know; the refit keeps the catalogue. New items are ranked by their attributes, or not at all, until the next training.

Shapes: S sessions and E events of the newest part.
"""

from dataclasses import dataclass

import numpy as np

from tillside.dataset import Dataset


@dataclass(frozen=True)
class NotLearned:
    """Of the validation part: untrained items met there, their share of its events, and the sessions that hold fewer
    than two events of trained items, so that no target is left."""

    items: int
    events_share: float
    sessions: int

    @classmethod
    def of(cls, dataset: Dataset) -> "NotLearned":
        """What a refit on a data set leaves out."""
        newest = dataset.part("validation")
        items = np.asarray(newest.items)
        known_E = items < dataset.catalogue.trained
        known_before = np.concatenate([[0], np.cumsum(known_E)])
        known_S = np.diff(known_before[np.asarray(newest.offsets)])
        share = float((~known_E).mean()) if len(items) else 0.0
        return cls(len(np.unique(items[~known_E])), share, int((known_S < 2).sum()))

    def sentence(self) -> str:
        """For people; empty where nothing is left out."""
        if not self.items:
            return ""
        return (
            f"of the validation part the refit cannot learn {self.items:,} untrained items ({self.events_share:.1%} of "
            f"its events) and {self.sessions:,} sessions that hold fewer than two trained ones"
        )
