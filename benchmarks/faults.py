"""Fault scenarios, each under load on a fresh server: overload, SIGTERM, reloads of good and broken bundles, a soak.

Each scenario returns its figures by metric name. Malformed requests are in benchmarks.fuzzing.

Shapes: R requests.
"""

import asyncio
import os
import shutil
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from benchmarks.broken import KINDS, again, break_bundle
from benchmarks.servers import Server, tillside
from serving.bench.ledger import Ledger
from serving.bench.load import Load, address_of
from serving.bench.plan import Plan
from serving.bench.resident import Samples, sampled, slope_mb_per_hour
from serving.bench.schedule import due_times
from serving.bench.shoppers import Lengths, LoadShop, as_http, draw_requests
from serving.bench.summary import Summary, percentiles

Figures = dict[str, float]
DISTINCT: Final = 4096
PROBE_SECONDS: Final = 0.02
BALANCER_SECONDS: Final = 0.25
"""How long a load balancer keeps sending after the server reports that it is not ready."""
OVERLOAD_CONNECTIONS: Final = 900
PATIENCE_MS: Final = 1000
"""Latency limit of a request that names no deadline."""
TAIL_SECONDS: Final = 10.0
TAIL_SHARE: Final = 0.3
"""Share of the saturation rate that goes on after an overload, to observe recovery."""
HANG_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Setting:
    """Parameters that all scenarios share.

    Attributes:
        bundle: a synthetic one, of benchmarks.bundles.
        rate: requests a second in the scenarios that are not about rates.
        deadline_ms: sent with each request under overload; None leaves the field out.
        flags: more flags for ``python -m serving``.
        server_cores, own_cores: CPU cores of the server and of the load generator; None for all.
    """

    bundle: Path
    work: Path
    seconds: float
    rate: float
    deadline_ms: int | None
    connections: int = 64
    flags: tuple[str, ...] = ()
    server_cores: set[int] | None = None
    own_cores: set[int] | None = None

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the load generator's own event loop, on its own cores."""
        before = os.sched_getaffinity(0)
        if self.own_cores is not None:
            os.sched_setaffinity(0, self.own_cores)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(coroutine)
        finally:
            os.sched_setaffinity(0, before)

    def server(self, bundle: Path | None = None, *, admin: bool = False) -> Any:
        """Context manager: our server, ready."""
        log = self.work / "logs" / f"tillside-{time.time():.0f}.log"
        return tillside(bundle or self.bundle, log=log, flags=self.flags, admin=admin, cores=self.server_cores)

    def plan(
        self, server: Server, *, deadline_ms: int | None = None, lengths: Lengths = "realistic", seconds: float = 0.0
    ) -> Plan:
        """Plan of the loads on a running server."""
        host, port = address_of(server.url)
        rng = np.random.default_rng(0)
        shop = LoadShop.of_bundle(self.bundle)
        documents = draw_requests(shop, count=DISTINCT, k=20, rng=rng, deadline_ms=deadline_ms, lengths=lengths)
        payloads = [as_http(server.path, host=f"{host}:{port}", document=server.wrap(each)) for each in documents]
        pid, read = server.process.pid, server.read
        return Plan(server.url, payloads, seconds or self.seconds, connections=self.connections, pid=pid, read=read)


def overload(setting: Setting) -> Figures:
    """Load at twice the model tier's saturation rate, then a calm tail in which the server must recover."""
    with setting.server() as server:
        plan = replace(
            setting.plan(server, deadline_ms=setting.deadline_ms), connections=OVERLOAD_CONNECTIONS, warm_seconds=0.0
        )
        saturation = setting.run(saturation_rate(plan, start=2 * setting.rate))
        rng = np.random.default_rng(1)
        storm = due_times(2 * saturation, seconds=setting.seconds, arrivals="poisson", rng=rng)
        tail = due_times(TAIL_SHARE * saturation, seconds=TAIL_SECONDS, arrivals="poisson", rng=rng)
        load = Load(
            plan.url,
            plan.payloads,
            np.concatenate([storm, setting.seconds + tail]),
            connections=OVERLOAD_CONNECTIONS,
            timeout=HANG_SECONDS,
        )

        async def under_load() -> tuple[Ledger, Samples]:
            async with sampled(server.process.pid) as samples:
                return await load.run(), samples

        ledger, samples = setting.run(under_load())
    return overload_figures(
        ledger, samples, saturation=saturation, end=setting.seconds, deadline_ms=setting.deadline_ms
    )


