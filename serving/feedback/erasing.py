"""A shopper asks to be forgotten: the order is made durable, and a process of its own carries it out on the log.

That process (serving.feedback.forget) may be killed at any moment, since what it has not done stays asked for: the
next one is started with this process, or a minute after it gave up.
"""

import json
import logging
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from serving.feedback.forget import pending_orders
from serving.telemetry.logs import log_bug, log_event
from tillside.cli.modules import module_command
from tillside.cli.secrets import without_secrets
from tillside.feedback.forgetting import FORGOTTEN, Order, digest_of, encode_order
from tillside.feedback.segments import SegmentWriter
from tillside.feedback.subjects import hashed

log = logging.getLogger("serving")

AGAIN_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0


def order_of(shopper: str, salt: bytes | None, *, now_ms: int) -> Order:
    """The order to forget a shopper's key in each form in which it may have been kept: plain, and hashed."""
    forms = [shopper] if salt is None else [shopper, hashed(shopper, salt)]
    return Order([digest_of(form).hex() for form in forms], now_ms)


class Orders:
    """Takes orders to forget for a feedback folder. Not for several threads at once."""

    def __init__(self, feedback: Path) -> None:
        self._writer = SegmentWriter(feedback / FORGOTTEN)

    def take(self, order: Order) -> None:
        """Make an order durable.

        Raises:
            OSError: it is not.
        """
        self._writer.append([encode_order(order)])
        self._writer.sync()

    def close(self) -> None:
        """Let go of the folder."""
        self._writer.close()


class Eraser:
    """Carries out the orders of a feedback folder, in a process of its own, whenever there are some.

    Args:
        registry: takes the metrics.
        command: starts that process.
    """

    def __init__(self, feedback: Path, *, registry: CollectorRegistry, command: Iterable[str] | None = None) -> None:
        self._feedback = feedback
        self._command = [*(command or module_command("serving.feedback.forget", str(feedback), "--json"))]
        self._orders = Counter("tillside_forget_orders", "Orders to forget that were carried out.", registry=registry)
        self._records = Counter("tillside_forget_records", "Records that left the log on request.", registry=registry)
        self._pending = Gauge(
            "tillside_forget_pending", "Orders to forget that the log has not followed yet.", registry=registry
        )
        self._wanted, self._stopping = threading.Event(), False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="eraser", daemon=True)
        self._wanted.set()  # what an earlier process left undone
        self._thread.start()

    def want(self) -> None:
        """There is something to carry out."""
        self._wanted.set()

    def pending(self) -> int:
        """Number of orders that the log has not followed yet.

        Raises:
            OSError: the folder cannot be read.
        """
        found = len(pending_orders(self._feedback)[0])
        self._pending.set(found)
        return found

    def close(self) -> None:
        """End the thread and its process; what that has not done stays asked for."""
        self._stopping = True
        self._wanted.set()
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        pause: float | None = None
        while True:
            self._wanted.wait(pause)
            self._wanted.clear()
            if self._stopping:
                return
            try:
                pause = AGAIN_SECONDS if self.pending() and not self._carry_out() else None
            except OSError as error:
                log.error("orders to forget cannot be carried out: %s", error.strerror or error)
                pause = AGAIN_SECONDS
            except Exception as error:
                log_bug(error)
                pause = AGAIN_SECONDS

    def _carry_out(self) -> bool:
        """Whether all that was pending is done."""
        started = time.perf_counter()
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self._process = process
            said, failed = process.communicate()
            self._process = None
        if self._stopping:
            return False
        if process.returncode:
            reason = without_secrets(failed.decode(errors="replace").strip().rpartition("\n")[2])
            log.error("orders to forget were not carried out: %s", reason or f"it ended with {process.returncode}")
            return False
        done = json.loads(said)
        self._orders.inc(done["orders"])
        self._records.inc(done["records"])
        log_event(log, logging.INFO, "forgotten", milliseconds=round((time.perf_counter() - started) * 1e3), **done)
        return not self.pending()
