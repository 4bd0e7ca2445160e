"""What is left of a call on the admin port: a log line of each change and of each refusal, and a count of every call.

Lines name path, status and caller; never the token that was sent, nor what the body held. Refusals are limited by
rate, kind by kind, so that somebody who guesses tokens fills the counter and not the disk.
"""

import logging
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from starlette.requests import Request

from serving.telemetry.logs import LineLimit, log_event

log = logging.getLogger("serving")
PER_SECOND: Final = 1.0
BURST: Final = 10.0


class AdminCalls:
    """Log and count of the calls that want a token."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._count = Counter(
            "tillside_admin_calls",
            "Calls on the admin port that want a token, by path and HTTP status.",
            ["method", "path", "status"],
            registry=self._registry,
        )
        self._limit = LineLimit(per_second=PER_SECOND, burst=BURST)

    def note(self, request: Request, path: str, status: int, kind: str | None, *, seconds: float) -> None:
        """Count a call, and log it unless it only read something.

        Args:
            path: one of a bounded number.
            kind: of the problem that it was refused with, if it was.
        """
        self._count.labels(request.method, path, str(status)).inc()
        fields: dict[str, object] = {}
        if kind is not None:
            admitted = self._limit.admit(status, path)
            if admitted is None:
                return
            fields = {**admitted, "problem": kind}
        elif request.method == "GET":
            return
        level = logging.INFO if kind is None else logging.ERROR if status >= 500 else logging.WARNING
        caller = request.client.host if request.client else None
        log_event(
            log,
            level,
            "admin",
            method=request.method,
            path=path,
            status=status,
            caller=caller,
            milliseconds=round(seconds * 1e3, 3),
            **fields,
        )

    def page(self) -> bytes:
        """The counts as Prometheus text."""
        return generate_latest(self._registry)
