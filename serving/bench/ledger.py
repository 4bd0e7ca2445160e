"""What became of each request: when it was due, taken up, sent and done, and how it ended.

Latency is counted from the moment a request was *due*. A generator that counts from the moment it sent forgets the
requests it could not send while the server stalled, and shows a stall of a second as one slow request (coordinated
omission).

Shapes: R requests of the schedule.
"""

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

NOT_DONE: Final = 0


class Ledger:
    """Times are seconds from the start; NaN for what has not happened.

    Attributes:
        due_R: when each request should go out.
        taken_R: when the generator got round to it.
        sent_R: when a connection was free and it went out.
        done_R: when it was answered, or had failed.
        status_R: HTTP status; 0 without an answer.
        error_R, tier_R, reason_R: numbers into ``names``; 0 is the empty name.
    """

    def __init__(self, due_R: npt.NDArray[np.float64]) -> None:
        size = len(due_R)
        self.due_R = due_R
        self.taken_R, self.sent_R, self.done_R = (np.full(size, np.nan) for _ in range(3))
        self.status_R = np.zeros(size, np.int16)
        self.error_R, self.tier_R, self.reason_R = (np.zeros(size, np.int16) for _ in range(3))
        self.names = [""]
        self._numbers = {"": 0}

    def answered(self, request: int, *, at: float, status: int, tier: str = "", reason: str = "") -> None:
        """The whole answer has come."""
        self.done_R[request] = at
        self.status_R[request] = status
        self.tier_R[request] = self._number(tier)
        self.reason_R[request] = self._number(reason)

    def failed(self, request: int, *, at: float, error: str, status: int = 0) -> None:
        """No answer will come, or none that can be used; ``error`` names the kind."""
        self.done_R[request] = at
        self.status_R[request] = status
        self.error_R[request] = self._number(error)

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        return number

    def taken(self) -> npt.NDArray[np.bool_]:
        """Which requests went on their way at all; a load that was stopped leaves the rest out."""
        taken_R: npt.NDArray[np.bool_] = ~np.isnan(self.taken_R)
        return taken_R

    def count(self, column_R: npt.NDArray[np.int16], chosen_R: npt.NDArray[np.bool_]) -> dict[str, int]:
        """How often each name of ``error_R``, ``tier_R`` or ``reason_R`` occurs; the empty one is left out."""
        counted = Counter(column_R[chosen_R].tolist())
        return {self.names[number]: times for number, times in counted.most_common() if number}

    def latency_ms(self) -> npt.NDArray[np.float64]:
        """From due to done, of the requests that were answered, whatever the status; in the order they were due."""
        return (self.done_R - self.due_R)[self.status_R > 0] * 1000

    def undegraded(self) -> npt.NDArray[np.bool_]:
        """Which requests got a 200 that is not called degraded [R]."""
        good_R: npt.NDArray[np.bool_] = (self.status_R == 200) & (self.error_R == 0) & (self.reason_R == 0)
        return good_R