def overload_figures(
    ledger: Ledger, samples: Samples, *, saturation: float, end: float, deadline_ms: int | None
) -> Figures:
    """Figures of an overload that ended at ``end`` seconds.

    ``recovery_s``: how long after the end the last request was due that failed, was degraded, or missed its deadline
    (PATIENCE_MS where it had none).
    """
    storm_R, tail_R = ledger.due_R < end, ledger.due_R >= end
    latency_R = (ledger.done_R - ledger.due_R) * 1000
    in_time_R = latency_R <= (deadline_ms or PATIENCE_MS)
    bad_R = tail_R & ~(ledger.undegraded() & in_time_R)
    latency_ms = percentiles(latency_R[storm_R & (ledger.status_R > 0)])
    summary = Summary.of(ledger, rate=2 * saturation, seconds=end, rss_mb=samples)
    return {
        "saturation_rps": saturation,
        "requests": float(storm_R.sum()),
        "5xx": float((ledger.status_R >= 500).sum()),
        "errors": float((ledger.error_R > 0).sum()),
        "p50_ms": latency_ms.get("p50_ms", 0.0),
        "p99_ms": latency_ms.get("p99_ms", 0.0),
        "late_p99_ms": summary.late_ms.get("p99_ms", 0.0),
        "model_share": float((storm_R & ledger.undegraded()).sum() / max(storm_R.sum(), 1)),
        "recovery_s": float(ledger.due_R[bad_R].max() - end) if bad_R.any() else 0.0,
        "rss_growth_mb": growth(samples),
    }


def growth(samples: Samples) -> float:
    """RSS growth in MB: mean of the last fifth of the samples minus that of the second fifth; 0 for fewer than ten."""
    fifth = len(samples) // 5
    if fifth < 2:
        return 0.0
    early, late = ([size for _, size in part] for part in (samples[fifth : 2 * fifth], samples[-fifth:]))
    return sum(late) / fifth - sum(early) / fifth


async def saturation_rate(plan: Plan, *, start: float, seconds: float = 3.0) -> float:
    """Most undegraded answers a second: the load doubles, five times at most, until the server falls behind."""
    best, rate = 0.0, start
    for _ in range(6):
        ledger = await plan.load(rate, seconds).run()
        lasted = max(seconds, float(np.nanmax(ledger.done_R)))
        reached = int(ledger.undegraded().sum()) / lasted
        best = max(best, reached)
        if reached < 0.7 * rate:
            return best
        rate *= 2
    return best


def sigterm(setting: Setting) -> Figures:
    """SIGTERM under load, which stops BALANCER_SECONDS after readiness fails, as a balancer that probes it would."""
    with setting.server() as server:
        plan = setting.plan(server)

        async def under_load() -> Ledger:
            load = plan.load(setting.rate, setting.seconds)
            running = asyncio.create_task(load.run())
            await asyncio.sleep(setting.seconds / 3)
            server.signal(signal.SIGTERM)
            while server.process.poll() is None and not running.done():
                if (await asyncio.to_thread(server.get, "/health/ready"))[0] != 200:
                    break
                await asyncio.sleep(PROBE_SECONDS)
            await asyncio.sleep(BALANCER_SECONDS)
            load.stop()
            return await running

        ledger = setting.run(under_load())
        code = server.process.wait(120)
    return {**_counts(ledger), "exit_code": float(code)}


