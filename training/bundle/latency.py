"""Latency of an exported bundle in this process: encoding, search and blend of past sessions, one session at a time.

Server, queue and network are excluded; benchmarks/ measures those. Sessions are contiguous slices of the test part's
events, so long ones may span several shoppers' sessions.

Shapes: B = 1 session, N items, D columns.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tillside.bundle import open_bundle
from tillside.dataset import Dataset
from tillside.encoding.live import encode_session
from tillside.engine import Engine
from training.cli.progress import progress
from training.evaluation.served import answer_session

LATENCY_FILE = "latency.json"
LENGTHS = (1, 5, 20, 50)
REPEATS = 40
WARM_UP = 5
ITEMS = 20
Latency = dict[str, dict[str, float]]
"""Session length to ``p50_ms`` and ``p90_ms``."""


def measure_latency(bundle: Path, dataset: Dataset, *, clock: Callable[[], float] = time.perf_counter) -> Latency:
    """Milliseconds to compute a session's top 20 items and intent, by session length; empty without known items.

    Args:
        clock: returns seconds.
    """
    opened = open_bundle(bundle)
    engine, memory = Engine(bundle, opened.items_ND, opened.search), opened.memory
    known, part = len(engine.items_ND), dataset.part("test")
    flat = np.flatnonzero(np.asarray(part.items) < known)
    if not len(flat):
        return {}
    items, behaviours = np.asarray(part.items)[flat], np.asarray(part.behaviours)[flat]
    ask_B = np.array([dataset.goal])
    measured: Latency = {}
    for length in progress(LENGTHS, "measuring the bundle's latency"):
        took = []
        for repeat in range(-WARM_UP, REPEATS):
            chosen = (repeat * length + np.arange(length)) % len(flat)
            times = 60_000 * np.arange(length)
            started = clock()
            batch = encode_session(items[chosen], behaviours[chosen], times, spec=opened.encoding, known_items=known)
            answer_session(engine, memory, batch, ask_B, k=min(ITEMS, known))
            took.append(1000 * (clock() - started))
        p50, p90 = np.quantile(took[WARM_UP:], [0.5, 0.9])
        measured[str(length)] = {"p50_ms": float(p50), "p90_ms": float(p90)}
    return measured
