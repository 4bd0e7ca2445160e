"""``python -m serving.collector --feedback DIR``: take events until SIGTERM, keep what was taken, exit 0."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from serving.collector.settings import CollectorSettings, parse_settings
from serving.telemetry.logs import json_logs, log_bug
from tillside.cli.secrets import without_secrets

log = logging.getLogger("serving")
OBEY_SECONDS = 0.5
"""Time between two looks at the orders to forget."""
SWITCH_SECONDS = 0.0005
"""How long the thread that answers may hold the interpreter while another one waits for it: what waits is the thread
that syncs, several times a group, and then all whose events it keeps."""


def main() -> None:
    """Run the collector until SIGTERM or SIGINT."""
    import uvloop  # here: --help and a mistyped flag are answered without the server's libraries

    settings = parse_settings(sys.argv[1:], os.environ)
    try:
        with json_logs():
            uvloop.run(collect(settings))
    except ValueError as error:
        print(f"error: {without_secrets(str(error))}", file=sys.stderr)
        sys.exit(2)


async def collect(settings: CollectorSettings) -> None:
    """Take events until a signal.

    Raises:
        ValueError: what was given cannot be used, or its port cannot be listened on.
    """
    from serving.collector.app import Collector
    from serving.collector.intake import Intake
    from serving.collector.metrics import CollectorMetrics
    from serving.collector.seen import SeenIds
    from serving.collector.stores import FolderStore, KafkaStore, Store
    from serving.feedback.compacting import SEEN
    from serving.feedback.erasing import Eraser
    from serving.feedback.shoppers.redis_visits import check_redis
    from serving.feedback.target import Topic
    from serving.http.server import HttpServer, listen, most_connections
    from tillside.feedback.segments import segments_of

    target = settings.feedback
    if settings.shoppers_url is not None:
        check_redis(settings.shoppers_url)
    store: Store = KafkaStore(target, settings.state) if isinstance(target, Topic) else FolderStore(target)
    seen = SeenIds(store.state / SEEN, store.ids_of)
    intake = Intake(store, seen, salt=settings.salt, most=settings.waiting)
    metrics = CollectorMetrics(waiting=lambda: intake.waiting, seen=lambda: len(seen), runs=lambda: seen.runs)
    app = Collector(settings, intake, metrics)
    try:
        listener = listen(settings.host, settings.port)[0]
    except OSError as error:
        raise ValueError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    server = HttpServer(app, settings, most=most_connections())
    eraser = None if isinstance(target, Topic) else Eraser(target, registry=metrics.registry)

    def stop() -> None:
        app.draining = True
        server.should_exit = True

    async def catch_up() -> None:
        try:
            count = await asyncio.to_thread(seen.catch_up, segments_of(store.ids_folder))
        except Exception as error:
            log_bug(error)
            stop()
            return
        gc.collect()
        gc.freeze()  # the libraries are not looked through again and again, at 35 ms a time
        log.info("%d events are known, %d of them read from segments", len(seen), count)
        app.ready = True

    async def obey() -> None:
        while True:
            await asyncio.sleep(OBEY_SECONDS)
            try:
                if app.ready and await asyncio.to_thread(store.orders_due):
                    intake.end_segments()
                    if eraser is not None:
                        eraser.want()
            except Exception as error:
                log_bug(error)

    sys.setswitchinterval(SWITCH_SECONDS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info("collecting on http://%s:%d", settings.host, listener.getsockname()[1])
    keeping, reading, obeying = (loop.create_task(each()) for each in (intake.run, catch_up, obey))
    with (
        contextlib.closing(intake),
        contextlib.closing(eraser) if eraser else contextlib.nullcontext(),
        visits_shared(settings, registry=metrics.registry),
    ):
        await server.run_until_told(listener)
        obeying.cancel()
        await reading
        intake.end()
        await keeping


@contextlib.contextmanager
def visits_shared(settings: CollectorSettings, *, registry: CollectorRegistry) -> Iterator[None]:
    """Keep the visits of shoppers in a Redis while the block runs, where the settings say so."""
    if settings.shoppers is None or settings.shoppers_url is None or not isinstance(settings.feedback, Path):
        yield
        return
    from serving.feedback.erasing import Orders
    from serving.feedback.shoppers.follower import Follower
    from serving.feedback.shoppers.redis_visits import RedisVisits

    limits = settings.shoppers
    with contextlib.ExitStack() as held:
        orders = held.enter_context(contextlib.closing(Orders(settings.feedback)))
        visits = held.enter_context(contextlib.closing(RedisVisits(settings.shoppers_url, limits, orders=orders)))
        follower = Follower(visits, settings.feedback, gap_minutes=limits.gap_minutes, registry=registry)
        held.enter_context(contextlib.closing(follower))
        yield


if __name__ == "__main__":
    main()
