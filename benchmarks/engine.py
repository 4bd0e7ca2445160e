"""The engine alone, one thread: encode 20 events and search, by size of the catalogue, and how near the memory's limit.

    python -m benchmarks.engine [--sizes 10000 100000 1000000] [--dims 64 96] [--dry]

Encoders are untrained, items and queries synthetic, because no log at hand has a million items: ``hard`` ones lie
evenly in all directions, ``clustered`` ones in clusters, with columns that matter less and less, as learned ones. The
tier of each is the one that export chooses, and beside an approximate one the exact one is timed. The limit is the time
in which a dot product reads as many bytes as the search must; share is that time over the search's.

Shapes: Q queries, N items, D columns.
"""

# Further shapes: B queries of a batch, or sessions of one; L events; V eligible items.

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.results import write_results
from benchmarks.serving import publish
from serving.process.supervisor import HUGE_PAGES
from tillside import bundle
from tillside.catalogue import Catalogue
from tillside.encoding.batch import Batch
from tillside.encoding.spec import EncodingSpec
from tillside.engine import Engine
from tillside.search import MARGIN
from tillside.search_bounds import INT8_BLOCK
from training.bundle.graphs import write_encoder, write_scorer
from training.bundle.search_tier import COLUMNS_QUANTISED, choose_search
from training.cli.console import say
from training.model.checkpoint import TrainedModel
from training.model.next_item import NextItemModel
from training.settings.model import ModelConfig

FloatArray = npt.NDArray[np.float32]
EVENTS: Final = 20
TOP: Final = 20
TEMPERATURE: Final = 16.0
ROUNDS: Final = 5
BATCHES: Final = (1, 2, 4, 8, 16, 32)
ELIGIBLE: Final = (0.01, 0.1, 0.5, 0.95)
LOG: Final = "synthetic"
OF_SERVING: Final = ("p50_ms", "p99_ms", "recall@20", "bandwidth_share")
"""Metrics of the engine that the result file ``serving`` has too."""


