"""What becomes of a shopper's wish to be forgotten in a server: an order on disk, then every worker, then the log."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from serving.feedback.erasing import Eraser, Orders, order_of
from serving.protocol.errors import ProblemError
from serving.settings import Settings
from tillside.feedback.forgetting import Order

log = logging.getLogger("serving")


class Forgetting:
    """Takes orders to forget of one server; :meth:`close` it.

    Args:
        forget: makes the processes that answer forget; returns how many events went.
        registry: takes the metrics.
    """

    def __init__(
        self, settings: Settings, forget: Callable[[Order], Awaitable[int]], *, registry: CollectorRegistry
    ) -> None:
        self._salt = settings.feedback_salt
        self._shared = settings.shoppers_url is not None
        self._forget = forget
        self._asked = Counter("tillside_forget_asked", "Orders to forget that were taken.", registry=registry)
        self._lock = asyncio.Lock()
        self._orders: Orders | None = None
        self._eraser: Eraser | None = None
        if isinstance(settings.feedback, Path):
            self._orders = Orders(settings.feedback)
            self._eraser = Eraser(settings.feedback, registry=registry)

    async def take(self, shopper_id: str) -> dict[str, Any]:
        """Forget a shopper; returns the report.

        Raises:
            ProblemError: 409, nothing is kept here that could be forgotten; 503, the order is not durable.
        """
        if self._orders is None and not self._shared:
            detail = "this server keeps nothing of shoppers that it could forget: it has no --feedback DIR"
            raise ProblemError(HTTPStatus.CONFLICT, "nothing-kept", detail)
        order = order_of(shopper_id, self._salt, now_ms=int(time.time() * 1000))
        try:
            pending = await self._keep(order)
            events = await self._forget(order)
        except (OSError, ValueError) as error:
            log.error("an order to forget cannot be kept: %s", error)
            detail = "the order could not be made durable; send it again"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-kept", detail) from None
        self._asked.inc()
        return {"time_ms": order.time, "forgotten_events": events, "pending_orders": pending}

    async def _keep(self, order: Order) -> int:
        """Make an order durable in the folder, if there is one; returns how many wait there."""
        if self._orders is None or self._eraser is None:
            return 0
        async with self._lock:
            await asyncio.to_thread(self._orders.take, order)
        self._eraser.want()
        return await asyncio.to_thread(self._eraser.pending)

    def close(self) -> None:
        """End what is under way; it goes on at the next start."""
        if self._eraser is not None:
            self._eraser.close()
        if self._orders is not None:
            with contextlib.suppress(OSError):
                self._orders.close()
