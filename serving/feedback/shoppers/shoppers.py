"""Who a server asks for a shopper's visit, wherever that is kept."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

from serving.feedback.shoppers.follower import Follower
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.shoppers.recalls import Recalls
from serving.feedback.shoppers.visits import Visits
from serving.protocol.messages import Event
from tillside.feedback.forgetting import Order, digest_of
from tillside.feedback.subjects import as_kept


class Shoppers(Protocol):
    """Visits of shoppers."""

    async def find(self, shopper_id: str) -> list[Event] | None:
        """Events of a shopper's visit, oldest first, with their kinds as behaviours; None if there is none."""
        ...

    async def forget(self, order: Order) -> int:
        """Forget a shopper; returns how many events went. OSError where that cannot be done."""
        ...

    def wait(self, seconds: float) -> None:
        """Return once the log has been read as it was at the start, or after so long."""
        ...


class MemoryShoppers:
    """Visits in this process's memory, which follow the log in a folder.

    Args:
        salt: hashes the keys in the log; None if they stand there as they came.
    """

    def __init__(
        self,
        feedback: Path,
        limits: VisitLimits,
        *,
        salt: bytes | None,
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._salt = salt
        self._clock = clock
        self._visits = visits = Visits(limits)
        for name, text, value in (
            ("tillside_shoppers", "Shoppers whose visit is remembered.", lambda: len(visits)),
            ("tillside_shoppers_events", "Events of the visits that are remembered.", lambda: visits.events),
            ("tillside_shoppers_made_room", "Visits that ended since there were too many.", lambda: visits.made_room),
            ("tillside_shoppers_forgotten", "Visits that were forgotten on request.", lambda: visits.forgotten),
        ):
            Gauge(name, text, registry=registry).set_function(value)
        self._recalls = Recalls(registry)
        self._follower = Follower(
            self._visits, feedback, gap_minutes=limits.gap_minutes, registry=registry, clock=clock
        )

    async def find(self, shopper_id: str) -> list[Event] | None:
        """See :class:`Shoppers`; it never waits."""
        kept = as_kept(shopper_id, self._salt)
        return self._recalls.note(self._visits.find(digest_of(kept), now_ms=int(self._clock() * 1000)))

    async def forget(self, order: Order) -> int:
        """See :class:`Shoppers`."""
        return self._follower.forget(order)

    def wait(self, seconds: float) -> None:
        """See :class:`Shoppers`."""
        self._follower.caught_up.wait(seconds)

    def close(self) -> None:
        """End the following."""
        self._follower.close()
