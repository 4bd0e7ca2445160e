"""Rows of encoded sessions, as the encoder takes them.

Shapes: B rows, L events of the longest; C behaviours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_PAST: Final = 500
"""Latest kept events of a shopper's earlier sessions that item counts cover, the row's ``history`` included."""
NOTHING: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded rows.

    Attributes:
        items_BL, behaviours_BL, gaps_BL: int64.
        lengths_B: events in each row; the rest is padding.
        own_B: how many of those, the last ones, belong to the session itself; the ones before belong to the shopper's
            earlier sessions.
        past: per row the items of up to MOST_PAST events of earlier sessions; empty if no row has any.
        met: per row the behaviours of all events of the session itself, those of items without a vector among them;
            empty where the row's own events are all that is counted.
    """

    items_BL: npt.NDArray[np.int64]
    behaviours_BL: npt.NDArray[np.int64]
    gaps_BL: npt.NDArray[np.int64]
    lengths_B: npt.NDArray[np.int64]
    own_B: npt.NDArray[np.int64]
    past: Sequence[npt.NDArray[np.int64]] = ()
    met: Sequence[npt.NDArray[np.int64]] = ()

    def before(self, row: int) -> npt.NDArray[np.int64]:
        """Items of the shopper's earlier sessions, oldest first; may be empty."""
        return self.past[row] if self.past else NOTHING

    def session(self, row: int) -> npt.NDArray[np.int64]:
        """Items of the session itself, oldest first; may be empty."""
        length = self.lengths_B[row]
        return self.items_BL[row, length - self.own_B[row] : length]

    def counted(self, behaviours: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """How many events of each behaviour a session holds [B, C], and the behaviour of the latest [B], -1 without
        any; earlier sessions are not counted.

        Args:
            behaviours: C.
        """
        met = self.met
        if not met:
            ends, own = self.lengths_B.tolist(), self.own_B.tolist()
            met = [row[max(0, end - n) : end] for row, end, n in zip(self.behaviours_BL, ends, own, strict=True)]
        counts_BC = np.zeros((len(met), behaviours), np.int64)
        for counts_C, kinds in zip(counts_BC, met, strict=True):
            counts_C[:] = np.bincount(kinds, minlength=behaviours)
        return counts_BC, np.array([kinds[-1] if len(kinds) else -1 for kinds in met], np.int64)
