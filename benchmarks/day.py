"""A shop's day in an hour: feeds, reloads, policy changes and killed workers under load, beside rude clients.

    python -m benchmarks.bundles --items 1000 --out runs/benchmarks/bundles --memory
    python -m benchmarks.day --bundle runs/benchmarks/bundles/memory-1000 --policy electronics

Memory and files are compared between the minute after the settling time and the last minute, by their medians; workers
are killed in the middle between, so that both minutes see them equally old. A well-behaved client sends a request once
more if the connection breaks under it, as any may whose question changes nothing, and fails if no 200 has come by its
timeout.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop
import yaml

from benchmarks.broken import again
from benchmarks.growing import open_files, publish, put_feed
from benchmarks.results import RESULTS
from benchmarks.rude_clients import crowd
from benchmarks.servers import ADMIN_TOKEN, Server, ask, tillside
from serving.bench.connection import Slot
from serving.bench.load import Load, address_of
from serving.bench.resident import resident_mb
from serving.bench.schedule import due_times
from serving.bench.shoppers import LoadShop, as_http, draw_requests
from serving.bench.summary import Summary
from tillside.cli.shipped import file_or_shipped
from training.cli.console import say

SYSTEM: Final = "day-in-an-hour"
NOTES: Final = (
    "day-in-an-hour: two workers, a PUT of 50 items every second, a reload of the other of two bundles every 10 s, a "
    "policy change every minute, 40 slow or broken clients at all times, a worker killed (SIGKILL) every 5 minutes. "
    "failed: requests of well-behaved clients without a 200; resent: those whose connection broke, sent once more; "
    "rss_growth_share, files_growth: medians of the last minute against those of the sixth, open, mapped and temporary "
    "files of all processes; changes_failed: feeds, reloads and policies that were not taken, of changes. Server and "
    "generator go before the machine's other processes."
)
RATE: Final = 300.0
PUT_SECONDS, RELOAD_SECONDS, POLICY_SECONDS, KILL_SECONDS = 1.0, 10.0, 60.0, 300.0
RUDE: Final = 40
SETTLED_SECONDS: Final = 300.0
WINDOW_SECONDS: Final = 60.0
NICENESS: Final = -10
LOOK_SECONDS: Final = 1.0
TELL_SECONDS: Final = 60.0
DISTINCT: Final = 2048
OFF_BEAT_SECONDS: Final = 7.0
"""Workers are not killed at the very moments at which bundles are loaded, or policies changed."""
Change = Callable[[int], None]


class Resending(Load):
    """Load whose requests are sent once more when their connection breaks.

    Attributes:
        resent: numbers of those requests.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.resent: set[int] = set()

    def failed(self, slot: Slot, request: int, error: str) -> None:
        """Send the request again over the same slot, or record that it failed."""
        if error == "timeout" or request in self.resent:
            super().failed(slot, request, error)
        else:
            self.resent.add(request)
            self._send(slot, request)


@dataclass
class Changes:
    """Changes that a shop makes: how many were asked for, and the sentences of those that were refused."""

    asked: int = 0
    refused: list[str] = field(default_factory=list)

    async def every(self, seconds: float, change: Change, *, until: float, first: float | None = None) -> None:
        """Make a change at each of its moments up to ``until``; moments that pass during one are left out."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        moment = seconds if first is None else first
        for number in itertools.count(1):
            moment += max(0.0, (loop.time() - start - moment) // seconds * seconds)
            if moment >= until:
                return
            await asyncio.sleep(moment - (loop.time() - start))
            self.asked += 1
            try:
                await asyncio.to_thread(change, number)
            except RuntimeError as error:
                self.refused.append(str(error))
                say(f"refused: {error}")
            moment += seconds


@dataclass(frozen=True)
class Size:
    """Sizes of a server at a moment, seconds from the start."""

    at: float
    rss_mb: float
    files: int

    @classmethod
    def now(cls, at: float, pid: int, temporary: Path) -> "Size":
        """Memory of a process and its descendants, and what files they hold or have left."""
        return cls(at, resident_mb(pid), open_files(pid) + sum(len(names) for _, _, names in os.walk(temporary)))


def growth(sizes: Sequence[Size], *, settled: float, window: float = WINDOW_SECONDS) -> dict[str, float]:
    """Growth from the window that begins at ``settled`` seconds to the last one, by the medians of each."""
    end = max(size.at for size in sizes)
    early = [size for size in sizes if settled <= size.at < settled + window]
    late = [size for size in sizes if size.at > end - window]
    before, after = (statistics.median(size.rss_mb for size in part) for part in (early, late))
    files_before, files_after = (statistics.median(size.files for size in part) for part in (early, late))
    return {
        "rss_growth_share": after / before - 1,
        "rss_mb": after,
        "files_growth": files_after - files_before,
        "files": float(files_after),
    }


def go_first(pid: int) -> None:
    """Let a process group go before the machine's others, where that is permitted: their load is no fault of it."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, NICENESS)
    with contextlib.suppress(OSError):  # where sessions are scheduled as groups, niceness counts inside of one alone
        Path("/proc", str(pid), "autogroup").write_text(str(NICENESS), encoding="utf-8")


def kill_a_worker(server: Server, number: int) -> None:
    """Kill one of the workers, another each time."""
    children = server.children()
    victim = children[number % len(children)]
    say(f"killing worker {victim} of {', '.join(map(str, children))}")
    os.kill(victim, signal.SIGKILL)


