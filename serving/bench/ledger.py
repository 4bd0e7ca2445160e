"""Record of each request of a load: when it was due, taken up, sent and done, and its result.

Latency is measured from the moment a request was *due*. Measured from the moment it was sent, it would omit the
requests that could not be sent while the server stalled, and show a stall of a second as one slow request (coordinated
omission).

Shapes: R requests of the schedule.
"""

from collections import Counter

import numpy as np
import numpy.typing as npt


class Ledger:
    """Per-request columns; times are in seconds from the start, NaN if the event has not happened.

    Attributes:
        due_R: when each request is scheduled to be sent.
        taken_R: when the generator took it up.
        sent_R: when it was sent, on a free connection.
        done_R: when it was answered or failed.
        status_R: HTTP status; 0 without a response.
        error_R, tier_R, reason_R: indices into ``names``; 0 is the empty name.
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
        """Record a complete response."""
        self.done_R[request] = at
        self.status_R[request] = status
        self.tier_R[request] = self._number(tier)
        self.reason_R[request] = self._number(reason)

    def failed(self, request: int, *, at: float, error: str, status: int = 0) -> None:
        """Record a request without a usable response; ``error`` names the kind."""
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
        """Mask of the requests that were taken up [R]; a load that was stopped early skips the rest."""
        taken_R: npt.NDArray[np.bool_] = ~np.isnan(self.taken_R)
        return taken_R

    def count(self, column_R: npt.NDArray[np.int16], chosen_R: npt.NDArray[np.bool_]) -> dict[str, int]:
        """Count of each name in ``error_R``, ``tier_R`` or ``reason_R``, most common first, without the empty one."""
        counted = Counter(column_R[chosen_R].tolist())
        return {self.names[number]: times for number, times in counted.most_common() if number}

    def latency_ms(self) -> npt.NDArray[np.float64]:
        """Milliseconds from due to done of the answered requests, whatever their status, in schedule order."""
        return (self.done_R - self.due_R)[self.status_R > 0] * 1000

    def undegraded(self) -> npt.NDArray[np.bool_]:
        """Mask of the requests answered with 200 and no degradation reason [R]."""
        good_R: npt.NDArray[np.bool_] = (self.status_R == 200) & (self.error_R == 0) & (self.reason_R == 0)
        return good_R
