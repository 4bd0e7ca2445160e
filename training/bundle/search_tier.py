"""Chooses a bundle's search tier: the fastest one whose recall on the model's own queries is high enough.

``exact`` scores fp32 rows. ``int8`` scans 8-bit rows for candidates and rescores them; where a list cannot be proven
exact the whole catalogue is scored, so the recall measured here is that of the scan alone and says how often it
suffices. ``approximate`` is an exhaustive scan of 4-bit product-quantised rows (faiss fast scan), for catalogues where
even int8 is slow. Inverted lists (IVF) were no match for it: at a million items, on vectors without clusters, a recall
of .93 needs a quarter of all lists probed.

Shapes: Q queries, N items, D columns.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside import bundle
from tillside.engine import open_search
from tillside.search import MARGIN, ItemSearch, SearchPlan
from tillside.search_bounds import INT8_BLOCK
from training.bundle.graphs import write_int8_scorer

FloatArray = npt.NDArray[np.float32]
TOP = 20
INT8_FROM = 2_000
"""Items from which int8 saves time; below, the fp32 scan is as cheap as the call itself."""
APPROXIMATE_FROM = 200_000
"""Items from which exact search takes over a millisecond and the index less than half of that."""
INT8_RECALL = 0.999
APPROXIMATE_RECALL = 0.99
CANDIDATES = (100, 140, 200, 280, 400, 560, 800, 1130, 1600, 2260, 3200)
COLUMNS_QUANTISED = 32
"""Approximate number of column groups with a 4-bit code each: 16 bytes per item."""
LEARN_FROM = 65_536


def choose_search(
    folder: Path,
    queries_QD: FloatArray,
    *,
    int8_from: int = INT8_FROM,
    approximate_from: int = APPROXIMATE_FROM,
) -> SearchPlan:
    """Write the fastest sufficient tier's files beside items.npy and its fp32 scorer; returns tier and measurements.

    Args:
        queries_QD: the model's own queries; without any nothing can be measured and the tier is ``exact``.
        int8_from: items from which ``int8`` is tried.
        approximate_from: items from which ``approximate`` is tried.
    """
    items_ND = np.asarray(bundle.load_items(folder))
    measured: dict[str, Any] = {"queries": len(queries_QD)}
    plan = SearchPlan(measured=measured)
    if len(items_ND) < int8_from or not len(queries_QD):
        return plan
    exact = open_search(folder, items_ND, plan)
    lowest_Q = np.array([exact.whole(query_D, TOP)[0][-1] for query_D in queries_QD])
    rounding = write_int8_scorer(folder / bundle.ITEMS, folder / bundle.INT8)
    int8 = SearchPlan("int8", rounding, measured=measured)
    search = open_search(folder, items_ND, int8)
    measured["int8"] = {"recall@20": _recall(search, queries_QD, lowest_Q, MARGIN), "block": INT8_BLOCK}
    proven = [_proven(search, query_D) for query_D in queries_QD]
    measured["int8"]["proven"] = round(float(np.mean(proven)), 4)
    if measured["int8"]["recall@20"] < INT8_RECALL:
        shutil.rmtree(folder / bundle.INT8)
        return plan
    if len(items_ND) < approximate_from:
        return int8
    write_index(items_ND, folder / bundle.INDEX)
    search = open_search(folder, items_ND, SearchPlan("approximate", rounding, 1, measured))
    for candidates in CANDIDATES:
        recall = _recall(search, queries_QD, lowest_Q, candidates)
        measured["approximate"] = {"recall@20": recall, "candidates": candidates}
        if recall >= APPROXIMATE_RECALL:
            return SearchPlan("approximate", rounding, candidates, measured)
    (folder / bundle.INDEX).unlink()
    return int8


def write_index(items_ND: FloatArray, path: Path) -> None:
    """Write a faiss PQ fast-scan index of the rows, columns zero-padded to a multiple of the group size."""
    import faiss  # lazy: needed for large catalogues only

    group = max(1, round(items_ND.shape[1] / COLUMNS_QUANTISED))
    groups = -(-items_ND.shape[1] // group)
    index = faiss.IndexPQFastScan(group * groups, groups, 4, faiss.METRIC_INNER_PRODUCT)
    padding = ((0, 0), (0, group * groups - items_ND.shape[1]))
    chosen = np.unique(np.linspace(0, len(items_ND) - 1, min(LEARN_FROM, len(items_ND))).astype(np.int64))
    index.train(np.pad(items_ND[chosen], padding))
    for start in range(0, len(items_ND), LEARN_FROM):
        index.add(np.pad(items_ND[start : start + LEARN_FROM], padding))
    faiss.write_index(index, str(path))


def _recall(search: ItemSearch, queries_QD: FloatArray, lowest_Q: FloatArray, candidates: int) -> float:
    """Recall@20 of the scan against exact search; items tied with the exact 20th count as hits."""
    found = [
        np.count_nonzero(search.scanned(query_D[None], TOP, candidates=candidates)[0] >= lowest)
        for query_D, lowest in zip(queries_QD, lowest_Q, strict=True)
    ]
    return round(float(np.mean(found)) / TOP, 5)


def _proven(search: ItemSearch, query_D: FloatArray) -> bool:
    before = search.unproven
    search.search(query_D[None], TOP)
    return search.unproven == before