def put_policy(server: Server, number: int, text: str) -> None:
    """Put the policy in another version.

    Raises:
        RuntimeError: it is refused.
    """
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "application/yaml"}
    body = f"# as of minute {number}\n{text}".encode()
    status, said = ask(urllib.request.Request(f"{server.admin}/v1/policy?unknown=take", body, headers, method="PUT"))
    if status != 200:
        raise RuntimeError(f"PUT /v1/policy answered {status}: {said}")


def reload_other(server: Server, number: int, names: Sequence[str]) -> None:
    """Load the next of some bundles.

    Raises:
        RuntimeError: it is refused.
    """
    status, said = server.post_admin("/v1/admin/reload", {"bundle": names[number % len(names)]})
    if status != 200:
        raise RuntimeError(f"reload answered {status}: {said}")


def requests_of(server: Server, bundle: Path, policy: str) -> list[bytes]:
    """Requests of shoppers, every other one for a placement of the policy."""
    host, port = address_of(server.url)
    rng = np.random.default_rng(0)
    documents = draw_requests(LoadShop.of_bundle(bundle), count=DISTINCT, k=20, rng=rng)
    places = list(yaml.safe_load(policy)["placements"])
    for number, document in enumerate(documents[::2]):
        del document["k"]
        document.pop("behaviour", None)
        document["placement"] = places[number % len(places)]
    return [as_http(server.path, host=f"{host}:{port}", document=document) for document in documents]


async def day(server: Server, given: argparse.Namespace, names: Sequence[str], temporary: Path) -> dict[str, float]:
    """Figures of a day on a running server."""
    text = file_or_shipped("policy", given.policy).read_text(encoding="utf-8")
    payloads = requests_of(server, given.bundle, text)
    ids = LoadShop.of_bundle(given.bundle).item_ids
    rng, seconds = np.random.default_rng(1), 60 * given.minutes
    due_R = due_times(given.rate, seconds=seconds, arrivals="poisson", rng=rng)
    load = Resending(server.url, payloads, due_R, connections=given.connections, timeout=given.timeout)
    changes, kills, sizes = Changes(), Changes(), list[Size]()

    async def look() -> None:
        start = time.monotonic()
        for number in itertools.count():
            at = time.monotonic() - start
            sizes.append(await asyncio.to_thread(Size.now, at, server.process.pid, temporary))
            if number % (TELL_SECONDS / LOOK_SECONDS) == 0:
                failed = int(((load.ledger.error_R > 0) | (load.ledger.status_R >= 400)).sum())
                say(
                    f"{at / 60:.0f} min: {int(load.ledger.taken().sum())} requests, {failed} failed, "
                    f"{len(load.resent)} resent, {changes.asked} changes, {len(changes.refused)} refused, "
                    f"{sizes[-1].rss_mb:.0f} MB, {sizes[-1].files} files"
                )
            await asyncio.sleep(LOOK_SECONDS)

    host, port = address_of(server.url)
    async with crowd(host, port, payloads, size=RUDE, rng=rng) as lived:
        looking = asyncio.create_task(look())
        loading = asyncio.create_task(load.run())
        await asyncio.gather(
            changes.every(PUT_SECONDS, lambda number: put_feed(server, number, ids), until=seconds),
            changes.every(RELOAD_SECONDS, lambda number: reload_other(server, number, names), until=seconds),
            changes.every(POLICY_SECONDS, lambda number: put_policy(server, number, text), until=seconds),
            kills.every(
                given.kill_seconds,
                lambda number: kill_a_worker(server, number),
                until=seconds,
                first=given.kill_seconds / 2 + OFF_BEAT_SECONDS,
            ),
            loading,
        )
        looking.cancel()
    summary = Summary.of(load.ledger, rate=given.rate, seconds=seconds)
    if summary.failed:
        say(f"failed: {summary.errors}, {summary.statuses}")
    return {
        "failed": float(summary.failed),
        **growth(sizes, settled=given.settled_seconds),
        "requests": float(summary.requests),
        "resent": float(len(load.resent)),
        "p50_ms": summary.latency_ms.get("p50_ms", 0.0),
        "p99_ms": summary.latency_ms.get("p99_ms", 0.0),
        "model_share": float(load.ledger.undegraded().sum() / max(summary.requests, 1)),
        "minutes": given.minutes,
        "changes": float(changes.asked),
        "changes_failed": float(len(changes.refused)),
        "kills": float(kills.asked),
        "rude_clients": float(sum(lived.values())),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the rows into the result file."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.day", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--policy", default="electronics")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds that a well-behaved client waits")
    parser.add_argument("--kill-seconds", type=float, default=KILL_SECONDS)
    parser.add_argument("--settled-seconds", type=float, default=SETTLED_SECONDS)
    parser.add_argument("--log", type=Path, default=Path("runs/benchmarks/logs/day.log"), help="the server's log")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped too
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (temporary := work / "temporary").mkdir()
        good = work / "bundles" / "good"
        shutil.copytree(given.bundle, good)
        names = [good.name, again(good, 1).name]
        flags = ["--policy", given.policy, "--workers", str(given.workers), "--state", str(work / "state")]
        flags += ["--grace-seconds", "0"]
        with (
            tillside(good, log=given.log, flags=flags, admin=True, temporary=temporary) as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            go_first(server.process.pid)
            go_first(os.getpgrp())
            figures = runner.run(day(server, given, names, temporary))
    for name, value in figures.items():
        say(f"{SYSTEM} {name}: {value:.6g}")
    rows = [{"log": "synthetic", "system": SYSTEM, "metric": name, "value": value} for name, value in figures.items()]
    publish(rows, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
