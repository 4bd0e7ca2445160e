"""Circuit breaker: consecutive failures open it, nothing is sent for a while, then one probe request is admitted.

Every admission issues a ticket, and an outcome counts only while its ticket is current: a request sent before the
circuit opened cannot close it, however late its answer arrives.
"""

import threading
import time
from collections.abc import Callable


class Breaker:
    """A thread-safe circuit breaker; several clients of one server may share it.

    Args:
        failures: consecutive failures that open the circuit.
        open_seconds: seconds it stays open before one probe request is admitted.
        clock: monotonic time in seconds.

    Raises:
        ValueError: ``failures`` is below 1, or ``open_seconds`` is not positive.
    """

    def __init__(
        self, *, failures: int = 5, open_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failures < 1:
            raise ValueError(f"failures must be at least 1, got {failures}")
        if not open_seconds > 0:
            raise ValueError(f"open_seconds must be positive, got {open_seconds}")
        self._most = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Reset to closed, with a new lock: for forked children, where a copied lock may never be released."""
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._trying = False
        self._ticket = 0

    def admit(self) -> int | None:
        """Ticket to send one request, or None while the circuit is open. Every ticket must be reported."""
        with self._lock:
            if self._opened_at is None:
                return self._ticket
            if self._trying or self._clock() - self._opened_at < self._open_seconds:
                return None
            self._trying = True
            self._ticket += 1
            return self._ticket

    def report(self, ticket: int, *, answered: bool | None) -> None:
        """Report the outcome of a ticket.

        Args:
            answered: True if the server answered, False if it failed, None if unknown.
        """
        with self._lock:
            if ticket != self._ticket:
                return
            if answered:
                self._failures, self._opened_at, self._trying = 0, None, False
            elif answered is None:
                self._trying = False
            else:
                self._failures += 1
                if self._trying or self._failures >= self._most:
                    self._opened_at, self._trying = self._clock(), False
                    self._ticket += 1
