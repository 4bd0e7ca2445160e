"""Relations that were mined, held against what a simulated shop knows of itself: precision and recall.

    python -m benchmarks.relations --work runs/benchmarks/relations
    python -m benchmarks.relations --work runs/benchmarks/relations-1 --seed 1

Defaults were chosen while looking at the shop of seed 0; other seeds are other shops. The figures of seeds that are
not measured now stay in the result file.

A complement is right if the shop's truth lists it for the item, or lists both for a third one whose accessories they
are (a case and a charger of one phone). A ladder is the next dearer model of an item's own series. A substitute is
right if the shoppers' own list of the item has it.
"""

# Shapes: N items.

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from benchmarks.results import RESULTS, read_rows, write_results
from benchmarks.stages import run_stage
from tillside.catalogue import Catalogue
from tillside.dataset import Dataset, load_dataset
from tillside.relations import Relations
from training.cli.console import print_table
from training.mining.stored import relations_of
from training.mining.traits import Traits

Ints = npt.NDArray[np.int64]
Z = 1.959964
SESSIONS: Final = 2_000_000
NOTES: Final = (
    "The last tenth of the sessions is the test part, which is not mined. Default settings, chosen while looking at "
    "seed 0, without compatibility rules and pairs set by hand. complement: precision counts pairs that share a host "
    "as right; recall is of the pairs that the truth lists for an item, in complement-with-shared also of those that "
    "share a host. substitute-strongest: as many of each item's as the truth lists for it. ladder: the nearest dearer "
    "model of the item's series among its upsells, against the next rung. Intervals: 95 %, Wilson."
)


def main() -> None:
    """Simulate, prepare, relate, score and write the result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/relations"), help="folder for the shop")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="sessions of the shop, 10 for 3 shoppers")
    parser.add_argument("--seed", type=int, default=0, help="of the shop")
    parser.add_argument("--relate", nargs="*", default=[], metavar="OVERRIDE", help="settings of training.relate")
    given = parser.parse_args()
    shop, prepared = given.work / "shop", given.work / "dataset"
    shoppers = f"shoppers={max(1, given.sessions * 3 // 10)}"
    run_stage("training.simulate", f"out={shop}", f"sessions={given.sessions}", shoppers, f"seed={given.seed}")
    log = [f"data.path={shop}/events.parquet", f"data.items={shop}/items.parquet"]
    run_stage("training.prepare", "data=events", *log, f"out={prepared}")
    cost = run_stage("training.relate", f"dataset={prepared}", *given.relate)
    dataset = load_dataset(prepared)
    relations = relations_of(dataset)
    assert relations is not None
    told = _told(dataset, shop, seconds=cost.seconds, peak_mb=cost.peak_mb)
    log = log_name(given.seed, given.sessions)
    rows = [{"log": log, "told": told, **row} for row in judge(relations, dataset.catalogue, shop / "truth")]
    others = [row for row in read_rows(RESULTS / "relations.json") if row["log"] != log]
    both = sorted([*others, *rows], key=lambda row: str(row["log"]))
    notes = " ".join([*dict.fromkeys(f"{row['log']}: {row['told']}" for row in both), NOTES])
    write_results("relations", both, title="Relations mined from the simulated shop", notes=notes)
    table = [[row["system"], row["metric"], f"{row['value']:.4f}", f"{row['pairs']:,}"] for row in rows]
    print_table("relations", ["system", "metric", "value", "pairs"], table, numbers=["value", "pairs"])


def log_name(seed: int, sessions: int) -> str:
    """Name of the shop of a seed and a size; the one that the defaults were chosen on is plain ``simulated``."""
    return "simulated" if (seed, sessions) == (0, SESSIONS) else f"simulated, seed {seed}, {sessions:,} sessions"


def judge(relations: Relations, catalogue: Catalogue, truth: Path) -> list[dict[str, Any]]:
    """Precision and recall: rows of system, metric, value with a 95 % interval, and the number of pairs judged.

    Args:
        truth: the folder ``truth`` of the simulated shop.
    """
    listed = _codes(truth / "complements.parquet", catalogue, "item_id", "other_id")
    shared = np.array(_column(truth / "complements.parquet", "kind")) == "shared"
    rivals = _codes(truth / "substitutes.parquet", catalogue, "item_id", "other_id")
    rungs = _codes(truth / "ladders.parquet", catalogue, "item_id", "up_id")
    complement, substitute = _mined(relations, "complement"), _mined(relations, "substitute")
    nearest = next_rungs(relations, Traits.of(catalogue))
    first = nearest_first(relations, rivals)
    return [
        *_row("complement", precision=(complement, listed), recall=(listed[~shared], complement)),
        *_row("complement-with-shared", recall=(listed, complement)),
        *_row("substitute", precision=(substitute, rivals), recall=(rivals, substitute)),
        *_row("substitute-strongest", precision=(first, rivals), recall=(rivals, first)),
        *_row("ladder", precision=(nearest, rungs), recall=(rungs, nearest)),
    ]


def _row(system: str, **shares: tuple[Ints, Ints]) -> list[dict[str, Any]]:
    """One row per metric: the share of the judged (first) pairs that are among the right (second) ones."""
    rows = []
    for metric, (judged, right) in shares.items():
        hits, size = int(np.isin(judged, right).sum()), len(judged)
        low, high = interval(hits, size)
        value = hits / size if size else 0.0
        rows.append({"system": system, "metric": metric, "value": value, "low": low, "high": high, "pairs": size})
    return rows


def interval(hits: int, size: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    if not size:
        return 0.0, 1.0
    share, wide = hits / size, Z**2 / size
    middle = share + wide / 2
    half = Z * math.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return (middle - half) / (1 + wide), (middle + half) / (1 + wide)


def next_rungs(relations: Relations, traits: Traits) -> Ints:
    """Each item's upsell of its own series that is nearest in price, as pair codes ``anchor * N + item``."""
    upsell = relations.tables["upsell"]
    anchors, items = upsell.anchors, np.asarray(upsell.items, np.int64)
    own = (traits.series[anchors] == traits.series[items]) & (traits.series[anchors] >= 0)
    anchors, items = anchors[own], items[own]
    order = np.lexsort((items, traits.prices[items], anchors))
    anchors, items = anchors[order], items[order]
    kept = np.r_[True, anchors[1:] != anchors[:-1]][: len(anchors)]
    return anchors[kept] * len(traits) + items[kept]


