"""Supervisor of several workers: starts and restarts them, coordinates bundle changes, and merges their metrics.

The parent opens one listening socket per worker slot but never accepts; all workers inherit all sockets, so connections
pending on a dead worker's socket are accepted by another. The parent loads no bundle and answers no shopper, so the
admin port always responds. A replacement worker accepts only after it has loaded the active bundle.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from http import HTTPStatus
from typing import Any, Final

from prometheus_client import CollectorRegistry

from serving.bundles.private_copies import PrivateCopies
from serving.bundles.reloading import Reloads, Report
from serving.http.admin import make_admin_app
from serving.http.server import ADMIN_CONNECTIONS, HttpServer
from serving.policy.feeds import FeedReport
from serving.policy.policy_file import policy_text
from serving.process.channel import Channel
from serving.process.crew import Child, Crew
from serving.process.forgetting import Forgetting
from serving.process.keeping import Change, Keeper
from serving.process.lifecycle import in_background, no_first_bundle
from serving.process.stand_ins import StandIns
from serving.protocol.errors import ProblemError
from serving.settings import Settings
from serving.telemetry.merged_metrics import Samples, add_up, merged_page, only_counted, samples_of
from tillside.cli.modules import module_command
from tillside.policy import ItemsFeed

log = logging.getLogger("serving")
STEADY_SECONDS: Final = 10.0
"""A worker that lived longer restarts at once; one that dies sooner restarts with exponential back-off."""
LONGEST_PAUSE: Final = 5.0
SAMPLES_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 5.0
WEDGED_SECONDS: Final = 60.0
KILL_SECONDS: Final = 5.0
HUGE_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Each scan reads megabytes of item rows; huge pages save about 5 % of its time. A value set by the user wins, and
without huge pages on the system this has no effect."""


