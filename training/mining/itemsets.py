"""Frequent item sets by FP-Growth: mlxtend's in memory, or the engine's own where it has one."""

import warnings
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import sparse

from tillside.relations import MOST_BUNDLE
from training.mining.columns import ITEM, SESSION
from training.mining.engines import MiningEngine, SetCounter

Set = tuple[int, ...]
HALF: Final = 0.5
"""Sessions subtracted from the floor: FP-Growth turns relative support back into a count with rounding."""


def frequent_sets(engine: MiningEngine, taken: ir.Table, *, floor: int) -> dict[Set, int]:
    """Item sets (ascending) of up to four items in at least ``floor`` sessions, with their session counts.

    Sorted by size, then items, so the order is reproducible.

    Args:
        taken: SESSION and ITEM, each item once per session.
    """
    if isinstance(engine, SetCounter):
        counted = engine.frequent_sets(taken, floor=floor, longest=MOST_BUNDLE)
    else:
        counted = _in_memory(engine, taken, floor=floor)
    return dict(sorted(counted.items(), key=lambda entry: (len(entry[0]), entry[0])))


def _in_memory(engine: MiningEngine, taken: ir.Table, *, floor: int) -> dict[Set, int]:
    found = engine.arrays(taken.order_by(SESSION, ITEM), [SESSION, ITEM])
    sessions, rows = np.unique(found[SESSION], return_inverse=True)
    columns, places = np.unique(found[ITEM], return_inverse=True)
    if len(sessions) < floor:
        return {}
    ones = sparse.coo_array((np.ones(len(rows), bool), (rows, places)), shape=(len(sessions), len(columns)))
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(ones), columns=[str(item) for item in columns])
    with warnings.catch_warnings():
        from mlxtend.frequent_patterns import fpgrowth  # its import changes the process-wide warning filters

        warnings.simplefilter("ignore")  # pandas warns about mlxtend's use of a sparse frame
        mined = fpgrowth(frame, min_support=(floor - HALF) / len(sessions), max_len=MOST_BUNDLE)
    sets = [tuple(sorted(int(columns[place]) for place in each)) for each in mined["itemsets"]]
    counts = (mined["support"].to_numpy() * len(sessions)).round().astype(int).tolist()
    return dict(zip(sets, counts, strict=True))
