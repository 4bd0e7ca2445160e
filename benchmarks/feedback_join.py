"""How long the join of feedback takes, and how much memory: ``python -m benchmarks.feedback_join --events 30000000``.

A month of a shop: of a hundred events 80 are impressions, 15 clicks, 3 carts and 2 purchases; four items an answer; a
tenth of the clicks names no answer. What is timed runs in a process of its own on one core: staged tables to outcomes,
answers, lines and orders, all days. Staging is timed on real segments with a twentieth of the events, at most a
million.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.feedback import NAME, NOTES, TITLE
from benchmarks.results import RESULTS, read_rows, write_results
from tillside.feedback.events import Event, Line, encode_event
from tillside.feedback.exposures import Exposure, Slot, encode_exposure
from tillside.feedback.segments import EVENTS, EXPOSURES, SegmentWriter
from training.data.parsing.feedback_log import DAY_MS
from training.feedback.columns import ACTS, ANSWERS, LINES, SLOTS, STAGED_SCHEMAS
from training.feedback.joining import FORMAT, STATE, join
from training.feedback.staging import OF_KIND, stage, staged_file
from training.settings.attribution import AttributionConfig
from training.settings.measure import MeasureConfig

SYSTEM: Final = "join-30m"
DAYS: Final = 30
FIRST_DAY: Final = 20_454
SLOTS_EACH: Final = 4
ITEMS: Final = 20_000
PARTS: Final = 60
"""Staged segments of each kind."""
SHARES: Final = {"impression": 0.80, "click": 0.15, "cart": 0.03, "purchase": 0.02}


def made(out: Path, events: int, seed: int = 0) -> None:
    """Write staged tables and the state of a log with so many events."""
    draw = np.random.default_rng(seed)
    segments: dict[str, Any] = {}
    answers = int(events * SHARES["impression"] / SLOTS_EACH)
    for part in range(PARTS):
        count = answers // PARTS
        first = part * count
        time_N = _times(draw, count, part)
        shopper_N = draw.integers(0, max(answers // 6, 1), count)
        steps_NS = draw.integers(1, ITEMS // SLOTS_EACH, (count, SLOTS_EACH))  # no answer shows an item twice
        item_NS = (draw.integers(0, ITEMS, (count, 1)) + steps_NS.cumsum(1)) % ITEMS
        for kind, tables in (("exposures", _exposures(first, time_N, shopper_N, item_NS)),
                             ("events", _events(draw, first, time_N, shopper_N, item_NS))):  # fmt: skip
            for name, columns in tables.items():
                file = staged_file(out, name, f"part-{part:03d}")
                file.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(
                    _table(name, columns, f"part-{part:03d}"), file, compression="zstd", row_group_size=100_000
                )
            table = tables[OF_KIND[kind][0]]
            days, counts = np.unique(table["day"], return_counts=True)
            segments[f"{kind}/part-{part:03d}"] = {
                "bytes": 0, "read": int(counts.sum()), "rejected": {}, "cleared": {}, "bytes_left": 0,
                "days": {str(day): int(many) for day, many in zip(days, counts, strict=True)},
            }  # fmt: skip
    rules = {name: getattr(value, "value", value) for name, value in dataclasses.asdict(AttributionConfig()).items()}
    (out / STATE).write_text(json.dumps({"format_version": FORMAT, "attribution": rules, "segments": segments}))


Columns = dict[str, Any]
Ints = npt.NDArray[np.int64]


def _times(draw: np.random.Generator, count: int, part: int) -> Ints:
    length = DAYS * DAY_MS // PARTS
    return np.sort(FIRST_DAY * DAY_MS + part * length + draw.integers(0, length, count))


def _key(*parts: Ints) -> Ints:
    mixed = np.zeros(len(parts[0]), np.uint64)
    for each in parts:
        mixed = (mixed ^ each.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed.view(np.int64)


def _words(prefix: str, numbers: Ints) -> pa.Array:
    return pa.array(np.char.add(prefix, numbers.astype(str)))


def _exposures(first: int, time_N: Ints, shopper_N: Ints, item_NS: Ints) -> dict[str, Columns]:
    count = len(time_N)
    rec_N = np.arange(first, first + count)
    answer: Columns = {
        "recommendation_id": _words("0190a0b0-5c3e-7d2f-", rec_N), "time": time_N, "day": time_N // DAY_MS,
        "subject": _words("shopper-", shopper_N), "anonymous": np.zeros(count, bool), "placement": ["cart"] * count,
        "tier": ["model"] * count, "arm": np.where(shopper_N % 2, "a", "b").tolist(), "experiment": ["x"] * count,
        "policy": ["policy-1"] * count, "model": ["model-1"] * count, "rec_key": _key(rec_N), "record": rec_N - first,
        "slots": np.full(count, SLOTS_EACH), "subject_key": _key(shopper_N),
    }  # fmt: skip
    place_M = np.repeat(np.arange(count), SLOTS_EACH)
    item_M = item_NS.reshape(-1)
    slots = {name: pa.array(value).take(pa.array(place_M)) for name, value in answer.items()}
    slots |= {
        "position": np.tile(np.arange(1, SLOTS_EACH + 1), count), "item": _words("item-", item_M),
        "source": np.where(item_M % 3, "complement", "model").tolist(), "anchor": _words("item-", item_M // 7),
        "propensity": np.ones(len(item_M)), "slot_key": _key(rec_N[place_M], item_M),
        "shopper_key": _key(shopper_N[place_M], item_M), "session_key": _key(shopper_N[place_M], item_M + ITEMS),
    }  # fmt: skip
    return {ANSWERS: answer, SLOTS: slots}


def _events(draw: np.random.Generator, first: int, time_N: Ints, shopper_N: Ints, item_NS: Ints) -> dict[str, Columns]:
    place_M = np.repeat(np.arange(len(time_N)), SLOTS_EACH)
    impressions = len(place_M)
    take = {name: int(impressions * share / SHARES["impression"]) for name, share in SHARES.items()}
    clicked = np.sort(draw.choice(impressions, take["click"], replace=False))
    carted = np.sort(draw.choice(clicked, take["cart"], replace=False))
    bought = np.sort(draw.choice(carted, take["purchase"], replace=False))
    slot_M = np.concatenate([np.arange(impressions), clicked, carted])
    kinds = np.repeat(["impression", "click", "cart"], [impressions, len(clicked), len(carted)])
    after = np.repeat([2_000, 20_000, 60_000], [impressions, len(clicked), len(carted)])
    order = np.argsort(time_N[place_M[slot_M]] + after, kind="stable")
    slot_M, kinds, after = slot_M[order], kinds[order], after[order]

    def columns(slots: Ints, after: Any, serial: str) -> Columns:
        places, item = place_M[slots], item_NS.reshape(-1)[slots]
        shopper, time_M = shopper_N[places], time_N[places] + after
        return {
            "event_id": _words(f"{serial}-{first}-", np.arange(len(slots))), "time": time_M, "day": time_M // DAY_MS,
            "subject": _words("shopper-", shopper), "anonymous": np.zeros(len(slots), bool),
            "item": _words("item-", item),
            "rec_key": _key(first + places), "slot_key": _key(first + places, item), "shopper_key": _key(shopper, item),
            "session_key": _key(shopper, item + ITEMS), "subject_key": _key(shopper), "record": np.arange(len(slots)),
        }  # fmt: skip

    acts = columns(slot_M, after, "act") | {"kind": kinds.tolist()}
    loose = (kinds == "click") & (draw.random(len(kinds)) < 0.1)
    for name in ("rec_key", "slot_key"):
        acts[name] = pa.array(acts[name], mask=loose)
    lines = columns(bought, 3_600_000, "order") | {
        "kind": ["purchase"] * len(bought), "order_id": _words(f"order-{first}-", np.arange(len(bought))),
        "quantity": np.ones(len(bought), np.int64), "price": draw.uniform(1, 50, len(bought)).round(2),
        "line": np.zeros(len(bought), np.int64), "rec_key": None, "slot_key": None,
    }  # fmt: skip
    return {ACTS: acts, LINES: lines}


def _table(name: str, columns: Columns, file: str) -> pa.Table:
    schema, count = STAGED_SCHEMAS[name], len(columns["time"])
    arrays = []
    for field in schema:
        value = columns.get(field.name)
        if field.name == "file":
            value = [file] * count
        plain = (
            pa.nulls(count, field.type) if value is None else value if isinstance(value, pa.Array) else pa.array(value)
        )
        arrays.append(plain.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def staging_rate(events: int) -> float:
    """Records a second that one core stages from real segments, exposures and events together."""
    with tempfile.TemporaryDirectory() as folder:
        feedback, start = Path(folder) / "feedback", FIRST_DAY * DAY_MS
        writer, answers = SegmentWriter(feedback / EXPOSURES), events // SLOTS_EACH
        slots = [Slot(item=f"item-{place}", position=place + 1, source="model") for place in range(SLOTS_EACH)]
        fields: dict[str, Any] = {"tier": "model", "placement": "cart", "policy": "policy-1", "model": "model-1"}
        for number in range(answers):
            whose = {"shopper": f"shopper-{number // 6}", "session": f"visit-{number // 3}"}
            made = Exposure(recommendation_id=f"{number:032x}", time=start + number, slots=slots, **whose, **fields)
            writer.append([encode_exposure(made)])
        writer.close()
        writer = SegmentWriter(feedback / EVENTS)
        for number in range(events):
            whose = {"shopper": f"shopper-{number // 24}", "session": f"visit-{number // 12}"}
            named = {"event_id": f"{number:032x}", "recommendation_id": f"{number // 4:032x}"}
            when = {"time": start + number, "received": start + number}
            writer.append([encode_event(Event(**named, **when, **whose, **_one_event(number)))])
        writer.close()
        began = time.process_time()
        stage(feedback, Path(folder) / "out", {}, late_days=90)
        return (events + answers) / (time.process_time() - began)


def _one_event(number: int) -> dict[str, Any]:
    item = f"item-{number % SLOTS_EACH}"
    if number % 50 == 0:
        return {"kind": "purchase", "order_id": f"o-{number}", "lines": [Line(item=item, quantity=1, price=9.9)]}
    return {"kind": "click" if number % 6 == 0 else "impression", "item": item, "position": number % SLOTS_EACH + 1}


def timed(out: Path, memory_gb: float) -> dict[str, float]:
    """Join all days in this process; wall and processor seconds, and peak RSS in MB."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    config = MeasureConfig(
        feedback=str(out / "feedback"), out=str(out), rebuild=True, memory_gb=memory_gb, record=False
    )
    writer = SegmentWriter(out / "feedback" / EVENTS)  # staging wants a segment; this one is read and rejected
    writer.append([b"{}"])
    writer.close()
    began = time.monotonic(), time.process_time()
    measured = join(config)
    wall, cpu = time.monotonic() - began[0], time.process_time() - began[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(pq.ParquetFile(file).metadata.num_rows for file in (out / "outcomes").rglob("*.parquet"))
    return {"wall_s": wall, "cpu_s": cpu, "peak_mb": peak, "outcomes": rows, "days": measured.joined}


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--memory-gb", type=float, default=4.0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        print(json.dumps(timed(given.only, given.memory_gb)))
        return
    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder), given.events)
        again = [
            sys.executable,
            "-m",
            "benchmarks.feedback_join",
            "--only",
            folder,
            "--memory-gb",
            str(given.memory_gb),
        ]
        ended = subprocess.run(again, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(ended.stdout.splitlines()[-1])
    figures["staged_per_s"] = staging_rate(min(given.events // 20, 1_000_000))
    print(json.dumps(figures, indent=1))
    system = SYSTEM if given.events == 30_000_000 else f"join-{given.events / 1e6:g}m"
    kept = [row for row in read_rows(given.results / f"{NAME}.json") if row["system"] != system]
    rows = [{"log": "made", "system": system, "metric": name, "value": value} for name, value in figures.items()]
    write_results(NAME, [*kept, *rows], title=TITLE, notes=NOTES, folder=given.results)


if __name__ == "__main__":
    main()
