"""Lifecycle of one serving process: signals, grace period, and the admin port's thread.

Surprising: the admin port has an event loop and a thread of its own, so that probes and metrics are answered while the
main loop computes.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

import uvloop

from serving.bundles.private_copies import PrivateCopies
from serving.bundles.reloading import Reloads, Report
from serving.http import board
from serving.http.admin import make_admin_app
from serving.http.api import Page, make_app
from serving.http.server import ADMIN_CONNECTIONS, HttpServer, always, most_connections
from serving.policy.feeds import FeedReport
from serving.policy.policy_file import policy_text
from serving.process.feedback import exposures_logged, shoppers_remembered
from serving.process.forgetting import Forgetting
from serving.process.keeping import Change, Keeper
from serving.service import Service
from serving.settings import Settings
from tillside.policy import ItemsFeed

log = logging.getLogger("serving")
T = TypeVar("T")
STOPPED_SECONDS: Final = 5


class Process:
    """A service with its HTTP server and their graceful shutdown.

    Args:
        page: renders the metrics page; None if the main port does not serve metrics.
        on_stop: called when the grace period begins.
        for_good: whether nobody else accepts from the listening sockets once this process has stopped.

    Attributes:
        failed: why the process ends, if not by a signal.
    """

    def __init__(
        self,
        settings: Settings,
        service: Service,
        *,
        page: Page | None,
        on_stop: Callable[[], None] = lambda: None,
        for_good: Callable[[], Awaitable[bool]] = always,
    ) -> None:
        self._grace_seconds = settings.grace_seconds
        self._service = service
        self._stopping: asyncio.Task[None] | None = None
        self.failed: str | None = None
        self._on_stop = on_stop
        app = make_app(settings, service, page=page)
        self.server = HttpServer(app, settings, most=most_connections(), for_good=for_good)

    async def run(self, *listeners: socket.socket) -> None:
        """Serve until a signal or :meth:`stop`."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.stop_now)
        async with in_background(self._service.run()):
            await self.server.run_until_told(*listeners)

    def stop(self) -> None:
        """Stop gracefully: not ready from now on, serve for the grace period, then drain. A second call skips it."""
        if self._stopping is not None:
            self.stop_now()
            return
        log.info("stopping in %d s", self._grace_seconds)
        self._service.draining = True
        self.server.close_after_answers()
        self._on_stop()
        self._stopping = asyncio.get_running_loop().create_task(self._stop_later())

    def stop_now(self) -> None:
        """Finish requests in flight and exit."""
        self._service.draining = True
        self.server.should_exit = True

    def give_up(self, reason: str) -> None:
        """Stop now, with an error."""
        self.failed = reason
        self.stop_now()

    async def _stop_later(self) -> None:
        await asyncio.sleep(self._grace_seconds)
        self.stop_now()


class LocalControl:
    """:class:`serving.http.admin.Control` of a service that runs in another thread's event loop."""

    def __init__(
        self,
        service: Service,
        reloads: Reloads,
        keeper: Keeper,
        forgetting: Forgetting,
        loop: asyncio.AbstractEventLoop,
        *,
        settings: Settings,
    ) -> None:
        self._service = service
        self._reloads = reloads
        self._keeper = keeper
        self._forgetting = forgetting
        self._loop = loop
        self._policy, self._limits = settings.policy, settings.limits

    def ready(self) -> str:
        """Version of the active bundle."""
        return self._service.ready()

    async def page(self) -> bytes:
        """Metrics in the Prometheus text format."""
        return self._service.metrics.page()

    async def reload(self, name: str | None = None) -> Report:
        """Reload, in the service's loop, once there is what is kept."""

        async def reload() -> Report:
            await self._keeper.opened()
            return await self._reloads.reload(name)

        return await self._there(reload())

    async def rollback(self) -> Report:
        """Roll back, in the service's loop."""
        return await self._there(self._reloads.rollback())

    async def stock(self, feed: ItemsFeed) -> FeedReport:
        """Apply an items feed, in the service's loop."""
        return await self._there(self._keeper.stock(feed))

    async def change(self, change: Change, *, take_unknown: bool = False) -> dict[str, Any]:
        """Change something that is set by hand, in the service's loop."""
        return await self._there(self._keeper.change(change, take_unknown=take_unknown))

    async def undo(self, revision: int | None = None) -> dict[str, Any]:
        """Go back to what was set by hand before, in the service's loop."""
        return await self._there(self._keeper.undo(revision))

    async def by_hand(self) -> dict[str, Any]:
        """What is set by hand, and the revisions there are."""
        return self._keeper.document()

    async def state(self) -> bytes:
        """State for another server to take over."""
        return self._keeper.state()

    async def forget(self, shopper_id: str) -> dict[str, Any]:
        """Forget a shopper, in the service's loop."""
        return await self._there(self._forgetting.take(shopper_id))

    async def board(self, op: str, text: str) -> str:
        """What the board asks for, in the service's loop."""
        return await self._there(board.ask(self._service, self._limits, op, text))

    async def policy(self) -> tuple[str, str] | None:
        """Text of the policy file in force and where it comes from; None without one."""
        return policy_text(self._keeper.current.by_hand, self._policy, self._reloads.loaded)

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


async def serve(
    settings: Settings, listener: socket.socket, admin_listener: socket.socket | None, *, static: Sequence[str]
) -> None:
    """Serve from this process alone until a signal.

    Raises:
        ValueError: the first bundle is missing or refused, and the settings do not say to stay.
    """
    service = Service(settings, static=static)
    keeper = Keeper(settings, service)
    service.waiting = lambda: keeper.waiting
    copies = PrivateCopies()
    reloads = Reloads(settings.bundle, service, fetch=settings.model.fetch if settings.model else None, copies=copies)
    loop = asyncio.get_running_loop()

    async def page() -> bytes:
        return service.metrics.page()

    process = Process(settings, service, page=None if admin_listener else page)
    tasks: set[asyncio.Task[Any]] = set()

    async def reload(*, first: bool = False) -> None:
        await keeper.opened()
        report = await reloads.reload()
        if first and reloads.current is None and not settings.stay:
            process.give_up(no_first_bundle(report))

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, lambda: spawn(reload()))
    spawn(keeper.open())
    spawn(reload(first=True))
    forgetting = Forgetting(settings, service.forget, registry=service.metrics.registry)
    control = LocalControl(service, reloads, keeper, forgetting, loop, settings=settings)
    with (
        exposures_logged(settings, service),
        shoppers_remembered(settings, service),
        contextlib.closing(keeper),
        contextlib.closing(forgetting),
        contextlib.closing(copies),
        admin_thread(control, settings, admin_listener),
    ):
        await process.run(listener)
    if process.failed is not None:
        raise ValueError(process.failed)


def no_first_bundle(report: Report) -> str:
    """Why a server ends at its start."""
    return f"{report['reason']}; with --without-bundle stay the server stays up, not ready, until a reload brings one"


@contextlib.contextmanager
def admin_thread(control: LocalControl, settings: Settings, listener: socket.socket | None) -> Iterator[None]:
    """Serve the admin port, if there is one, in its own thread while the block runs."""
    if listener is None:
        yield
        return
    app = make_admin_app(control, token=settings.admin_token, limits=settings.limits)
    server = HttpServer(app, settings, most=ADMIN_CONNECTIONS)
    thread = threading.Thread(target=lambda: uvloop.run(server.run_until_told(listener)), name="admin", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOPPED_SECONDS)


@contextlib.asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` as a task and cancel it when the block ends."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
