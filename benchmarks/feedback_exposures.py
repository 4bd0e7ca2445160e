"""What the log of exposures costs those who wait for an answer, beside how far the measurement itself scatters.

Three servers run throughout and are asked in short turns, in an order that is drawn anew for each round, with the same
requests at the same moments: one with the log and two without, of which the second against the first is what no
difference looks like (A/A). A ratio is the median of the rounds' ratios, with the interval of a sign test.

Surprising: Linux may share a processor among sessions first (autogroup), and each server is a session of its own, so
that its niceness says nothing to its neighbours. The sessions of servers and generator are put first, all alike, where
that is permitted: the question is what the log costs, not what a neighbour does.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import binom

from benchmarks.servers import tillside
from serving.bench.load import PRIORITY
from serving.bench.plan import Plan
from serving.bench.shoppers import LoadShop, as_http, draw_requests
from training.cli.console import say

LOGGED: Final = "logged"
PLAIN: Final = ("plain", "again")
WARM_SECONDS: Final = 0.3
"""Uncounted, before each turn."""
REQUESTS: Final = 1024
K: Final = 20
LEVEL: Final = 0.95
"""Of the intervals."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median ratio and the bounds of its interval."""

    value: float
    low: float
    high: float


def exposure_overhead(
    work: Path,
    bundle: Path,
    *,
    rate: float,
    rounds: int,
    seconds: float,
    cores: set[int] | None,
    run: Callable[[Any], Any],
) -> dict[str, float | Ratio]:
    """p99 and more with the exposure log as multiples of those without, and ``aa_``: of two servers without.

    Args:
        rate: requests a second of the one server that is asked.
        seconds: of a turn.
        cores: of each server; None for all.
    """
    documents = draw_requests(LoadShop.of_bundle(bundle), count=REQUESTS, k=K, rng=np.random.default_rng(0))
    documents = [each | {"shopper_id": f"s{n}", "session_id": f"v{n}"} for n, each in enumerate(documents)]
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in (*PLAIN, LOGGED)}
    rng = np.random.default_rng(1)
    with contextlib.ExitStack() as held:
        servers = {}
        for name in found:
            flags = ["--workers", "1", *(["--feedback", str(work / "exposures")] if name == LOGGED else [])]
            servers[name] = held.enter_context(tillside(bundle, log=work / f"{name}.log", flags=flags, cores=cores))
        held.enter_context(_first_in_line(["self", *(str(each.process.pid) for each in servers.values())]))
        for number in range(rounds):
            for name in rng.permutation(list(servers)).tolist():
                server = servers[name]
                host = server.url.removeprefix("http://")
                payloads = [as_http(server.path, host=host, document=each) for each in documents]
                plan = Plan(server.url, payloads, seconds, warm_seconds=WARM_SECONDS, seed=number)
                before = server.cpu_seconds()
                summary = run(plan.measure(rate))
                if summary.failed:
                    raise RuntimeError(f"{summary.failed} requests failed: {summary.errors} {summary.statuses}")
                used = (server.cpu_seconds() - before) / (seconds + WARM_SECONDS)
                found[name].append(summary.latency_ms | {"cpu": used})
            say(f"  round {number + 1} of {rounds}, p99 in ms: {_of(found, 'p99_ms')}")
    return {**figures_of(found), "rounds": float(rounds), "requests_per_s": rate}


def figures_of(found: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, float | Ratio]:
    """Ratios and medians of what was found in each round, by server."""
    columns = {
        name: {metric: np.array([each[metric] for each in rounds]) for metric in ("p50_ms", "p99_ms", "cpu")}
        for name, rounds in found.items()
    }
    plain, again = (columns[name] for name in PLAIN)
    logged = columns[LOGGED]
    figures: dict[str, float | Ratio] = {}
    for metric, name in {"p99_ms": "p99_ratio", "p50_ms": "p50_ratio", "cpu": "cpu_ratio"}.items():
        figures[name] = ratio(logged[metric] / plain[metric])
        figures[f"aa_{name}"] = ratio(again[metric] / plain[metric])
    medians = {"p50_ms": logged["p50_ms"], "p99_ms": logged["p99_ms"], "cores_used": logged["cpu"]}
    return figures | {name: float(np.median(values)) for name, values in medians.items()}


def ratio(ratios: Sequence[float]) -> Ratio:
    """The median of ratios, and the order statistics that hold the true one with a probability of LEVEL at least.

    With fewer than six there are none, and the bounds are the least and the greatest.
    """
    ordered = np.sort(ratios)
    outside = max(0, int(binom.ppf((1 - LEVEL) / 2, len(ordered), 0.5)) - 1)
    return Ratio(float(np.median(ordered)), float(ordered[outside]), float(ordered[-1 - outside]))


@contextlib.contextmanager
def _first_in_line(processes: Sequence[str]) -> Iterator[None]:
    """Put the sessions of processes before others while the block runs, where this user may."""
    paths = [Path("/proc", each, "autogroup") for each in processes]
    before = []
    with contextlib.suppress(OSError):
        for path in paths:
            before.append((path, path.read_text(encoding="ascii").split()[-1]))
            path.write_text(str(PRIORITY), encoding="ascii")
    try:
        yield
    finally:
        for path, nice in before:
            with contextlib.suppress(OSError):
                path.write_text(nice, encoding="ascii")


def _of(found: Mapping[str, Sequence[Mapping[str, float]]], metric: str) -> str:
    return ", ".join(f"{name} {rounds[-1][metric]:.2f}" for name, rounds in found.items())
