"""Serving: latency by catalogue and rate, the rates held beside rivals, and what must not hurt a shop.

    python -m benchmarks.serving --scenarios matrix must held rivals --repeats 3 --pin
    python -m benchmarks.serving --scenarios overload sigterm reload broken --seconds 60
    python -m benchmarks.serving --scenarios soak --soak-minutes 30

Each scenario stands alone and has its own bound in time; its rows replace those of the same systems in
``benchmarks/results/serving.json`` and ``faults.json``, all others are kept with the command that measured them.
Bundles are synthetic (benchmarks.bundles) and lie in ``--work``; they are made in a process of their own.
"""

import argparse
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.faults import Figures, Setting, broken_bundles, overload, reload, sigterm, soak
from benchmarks.fuzzing import fuzz
from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.servers import RIVALS, Server, rival
from serving.bench.rates import find_rate
from serving.bench.summary import Summary

Row = dict[str, Any]
SERVING: Final = ("matrix", "must", "held", "rivals")
FAULTS: Final = ("overload", "sigterm", "reload", "broken", "fuzz", "soak")
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
RATES: Final = (50, 200, 500, 1_000, 1_500, 2_000, 3_000, 4_000)
MUST_ITEMS, MUST_RATES, P99_MS = 100_000, (50, 1_000), 10.0
QUIET_RATE: Final = 10
"""Requests a second at which the rivals' latencies are compared."""
LOG: Final = "synthetic"
NOTES: Final = {
    "serving": (
        "Synthetic bundles, 64 dimensions, untrained, k = 20. Open loop, Poisson arrivals, latency from the moment a "
        "request was due, over loopback; the generator shares the machine and goes first (nice -15). errors: requests "
        "without an answer, or with a 4xx or 5xx. model_share: of the requests, those that the model's tier answered. "
        "late_p99_ms: how late the generator was itself; where it is above 2 the latencies are partly its own. "
        "rate_held_10ms: the highest rate at which nothing failed and 99 in 100 requests had an undegraded answer "
        "within 10 ms (others alike), found to 5 %. Of several repeats the median is shown. The rivals serve the same "
        "model: torch in eager mode and onnxruntime behind FastAPI, and mlflow models serve, each with one worker. "
        "engine: one query of 20 events without HTTP, by benchmarks.engine; bandwidth_share: the time in which memory "
        "gives as many bytes as the search reads, over the search's."
    ),
    "faults": (
        "Each under open-loop load on a fresh server. sigterm: the load ends 0.25 s after the server says that it is "
        "not ready. reload: SIGHUP, each time with another good bundle. broken-bundles: over the admin port; refused "
        "of kinds. overload: twice the rate at which the model saturates; recovery_s is when the last request was due, "
        "after the overload, that was degraded or late. rss_slope_mb_per_h: least squares, the first tenth left out."
    ),
}
TITLES: Final = {"serving": "Serving speed", "faults": "Serving under faults"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen scenarios; each one's rows are written as soon as it ends."""
    given = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped too
    for name, measure in scenarios(given):
        print(f"== {name}", flush=True)
        file = "serving" if name in SERVING else "faults"
        runs: list[list[Row]] = []
        for _ in range(given.repeats if name in SERVING else 1):
            runs.append(measure())
        rows = medians(runs)
        for row in rows:
            print(f"{row['system']:>28} {row['metric']:<22} {row['value']:,.4g}")
        publish(file, rows, folder=given.results)


def scenarios(given: argparse.Namespace) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """The chosen scenarios by name, in running order."""
    setting = Setting(
        bundle=bundle_of(given, MUST_ITEMS if MUST_ITEMS in given.items else max(given.items)),
        work=given.work,
        seconds=given.seconds,
        rate=given.rate,
        deadline_ms=given.deadline_ms,
        connections=given.connections,
        flags=tuple(given.server_flags.split()),
        server_cores={0} if given.pin else None,
        own_cores={1} if given.pin else None,
    )
    schemathesis = given.schemathesis
    faults: dict[str, tuple[str, Callable[[], Figures]]] = {
        "overload": ("overload", lambda: overload(setting)),
        "sigterm": ("sigterm", lambda: sigterm(setting)),
        "reload": ("reload", lambda: reload(setting)),
        "broken": ("broken-bundles", lambda: broken_bundles(setting)),
        "fuzz": ("fuzz", lambda: fuzz(setting, requests=given.fuzz_requests, schemathesis=schemathesis)),
        "soak": ("soak", lambda: soak(setting, minutes=given.soak_minutes)),
    }
    for name in given.scenarios:
        if name in faults:
            system, measure = faults[name]
            yield name, lambda system=system, measure=measure: rows_of(system, measure())
        elif name == "rivals":
            yield name, lambda: rivals(setting, given.p99_ms)
        else:
            yield name, lambda name=name: ours(name, setting, given)


def ours(name: str, setting: Setting, given: argparse.Namespace) -> list[Row]:
    """Rows of ``matrix`` (rates up to saturation), ``must`` (the promised rates) or ``held``."""
    rows: list[Row] = []
    for items in given.items if name == "matrix" else [None]:
        if items is not None:
            setting = replace(setting, bundle=bundle_of(given, items))
        with setting.server() as server:
            size = short(catalogue_size(setting.bundle))
            if name == "held":
                return rows_of(f"http-{size}", held(setting, server, given.p99_ms))
            for rate in given.rates if name == "matrix" else MUST_RATES:
                summary = setting.run(setting.plan(server).measure(float(rate)))
                rows += rows_of(f"http-{size}-{rate}rps", figures(summary))
                if name == "matrix" and saturated(summary):
                    break
    return rows


def rivals(setting: Setting, bounds: Sequence[float]) -> list[Row]:
    """Each rival's latency at a quiet rate and the rate it holds, ours from the same run, and the ratios."""
    size = short(catalogue_size(setting.bundle))
    found: dict[str, Figures] = {}
    with setting.server() as server:
        found["tillside"] = beside(setting, server, bounds)
    for name in RIVALS:
        log = setting.work / "logs" / f"{name}.log"
        with rival(name, setting.bundle, log=log, cores=setting.server_cores) as server:
            found[name] = beside(setting, server, bounds)
    rows = [row for name, each in found.items() for row in rows_of(f"{name}-{size}", each)]
    for name in RIVALS:
        rows += rows_of(f"tillside/{name}", ratios(found["tillside"], found[name]))
    return rows


def ratios(mine: Figures, theirs: Figures) -> Figures:
    """Ratios, above 1 in our favour: our rate held over theirs, no row where they held none; their p50 over ours."""
    found = {"p50_ratio": theirs["p50_ms"] / mine["p50_ms"]}
    for name, rate in theirs.items():
        if name.startswith("rate_held") and rate:
            found[name.replace("held", "ratio")] = mine[name] / rate
    return found


def beside(setting: Setting, server: Server, bounds: Sequence[float]) -> Figures:
    """Figures to compare: latency at a quiet rate, and the rate held."""
    quiet = setting.run(setting.plan(server).measure(float(QUIET_RATE)))
    return {**figures(quiet), **held(setting, server, bounds)}


def held(setting: Setting, server: Server, bounds: Sequence[float]) -> Figures:
    """Highest rate held within each bound on p99 (ms), and the number of trials that found it."""
    plan, found = setting.plan(server), {}
    for bound in bounds:
        rate, trials = setting.run(find_rate(plan.measure, p99_ms=bound, start=float(setting.rate)))
        found |= {f"rate_held_{bound:g}ms": rate, f"trials_{bound:g}ms": float(len(trials))}
    return found


def figures(summary: Summary) -> Figures:
    """Metrics of one load."""
    found = {name: summary.latency_ms[name] for name in ("p50_ms", "p90_ms", "p99_ms", "p999_ms") if summary.latency_ms}
    share = summary.tiers.get("model", 0) / max(summary.requests, 1)
    found |= {"errors": float(summary.failed), "model_share": share}
    found |= {"requests": float(summary.requests), "late_p99_ms": summary.late_ms.get("p99_ms", 0.0)}
    return found | ({"rss_mb": summary.rss_mb["peak"]} if summary.rss_mb else {})


def saturated(summary: Summary) -> bool:
    """Whether a higher rate would say nothing new: half of the answers take over 100 ms, degrade or fail."""
    half = summary.undegraded_ms.get("p50_ms")
    return half is None or half > 100


def rows_of(system: str, found: Mapping[str, float]) -> list[Row]:
    """One row per figure."""
    return [{"log": LOG, "system": system, "metric": name, "value": value} for name, value in found.items()]


def medians(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """One row per system and metric of any run: the median over the runs that have it, and their number."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in (row for run in runs for row in run):
        values.setdefault((row["system"], row["metric"]), []).append(row["value"])
    return [
        {"log": LOG, "system": system, "metric": metric, "value": statistics.median(found), "runs": len(found)}
        for (system, metric), found in values.items()
    ]


def publish(name: str, fresh: Sequence[Row], *, folder: Path = RESULTS) -> None:
    """Write a result file from the fresh rows and its present rows of other systems."""
    systems = {row["system"] for row in fresh}
    kept = [row for row in read_rows(folder / f"{name}.json") if row["system"] not in systems]
    write_results(name, [*fresh, *kept], title=TITLES[name], notes=NOTES[name], folder=folder)


def bundle_of(given: argparse.Namespace, items: int) -> Path:
    """The synthetic bundle of a size; a missing one is written by a process of its own, which may import torch."""
    folder = given.work / "bundles"
    out: Path = folder / f"{'memory' if given.memory else 'model'}-{items}"
    if not out.is_dir():
        command = [sys.executable, "-m", "benchmarks.bundles", "--items", str(items), "--out", str(folder)]
        subprocess.run([*command, *(["--memory"] if given.memory else [])], check=True)
    return out


def catalogue_size(bundle: Path) -> int:
    """Catalogue size of a bundle of :func:`bundle_of`, from its name."""
    return int(bundle.name.rpartition("-")[2])


def short(items: int) -> str:
    """Size for a system's name: ``10k``, ``1m``."""
    for unit, name in ((1_000_000, "m"), (1_000, "k")):
        if items % unit == 0:
            return f"{items // unit}{name}"
    return str(items)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = (*SERVING, *FAULTS)
    parser.add_argument("--scenarios", nargs="+", choices=every, default=every, metavar="NAME", help=", ".join(every))
    parser.add_argument("--items", type=int, nargs="+", default=SIZES, help="catalogues; all but matrix take 100,000")
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="of matrix, until the server is saturated")
    parser.add_argument("--rate", type=float, default=200.0, help="of faults, and where searches begin")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each load")
    parser.add_argument("--repeats", type=int, default=3, help="of matrix, must, held, rivals; medians are shown")
    parser.add_argument("--p99-ms", type=float, nargs="+", default=[P99_MS], help="what held and rivals must keep")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--deadline-ms", type=int, help="sent along under overload; left out by default")
    parser.add_argument("--soak-minutes", type=float, default=30.0)
    parser.add_argument("--fuzz-requests", type=int, default=10_000)
    parser.add_argument("--schemathesis", metavar="PROGRAM", help="its command, where it is installed")
    parser.add_argument("--memory", action="store_true", help="bundles with a memory of past sessions")
    parser.add_argument("--server-flags", default="", help="more flags for python -m serving, in one word")
    parser.add_argument("--pin", action="store_true", help="server on core 0, generator on core 1")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/serving"), help="bundles, logs and models")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the result files")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