def nearest_first(relations: Relations, truth: Ints) -> Ints:
    """Each item's strongest substitutes, as many as the truth lists for it, as pair codes."""
    table, size = relations.tables["substitute"], relations.items
    wanted_N = np.bincount(truth // size, minlength=size)
    anchors = table.anchors
    place = np.arange(len(anchors)) - np.asarray(table.offsets)[anchors]
    kept = place < wanted_N[anchors]
    return anchors[kept] * size + np.asarray(table.items, np.int64)[kept]


def _mined(relations: Relations, name: str) -> Ints:
    table = relations.tables[name]
    return table.anchors * relations.items + np.asarray(table.items, np.int64)


def _codes(path: Path, catalogue: Catalogue, one: str, other: str) -> Ints:
    index: Mapping[str, int] = catalogue.index_of
    pairs = zip(_column(path, one), _column(path, other), strict=True)
    return np.array([index[a] * len(catalogue) + index[b] for a, b in pairs], np.int64)


def _column(path: Path, name: str) -> list[Any]:
    return list(pq.read_table(path, columns=[name])[name].to_pylist())


def _told(dataset: Dataset, shop: Path, *, seconds: float, peak_mb: float) -> str:
    counts = json.loads((shop / "truth" / "shop.json").read_text(encoding="utf-8"))["counts"]
    return (
        f"{counts['sessions']:,} sessions with {counts['events']:,} events of {counts['items']:,} items, of which "
        f"{len(dataset.before_test()):,} were mined; training.relate took {seconds:.0f} s and {peak_mb:,.0f} MB."
    )


if __name__ == "__main__":
    main()
