"""``python -m serving.bench --url URL --bundle DIR --rate 500 1000``: load, a table, and JSON.

    python -m serving.bench --url http://127.0.0.1:8080 --bundle bundle --rate 50 1000 --seconds 60
    python -m serving.bench --url http://127.0.0.1:8080 --bundle bundle --find-rate 10 --pid PID --json found.json

Run it on a core of its own, or its own lateness (``late p99``) is part of what it measures.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from serving.bench.load import address_of
from serving.bench.plan import Plan
from serving.bench.rates import find_rate
from serving.bench.schedule import ARRIVALS
from serving.bench.shoppers import LENGTHS, LoadShop, as_http, draw_requests
from serving.bench.summary import Summary

PATH: Final = "/v1/recommend"
DISTINCT: Final = 4096
"""Number of distinct requests, sent round-robin."""
FIRST_RATE: Final = 100.0
COLUMNS: Final = (
    "rate", "requests", "failed", "p50", "p90", "p99", "p99.9", "max ms", "late p99", "done/s", "rss MB", "answers",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the loads, print a table row for each, and write the results as JSON if asked for."""
    given = make_parser().parse_args(arguments)
    try:
        plan = _plan(given)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            held, summaries = runner.run(_run(plan, given))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    document: dict[str, Any] = {"url": given.url, "command": sys.argv, "loads": [s.document() for s in summaries]}
    if held is not None:
        print(f"highest rate held at p99 <= {given.find_rate:g} ms: {held:,.0f}/s")
        document["held_rate"] = held
    if given.json is not None:
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


async def _run(plan: Plan, given: argparse.Namespace) -> tuple[float | None, list[Summary]]:
    print(_line(COLUMNS))

    async def measure(rate: float) -> Summary:
        summary = await plan.measure(rate)
        print(line_of(summary), flush=True)
        return summary

    if given.find_rate is not None:
        return await find_rate(measure, p99_ms=given.find_rate, start=given.rate[0])
    return None, [await measure(rate) for rate in given.rate]


def line_of(summary: Summary) -> str:
    """Table row of one load, under COLUMNS."""
    latency = [f"{value:.2f}" for value in summary.latency_ms.values()] or ["-"] * 5
    counts = {**summary.tiers, **{f"degraded:{name}": times for name, times in summary.reasons.items()}}
    counts |= {status: times for status, times in summary.statuses.items() if status != "200"}
    counts |= {f"error:{name}": times for name, times in summary.errors.items()}
    late = f"{summary.late_ms['p99_ms']:.2f}{'' if summary.kept_schedule() else ' LATE'}" if summary.late_ms else "-"
    memory = f"{summary.rss_mb['first']:.0f}-{summary.rss_mb['peak']:.0f}" if summary.rss_mb else "-"
    answers = ", ".join(f"{name} {times:,}" for name, times in counts.items())
    figures = [f"{summary.rate:,.0f}", f"{summary.requests:,}", f"{summary.failed:,}", *latency, late]
    return _line([*figures, f"{summary.done_rate:,.0f}", memory, answers])


def _line(cells: Sequence[str]) -> str:
    return " ".join([*(f"{cell:>9}" for cell in cells[:-1]), " " + cells[-1]])


def _plan(given: argparse.Namespace) -> Plan:
    host, port = address_of(given.url)
    shop = LoadShop.of_bundle(given.bundle) if given.bundle is not None else LoadShop.of_file(given.items)
    documents = draw_requests(
        shop,
        count=DISTINCT,
        k=given.k,
        deadline_ms=given.deadline_ms,
        lengths=given.lengths,
        rng=np.random.default_rng(given.seed),
    )
    payloads = [as_http(PATH, host=f"{host}:{port}", document=each, token=given.token) for each in documents]
    return Plan(
        given.url,
        payloads,
        given.seconds,
        connections=given.connections,
        timeout=given.timeout,
        arrivals=given.arrivals,
        warm_seconds=given.warm_seconds,
        pid=given.pid,
        seed=given.seed,
    )


def make_parser() -> argparse.ArgumentParser:
    """Parser of the flags."""
    parser = argparse.ArgumentParser(
        "python -m serving.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="of the server (default %(default)s)")
    shop = parser.add_mutually_exclusive_group(required=True)
    shop.add_argument("--bundle", type=Path, help="the bundle that is served: its items are asked about")
    shop.add_argument("--items", type=Path, help="or a file of item ids, one a line, most popular first")
    parser.add_argument("--rate", type=float, nargs="+", default=[FIRST_RATE], help="requests a second, one load each")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (default %(default)s)")
    parser.add_argument("--warm-seconds", type=float, default=1.0, help="before each load, not counted")
    parser.add_argument("--find-rate", type=float, metavar="P99_MS", help="search the highest rate held at this p99")
    parser.add_argument("--connections", type=_count, default=64, help="at most (default %(default)s)")
    parser.add_argument("--arrivals", choices=ARRIVALS, default="poisson", help="of requests (default %(default)s)")
    parser.add_argument("--lengths", choices=LENGTHS, default="realistic", help="of sessions; every: 1 to 200 alike")
    parser.add_argument("--k", type=_count, default=20, help="items asked for (default %(default)s)")
    parser.add_argument("--deadline-ms", type=_count, help="sent with each request; left out by default")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds until a request counts as an error")
    parser.add_argument("--token", default=os.environ.get("TILLSIDE_TOKEN"), help="bearer token ($TILLSIDE_TOKEN)")
    parser.add_argument("--pid", type=_count, help="process whose resident memory is sampled")
    parser.add_argument("--seed", type=int, default=0, help="of arrivals and sessions (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    return parser


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:10]) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
