"""Workers as one: an operation is told to all of them at once, and a bundle change to those that answer in turn.

A worker that ends meanwhile is left out, since its replacement gets everything before it accepts a connection; one that
refuses speaks for all.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.bundles.reloading import Report
from serving.policy import revisions
from serving.policy.feeds import FeedReport, packed
from serving.policy.revisions import Revision, TriedOn
from serving.process.channel import Channel
from serving.telemetry.merged_metrics import Samples
from tillside.feedback.forgetting import Order, encode_order
from tillside.policy import ItemsFeed

log = logging.getLogger("serving")


class Child:
    """Parent's view of one worker."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self.process = process
        self.channel = channel
        self.version: str | None = None
        self.samples: Samples = []
        self.heard = time.monotonic()


class Crew:
    """Some workers, as :class:`serving.bundles.reloading.Answerers` and :class:`serving.process.keeping.Wearers`.

    Args:
        children: by slot; those in it at the time of a call are meant.
    """

    def __init__(self, children: Mapping[int, Child]) -> None:
        self._children = children

    async def prepare(self, path: Path) -> str:
        """Load the bundle in all workers: one after another if any already answers, else all at once."""
        children = list(self._children.values())
        if not children:
            raise ValueError(f"bundle {path} cannot be loaded: no worker is running")
        if any(child.version for child in children):
            return [await _prepare(child, path) for child in children][-1]
        versions = await asyncio.gather(*(_prepare(child, path) for child in children), return_exceptions=True)
        for version in versions:
            if isinstance(version, BaseException):
                raise version
        return str(versions[0])

    async def conclude(self, report: Report) -> None:
        """Make all workers swap to the prepared bundle, or discard it."""
        for child in self._children.values():
            child.version = report["bundle"] or child.version
        await self._tell("conclude", report=report)

    async def stock(self, feed: ItemsFeed, *, late: bool = False) -> FeedReport:
        """Apply an items feed."""
        text = await asyncio.to_thread(packed, feed)
        reports: list[FeedReport] = await self._tell("stock", feed=text, late=late)
        unanswered: FeedReport = {
            "time_ms": feed.time_ms,
            "items": len(feed.items),
            "new_items": None,
            "ranked": None,
        }
        return reports[0] if reports else unanswered

    async def try_on(self, revision: Revision, *, changed: str | None, take_unknown: bool) -> TriedOn:
        """Make what a revision needs in every worker.

        Raises:
            ValueError: one of them refuses it.
            ConnectionError: none runs that could say, or all of them ended meanwhile, perhaps of it.
        """
        text = await asyncio.to_thread(revisions.packed, revision)
        arguments = {"revision": text, "changed": changed, "take_unknown": take_unknown}
        found = await self._call("try_on", **arguments)
        refusals = [each for each in found if isinstance(each, ValueError)]
        if refusals:
            raise refusals[0]
        tried: list[TriedOn] = [each for each in found if not isinstance(each, BaseException)]
        if not tried:
            raise ConnectionError("all workers ended while they tried it on" if found else "no worker is running")
        return next((each for each in tried if each["policy"]), tried[0])

    async def settle(self, *, kept: bool) -> None:
        """Put in force what was tried on, or forget it."""
        await self._tell("settle", kept=kept)

    async def forget(self, order: Order) -> int:
        """Forget a shopper's visit; returns how many events went in the worker that had most.

        Raises:
            ValueError: one of them cannot.
        """
        found = await self._call("forget", order=encode_order(order).decode())
        refusals = [each for each in found if isinstance(each, ValueError)]
        if refusals:
            raise refusals[0]
        return max((each for each in found if not isinstance(each, BaseException)), default=0)

    async def _tell(self, op: str, **arguments: Any) -> list[Any]:
        """Call an operation of all workers; the results of those that succeed. Failures are logged."""
        results = await self._call(op, **arguments)
        for result in results:
            if isinstance(result, Exception):
                log.error("a worker did not %s: %s", op, result)
        return [result for result in results if not isinstance(result, BaseException)]

    async def _call(self, op: str, **arguments: Any) -> list[Any]:
        calls = [child.channel.call(op, **arguments) for child in self._children.values()]
        return await asyncio.gather(*calls, return_exceptions=True)


async def _prepare(child: Child, path: Path) -> str:
    try:
        return str(await child.channel.call("prepare", path=str(path)))
    except ConnectionError:
        raise ValueError(f"bundle {path} is refused: a worker ended while it loaded it") from None
