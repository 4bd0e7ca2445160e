"""One of several workers: a process that answers on the sockets it inherits and does what the parent tells it.

Started by serving.process.supervisor as ``python -m serving.process.worker CONTROL LISTENER,LISTENER...`` and the flags
of ``python -m serving``; the first two are file descriptors. It inherits the sockets of all workers, one for each slot,
so that it can stand in for one that has died, and it accepts where the parent says. When the parent has gone, it
finishes what is in flight and ends.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvloop

from serving.bundles.loading import read_static
from serving.policy.feeds import unpacked
from serving.process.channel import Channel
from serving.process.lifecycle import Process, in_background
from serving.service import Service
from serving.settings import Settings, parse_settings
from serving.telemetry.logs import json_logs
from serving.telemetry.merged_metrics import samples_of
from serving.telemetry.tracing import tracing

log = logging.getLogger("serving")


class Worker:
    """The worker's side of the channel."""

    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._listeners = listeners
        self._slots: set[int] = set()
        static = read_static(settings.static, settings.limits) if settings.static else []
        self._service = Service(settings, static=static)
        self._channel = Channel(self._handle)
        page = self._page if settings.admin_port is None else None
        self._process = Process(settings, self._service, page=page, on_stop=self._close_others)

    async def run(self, control: socket.socket) -> None:
        """Answer until a signal, or the parent's end."""
        await self._channel.open(control)
        async with in_background(self._obey()):
            await self._process.run()

    async def _obey(self) -> None:
        await self._channel.run()
        self._process.stop_now()

    def _close_others(self) -> None:
        """What nobody accepts from must not stay open, or its clients would wait in vain."""
        for slot, listener in enumerate(self._listeners):
            if slot not in self._slots:
                listener.close()

    async def _page(self) -> bytes:
        """The metrics of all workers, which only the parent has."""
        page: str = await self._channel.call("page")
        return page.encode()

    async def _handle(self, op: str, arguments: dict[str, Any]) -> Any:
        match op:
            case "prepare":
                return await self._service.prepare(Path(arguments["path"]))
            case "conclude":
                return await self._service.conclude(arguments["report"])
            case "stock":
                feed = await asyncio.to_thread(unpacked, arguments["feed"])
                return await self._service.stock(feed, late=arguments["late"])
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
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's business
    control = socket.socket(fileno=int(sys.argv[1]))
    listeners = [socket.socket(fileno=int(number)) for number in sys.argv[2].split(",")]
    settings = parse_settings(sys.argv[3:], os.environ)
    with json_logs(), tracing(os.environ, flag=settings.tracing):
        uvloop.run(Worker(settings, listeners).run(control))


if __name__ == "__main__":
    main()