def make_items(kind: str, items: int, dim: int, rng: np.random.Generator) -> FloatArray:
    """Item matrix [N, dim + 1]: unit rows, and a trend in the last column."""
    rows_ND = rng.standard_normal((items, dim), dtype=np.float32)
    if kind == "clustered":
        centres = rng.standard_normal((max(1, items // 50), dim), dtype=np.float32)
        rows_ND = (0.5 * rows_ND + centres[rng.integers(0, len(centres), items)]) * np.arange(1, dim + 1) ** -0.3
    rows_ND /= np.linalg.norm(rows_ND, axis=1, keepdims=True)
    trends_N = np.clip(0.5 * rng.standard_normal(items), -2, 2)
    return np.concatenate([rows_ND, trends_N[:, None]], axis=1).astype(np.float32)


def make_queries(items_ND: FloatArray, queries: int, rng: np.random.Generator) -> FloatArray:
    """Queries [Q, dim + 1]: cosine of about 0.8 to some item, the model's norm, and a weight for the trend."""
    near_QD = items_ND[rng.integers(0, len(items_ND), queries), :-1]
    noise_QD = rng.standard_normal(near_QD.shape) * 0.75 / np.sqrt(near_QD.shape[1])
    queries_QD = near_QD + noise_QD
    queries_QD *= TEMPERATURE / np.linalg.norm(queries_QD, axis=1, keepdims=True)
    return np.insert(queries_QD, near_QD.shape[1], 0.3, axis=1).astype(np.float32)


def make_bundle(folder: Path, items_ND: FloatArray, queries_QD: FloatArray) -> bundle.Bundle:
    """The part of a bundle that the engine opens, in the search tier that export chooses."""
    dim = items_ND.shape[1] - 1
    config, spec = ModelConfig(dim=dim, dropout=0.0, item_dropout=0.0), EncodingSpec()
    two = Catalogue(["a", "b"], 2, np.ones((2, 3), np.int64), np.ones(2, np.float32))
    model = NextItemModel(config, two, behaviours=3, gap_buckets=spec.gap_buckets)
    write_encoder(TrainedModel(model.eval(), config, spec, True), folder / bundle.ENCODER)
    np.save(folder / bundle.ITEMS, items_ND)
    write_scorer(folder / bundle.ITEMS, folder / bundle.SCORER)
    plan = choose_search(folder, queries_QD)
    return bundle.Bundle(folder, {"search": plan.document()})


def fastest(call: Callable[[int], None], calls: int) -> tuple[float, float]:
    """Median and p99 in ms of the round with the lowest median: others may share the machine."""
    rounds = []
    for number in range(ROUNDS):
        times = np.empty(calls)
        for place in range(calls):
            started = time.perf_counter()
            call(number * calls + place)
            times[place] = time.perf_counter() - started
        rounds.append((float(np.median(times)) * 1e3, float(np.quantile(times, 0.99)) * 1e3))
    return min(rounds)


def limit_ms(size: int) -> float:
    """Milliseconds to read ``size`` bytes once, sequentially; a buffer that fits into a cache is read from there."""
    buffer = np.ones(size // 4, np.float32)
    return fastest(lambda _: float(np.dot(buffer, buffer)) and None, max(5, min(200, 2**28 // size)))[0]


def bytes_read(tier: str, items: int, columns: int) -> int:
    """Fewest bytes that a search of this tier has to read."""
    if tier == "exact":
        return items * columns * 4
    if tier == "int8":
        blocks = -(-(columns - 1) // INT8_BLOCK)
        return items * (blocks * (INT8_BLOCK + 4) + 4)
    group = max(1, round(columns / COLUMNS_QUANTISED))
    return items * -(-columns // group) // 2


def measure(opened: bundle.Bundle, queries_QD: FloatArray, system: str, *, calls: int) -> list[dict[str, Any]]:
    """Rows of one engine: latency of encoding, search and both, recall@20, and its share of memory bandwidth."""
    engine, plan = Engine(opened.path, opened.items_ND, opened.search), opened.search
    rng, queries, items = np.random.default_rng(1), len(queries_QD), len(engine.items_ND)
    rows_BL = rng.integers(0, items, (queries, EVENTS))
    kinds_BL, gaps_BL = rng.integers(0, 3, rows_BL.shape), rng.integers(0, 20, rows_BL.shape)
    lengths_1, ask_1 = np.array([EVENTS]), np.array([0])

    def encode(number: int) -> None:
        row = slice(number % queries, number % queries + 1)
        engine.encode(Batch(rows_BL[row], kinds_BL[row], gaps_BL[row], lengths_1, lengths_1), ask_1)

    def search(number: int) -> None:
        row = slice(number % queries, number % queries + 1)
        engine.search(queries_QD[row], TOP)

    def whole(number: int) -> None:
        encode(number)
        search(number)

    for warm in range(10):
        whole(warm)
    figures: dict[str, float] = {}
    for name, call in {"encode_": encode, "search_": search, "": whole}.items():
        figures[f"{name}p50_ms"], figures[f"{name}p99_ms"] = fastest(call, calls)
    hits = 0
    for query_D in queries_QD:
        lowest = engine._search.whole(query_D, TOP)[0][-1]
        hits += np.count_nonzero(engine.search(query_D[None], TOP)[0] >= lowest)
    figures["recall@20"] = hits / (queries * TOP)
    size = bytes_read(plan.tier, *engine.items_ND.shape)
    figures["limit_ms"] = limit_ms(size)
    figures["gb_per_s"] = size / figures["limit_ms"] / 1e6
    figures["bandwidth_share"] = figures["limit_ms"] / figures["search_p50_ms"]
    say(f"{system}: {plan.tier}, {plan.measured}, unproven {engine._search.unproven}")
    for name, value in figures.items():
        say(f"  {name:>16} {value:.4f}")
    return [{"log": LOG, "system": system, "metric": name, "value": value} for name, value in figures.items()]


def measure_batches(opened: bundle.Bundle, queries_QD: FloatArray, size: str, *, calls: int) -> list[dict[str, Any]]:
    """Rows of milliseconds: an int8 and an fp32 scan by batch size, and a search by its share of eligible items."""
    engine = Engine(opened.path, opened.items_ND, opened.search)
    rows = []
    for precision, scan in {"int8": engine._search._alone, "fp32": engine._search._together}.items():
        for batch in BATCHES:
            query_BD = np.resize(queries_QD, (batch, queries_QD.shape[1]))
            value, _ = fastest(lambda _, scan=scan, q=query_BD: scan.propose(q, TOP + MARGIN) and None, calls)
            rows.append(
                {"log": LOG, "system": f"scan-{size}-{precision}", "metric": f"batch_{batch}_ms", "value": value}
            )
    rng, items = np.random.default_rng(2), len(engine.items_ND)
    for share in ELIGIBLE:
        eligible_V = np.sort(rng.choice(items, int(share * items), replace=False))
        value, _ = fastest(
            lambda number, some=eligible_V: (
                engine.search_among(queries_QD[[number % len(queries_QD)]], some, TOP) and None
            ),
            calls,
        )
        rows.append({"log": LOG, "system": f"among-{size}", "metric": f"eligible_{share:g}_ms", "value": value})
    for row in rows:
        say(f"{row['system']:>20} {row['metric']:>18} {row['value']:.3f}")
    return rows


def main() -> None:
    """Measure, print and write, with the memory settings (huge pages) of a server's workers."""
    if not HUGE_PAGES.keys() & os.environ:
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.engine", *sys.argv[1:]], os.environ | HUGE_PAGES)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 96], help="columns, without the trend's")
    parser.add_argument("--vectors", nargs="+", default=["hard", "clustered"], choices=["hard", "clustered"])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--dry", action="store_true", help="print only, write no result files")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        name = f"{size // 1000}k" if size < 1_000_000 else f"{size // 1_000_000}m"
        calls = max(10, min(200, 20_000_000 // size))
        for dim in options.dims:
            for kind in options.vectors:
                rng = np.random.default_rng(0)
                items_ND = make_items(kind, size, dim, rng)
                queries_QD = make_queries(items_ND, options.queries, rng)
                suffix = ("" if dim == 64 else f"-{dim}") + ("" if kind == "hard" else f"-{kind}")
                with tempfile.TemporaryDirectory(prefix="tillside-engine-") as folder:
                    opened = make_bundle(Path(folder), items_ND, queries_QD)
                    del items_ND
                    if opened.search.tier == "approximate":
                        rows += measure(opened, queries_QD, f"engine-{name}-approx{suffix}", calls=calls)
                        opened = bundle.Bundle(Path(folder), {"search": opened.search.exactly.document()})
                    exactly = "-exact" if size >= 1_000_000 else ""
                    rows += measure(opened, queries_QD, f"engine-{name}{exactly}{suffix}", calls=calls)
                    if kind == "hard":
                        rows += measure_batches(opened, queries_QD, f"{name}{suffix}", calls=max(5, calls // 10))
    if not options.dry:
        write_results(
            "engine",
            rows,
            title="The engine alone, one thread",
            notes="Milliseconds of one query with 20 events, k = 20, of the fastest of five rounds. engine-SIZE[-DIM]"
            "[-VECTORS]: dim 64 and hard vectors where nothing is said; items have one column more, the trend.",
        )
        publish("serving", [row for row in rows if "engine" in row["system"] and row["metric"] in OF_SERVING])


if __name__ == "__main__":
    main()