def reload(setting: Setting) -> Figures:
    """Repeated SIGHUPs under load, each time with the other of two good bundles behind the server's symlink."""
    folder = _folder(setting, "reload")
    good = _copy(setting.bundle, folder / "good")
    others = [good, again(good, 1)]
    current = folder / "current"
    current.symlink_to(good.absolute())
    with setting.server(current) as server:
        plan, seen = setting.plan(server), []

        async def under_load() -> Ledger:
            running = asyncio.create_task(plan.load(setting.rate, setting.seconds).run())
            for number in range(1, max(2, int(setting.seconds / 2))):
                _, before = await asyncio.to_thread(server.get, "/v1/model")
                fresh = folder / "next"
                fresh.symlink_to(others[number % 2].absolute())
                fresh.replace(current)
                server.signal(signal.SIGHUP)
                seen.append(await _changed(server, str(before.get("bundle")), running))
            return await running

        ledger = setting.run(under_load())
    return {**_counts(ledger), "asked": float(len(seen)), "reloads": float(sum(seen))}


async def _changed(server: Server, version: str, running: "asyncio.Task[Ledger]") -> bool:
    """Whether a bundle other than ``version`` answers before the load ends."""
    while not running.done() and server.process.poll() is None:
        _, model = await asyncio.to_thread(server.get, "/v1/model")
        if model.get("bundle") not in (None, version):
            return True
        await asyncio.sleep(0.2)
    return False


def broken_bundles(setting: Setting) -> Figures:
    """Reload each kind of broken bundle over the admin port, under load: all must be refused, no request may fail."""
    folder = _folder(setting, "broken")
    good = _copy(setting.bundle, folder / "good")
    names = [break_bundle(good, kind).name for kind in KINDS]
    with setting.server(good, admin=True) as server:
        plan, refused = setting.plan(server), []

        async def under_load() -> Ledger:
            load = plan.load(setting.rate, max(setting.seconds, 600.0))
            running = asyncio.create_task(load.run())
            _, before = await asyncio.to_thread(server.get, "/v1/model")
            for name in names:
                status, _ = await asyncio.to_thread(server.post_admin, "/v1/admin/reload", {"bundle": name})
                _, after = await asyncio.to_thread(server.get, "/v1/model")
                refused.append(status >= 400 and after.get("bundle") == before.get("bundle"))
                if server.process.poll() is not None:
                    break
                await asyncio.sleep(setting.seconds / len(names) / 2)
            load.stop()
            return await running

        ledger = setting.run(under_load())
    return {**_counts(ledger), "kinds": float(len(names)), "refused": float(sum(refused))}


def soak(setting: Setting, *, minutes: float) -> Figures:
    """Soak: sessions of every length for ``minutes``; the RSS slope leaves out the first tenth."""
    seconds = 60 * minutes
    with setting.server() as server:
        plan = setting.plan(server, lengths="every", seconds=seconds)

        async def under_load() -> tuple[Ledger, Samples]:
            async with sampled(server.process.pid) as samples:
                return await plan.load(setting.rate, seconds).run(), samples

        ledger, samples = setting.run(under_load())
    return {
        **_counts(ledger),
        "minutes": minutes,
        "p99_ms": Summary.of(ledger, rate=setting.rate, seconds=seconds).latency_ms.get("p99_ms", 0.0),
        "rss_mb": samples[-1][1],
        "rss_slope_mb_per_h": slope_mb_per_hour(samples, after=seconds / 10),
    }


def _counts(ledger: Ledger) -> Figures:
    summary = Summary.of(ledger, rate=0.0, seconds=0.0)
    return {"requests": float(summary.requests), "failed": float(summary.failed)}


def _folder(setting: Setting, name: str) -> Path:
    folder = setting.work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _copy(bundle: Path, out: Path) -> Path:
    shutil.copytree(bundle, out)
    return out