class Supervisor:
    """Starts, watches and stops all workers; the admin port's :class:`serving.http.admin.Control`.

    Attributes:
        keeper: what came by the admin port.

    Raises:
        ValueError: the state folder cannot be used.
    """

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._settings = settings
        self._listeners = listeners
        self._children: dict[int, Child] = {}
        self._crew = Crew(self._children)
        self._stand_ins = StandIns(self._children)
        self.keeper = Keeper(settings, self._crew)
        self._registry = CollectorRegistry()
        self._forgetting = Forgetting(settings, self._crew.forget, registry=self._registry)
        self._buried: Samples = []
        self._copies = PrivateCopies()
        self._reloads = Reloads(
            settings.bundle, self._crew, fetch=settings.model.fetch if settings.model else None, copies=self._copies
        )
        self._stopping = asyncio.Event()
        self._failed: str | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Keep the workers running until a signal, then wait for them to exit; kill those that take too long.

        Raises:
            ValueError: the first bundle is missing or refused, and the settings do not say to stay.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self.reload()))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        slots = range(len(self._listeners))
        await asyncio.gather(*(self._start(slot) for slot in slots))
        keepers = [self._spawn(self._keep(slot)) for slot in slots]
        for slot in slots:
            self._spawn(self._stand_ins.end(slot))
        self._spawn(self._begin())
        self._spawn(self._watch())
        await self._stopping.wait()
        for listener in self._listeners:
            listener.close()
        patience = self._settings.grace_seconds + self._settings.shutdown_seconds + KILL_SECONDS
        _, late = await asyncio.wait(keepers, timeout=patience)
        for child in self._children.values() if late else ():
            with contextlib.suppress(ProcessLookupError):
                child.process.kill()
        await asyncio.gather(*keepers, return_exceptions=True)
        self._copies.close()
        self.keeper.close()
        self._forgetting.close()
        if self._failed is not None:
            raise ValueError(self._failed)

    async def _begin(self) -> None:
        """Give the workers what is kept, then the bundle: none answers without the former."""
        await self.keeper.open()
        report = await self.reload()
        if self._reloads.current is None and not self._settings.stay:
            self._failed = no_first_bundle(report)
            self._stop(signal.SIGINT)

    def ready(self) -> str:
        """Version of the active bundle.

        Raises:
            ProblemError: no worker has one, or the server is draining.
        """
        if self._stopping.is_set():
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "the server is about to stop")
        versions = [child.version for child in self._children.values() if child.version]
        if not versions:
            reason = self.keeper.waiting or self._reloads.reason or "the bundle is being verified"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", reason)
        return versions[0]

    async def reload(self, name: str | None = None) -> Report:
        """Load a bundle in all workers, once they have what is kept."""
        await self.keeper.opened()
        return await self._reloads.reload(name)

    async def rollback(self) -> Report:
        """Load the previous bundle in all workers."""
        return await self._reloads.rollback()

    async def stock(self, feed: ItemsFeed) -> FeedReport:
        """Apply an items feed in all workers, and in those started later."""
        return await self.keeper.stock(feed)

    async def change(self, change: Change, *, take_unknown: bool = False) -> dict[str, Any]:
        """Change something that is set by hand in all workers, and in those started later."""
        return await self.keeper.change(change, take_unknown=take_unknown)

    async def undo(self, revision: int | None = None) -> dict[str, Any]:
        """Go back to what was set by hand before."""
        return await self.keeper.undo(revision)

    async def by_hand(self) -> dict[str, Any]:
        """What is set by hand, and the revisions there are."""
        return self.keeper.document()

    async def state(self) -> bytes:
        """State for another server to take over."""
        return self.keeper.state()

    async def forget(self, shopper_id: str) -> dict[str, Any]:
        """Forget a shopper in all workers, and in those started later."""
        return await self._forgetting.take(shopper_id)

    async def board(self, op: str, text: str) -> str:
        """What the board asks for, from any worker that has a bundle."""
        child = next((each for each in self._children.values() if each.version), None)
        if child is None:
            reason = self.keeper.waiting or self._reloads.reason or "the bundle is being verified"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", reason)
        found: str = await child.channel.call("board", what=op, text=text)
        return found

    async def policy(self) -> tuple[str, str] | None:
        """Text of the policy file in force and where it comes from; None without one."""
        return policy_text(self.keeper.current.by_hand, self._settings.policy, self._reloads.loaded)

    async def page(self) -> bytes:
        """Merged metrics of all workers, including those that have died."""
        await asyncio.gather(*(self._fetch_samples(child) for child in self._children.values()))
        own = samples_of(self._registry)
        return merged_page([own, self._buried, *(child.samples for child in self._children.values())])

    async def _start(self, slot: int) -> None:
        listeners = [listener.fileno() for listener in self._listeners]
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *module_command("serving.process.worker", str(theirs.fileno()), ",".join(map(str, listeners))),
                *sys.argv[1:],
                pass_fds=(*listeners, theirs.fileno()),
                env=HUGE_PAGES | dict(os.environ),
            )
        channel = Channel(self._handle)
        await channel.open(ours)
        self._children[slot] = Child(process, channel)
        self._spawn(channel.run())

    async def _keep(self, slot: int) -> None:
        """Restart the worker of a slot whenever it exits."""
        pause = 0.0
        while True:
            started = time.monotonic()
            code = await self._children[slot].process.wait()
            child = self._children.pop(slot)
            child.channel.close()
            self._buried = add_up([self._buried, only_counted(child.samples)])
            if self._stopping.is_set():
                return
            log.error("worker %d ended with code %d; starting another", child.process.pid, code)
            await self._stand_ins.replace(slot)
            pause = 0.0 if time.monotonic() - started > STEADY_SECONDS else min(2 * pause + 0.1, LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            if self._stopping.is_set():
                return
            await self._start(slot)
            self._spawn(self._bring_up(slot))

    async def _bring_up(self, slot: int) -> None:
        """Install feed and active bundle in a new worker, then move its slot's socket from the stand-in to it."""
        child = self._children[slot]
        alone = Crew({slot: child})
        async with self.keeper.lock:
            await self.keeper.give(alone)
        while True:
            try:
                child.version = await self._reloads.bring(alone)
                break
            except ValueError as error:
                if child.channel.closed:
                    return  # it has ended, and what comes after it is brought up by another call of this
                log.error("a new worker has no bundle: %s", error)
            if not any(other.version for other in self._children.values()):
                break
            await asyncio.sleep(LONGEST_PAUSE)
        await self._stand_ins.end(slot)
        if self._reloads.current is None and self.keeper.waiting is None:
            await self.reload()

    async def _handle(self, op: str, arguments: dict[str, Any]) -> Any:
        if op == "page":
            return (await self.page()).decode()
        if op == "stopping":
            return self._stopping.is_set()
        raise ValueError(f"the parent cannot {op}")

    async def _watch(self) -> None:
        """Fetch metrics periodically, so that a dead worker's are kept, and kill workers that no longer respond."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            await asyncio.gather(*(self._fetch_samples(child) for child in self._children.values()))
            for child in self._children.values():
                if now - child.heard > WEDGED_SECONDS:
                    log.error("worker %d has not answered for %d s", child.process.pid, WEDGED_SECONDS)
                    with contextlib.suppress(ProcessLookupError):
                        child.process.kill()

    async def _fetch_samples(self, child: Child) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError, ValueError):
            child.samples = await asyncio.wait_for(child.channel.call("samples"), SAMPLES_SECONDS)
            child.heard = time.monotonic()

    def _stop(self, number: int) -> None:
        self._stopping.set()
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def supervise(settings: Settings, listeners: list[socket.socket], admin_listener: socket.socket | None) -> None:
    """Run one worker per listening socket, and the admin port if any, until a signal."""
    supervisor = Supervisor(settings, listeners)
    if admin_listener is None:
        await supervisor.run()
        return
    app = make_admin_app(supervisor, token=settings.admin_token, limits=settings.limits)
    server = HttpServer(app, settings, most=ADMIN_CONNECTIONS)
    async with in_background(server.run_until_told(admin_listener)):
        await supervisor.run()
        server.should_exit = True
