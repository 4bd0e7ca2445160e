"""Worker process: serves on inherited sockets under the parent's control.

Started by serving.process.supervisor as ``python -m serving.process.worker CONTROL LISTENER,LISTENER...`` plus the
flags of ``python -m serving``; the first two arguments are file descriptors. It inherits the sockets of all workers,
one per slot, so that it can stand in for a dead one, and accepts from the slots that the parent orders. When the parent
has gone, it finishes requests in flight and exits.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final

import uvloop

from serving.bundles.loading import read_static
from serving.http import board
from serving.policy import feeds, revisions
from serving.process.channel import Channel
from serving.process.feedback import exposures_logged, shoppers_remembered
from serving.process.lifecycle import Process, in_background
from serving.protocol.errors import ProblemError
from serving.service import Service
from serving.settings import Settings, parse_settings
from serving.telemetry.logs import json_logs
from serving.telemetry.merged_metrics import samples_of
from serving.telemetry.tracing import tracing
from tillside.feedback.forgetting import decode_order

log = logging.getLogger("serving")
ASK_SECONDS: Final = 1.0


class Worker:
    """Worker side of the control channel."""

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._settings = settings
        self._listeners = listeners
        self._limits = settings.limits
        self._slots: set[int] = set()
        static = read_static(settings.static, settings.limits) if settings.static else []
        self._service = Service(settings, static=static)
        self._channel = Channel(self._handle)
        page = self._page if settings.admin_port is None else None
        self._process = Process(
            settings, self._service, page=page, on_stop=self._close_others, for_good=self._stops_for_good
        )

    async def run(self, control: socket.socket) -> None:
        """Serve until a signal, or until the parent has gone."""
        await self._channel.open(control)
        with exposures_logged(self._settings, self._service), shoppers_remembered(self._settings, self._service):
            async with in_background(self._obey()):
                await self._process.run()

    async def _obey(self) -> None:
        """Obey until the parent has gone; also on a fault, as a worker that hears nothing serves what is old."""
        try:
            await self._channel.run()
        finally:
            self._process.stop_now()

    def _close_others(self) -> None:
        """Close the sockets of other slots: one that stays open with no process accepting would hang its clients."""
        for slot, listener in enumerate(self._listeners):
            if slot not in self._slots:
                listener.close()

    async def _stops_for_good(self) -> bool:
        """Whether the whole server stops; if not, the parent keeps the sockets, and others accept from them."""
        try:
            return bool(await asyncio.wait_for(self._channel.call("stopping"), ASK_SECONDS))
        except (ConnectionError, TimeoutError):
            return True

    async def _page(self) -> bytes:
        """Merged metrics of all workers, from the parent."""
        page: str = await self._channel.call("page")
        return page.encode()

    async def _handle(self, op: str, arguments: dict[str, Any]) -> Any:
        match op:
            case "prepare":
                return await self._service.prepare(Path(arguments["path"]))
            case "conclude":
                return await self._service.conclude(arguments["report"])
            case "stock":
                feed = await asyncio.to_thread(feeds.unpacked, arguments["feed"])
                return await self._service.stock(feed, late=arguments["late"])
            case "try_on":
                revision = await asyncio.to_thread(revisions.unpacked, arguments["revision"])
                return await self._service.try_on(
                    revision, changed=arguments["changed"], take_unknown=arguments["take_unknown"]
                )
            case "settle":
                return await self._service.settle(kept=arguments["kept"])
            case "forget":
                try:
                    return await self._service.forget(decode_order(arguments["order"].encode()))
                except OSError as error:
                    raise ValueError(str(error)) from None
            case "board":
                try:
                    return await board.ask(self._service, self._limits, arguments["what"], arguments["text"])
                except ProblemError as problem:  # its bundle went meanwhile
                    raise ValueError(problem.detail) from None
            case "accept":
                self._slots.add(arguments["slot"])
                return self._process.server.accept(self._listeners[arguments["slot"]])
            case "release":
                self._slots.discard(arguments["slot"])
                return self._process.server.release(self._listeners[arguments["slot"]])
            case "samples":
                return samples_of(self._service.metrics.registry)
        raise ValueError(f"a worker cannot {op}")


def main() -> None:
    """Run one worker."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # handled by the parent
    control = socket.socket(fileno=int(sys.argv[1]))
    listeners = [socket.socket(fileno=int(number)) for number in sys.argv[2].split(",")]
    settings = parse_settings(sys.argv[3:], os.environ)
    with json_logs(), tracing(os.environ, flag=settings.tracing):
        uvloop.run(Worker(settings, listeners).run(control))


if __name__ == "__main__":
    main()
