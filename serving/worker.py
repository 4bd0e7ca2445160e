"""One of several workers: a process that answers on the socket it inherits and does what the parent tells it.

Started by serving.workers as ``python -m serving.worker LISTENER CONTROL`` and the flags of ``python -m serving``; the
first two are file descriptors. When the parent has gone, it finishes what is in flight and ends.
"""

import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvloop

from serving.channel import Channel
from serving.lifecycle import Process, in_background
from serving.loading import read_static
from serving.merging import samples_of
from serving.service import Service
from serving.settings import Settings, parse_settings

log = logging.getLogger("serving")


class Worker:
    """The worker's side of the channel."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        static = read_static(settings.static, settings.limits) if settings.static else []
        self._service = Service(settings, static=static)
        self._channel = Channel(self._handle)
        page = self._page if settings.admin_port is None else None
        self._process = Process(settings, self._service, listener, page=page, accepting=False)

    async def run(self, control: socket.socket) -> None:
        """Answer until a signal, or the parent's end."""
        await self._channel.open(control)
        async with in_background(self._obey()):
            await self._process.run()

    async def _obey(self) -> None:
        await self._channel.run()
        self._process.stop_now()

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
            case "accept":
                return self._process.server.accept()
            case "samples":
                return samples_of(self._service.metrics.registry)
        raise ValueError(f"a worker cannot {op}")


def main() -> None:
    """Run one worker."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's business
    listener, control = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    settings = parse_settings(sys.argv[3:], os.environ)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    uvloop.run(Worker(settings, listener).run(control))


if __name__ == "__main__":
    main()
