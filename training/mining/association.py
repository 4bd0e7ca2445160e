"""Association rules of a log as a table: what is taken with what, at a support and a confidence that are given.

Relations keep what chance does not explain; this table tests nothing and is for whoever knows rules from other tools.
"""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from tillside.atomic import write_text_atomically
from training.mining.itemsets import Set

SIDES: Final = ("antecedents", "consequents")
FIGURES: Final = (
    "antecedent support",
    "consequent support",
    "support",
    "confidence",
    "lift",
    "leverage",
    "conviction",
)
FORMS: Final = (".csv", ".parquet")


def least_sessions(support: float, *, sessions: int) -> int:
    """Sessions that a set of such a support stands in, at least one."""
    return max(1, math.ceil(round(support * sessions, 9)))


def association_rules(counted: Mapping[Set, int], *, sessions: int, confidence: float) -> pd.DataFrame:
    """All rules of the frequent sets with at least such a confidence, as mlxtend derives them.

    Sorted by confidence, then support, then items.

    Args:
        counted: sessions per set; holds all subsets of each set.
        sessions: all sessions that took an item.

    Returns:
        A row for each rule: ``antecedents`` and ``consequents`` (ascending item numbers), ``sessions``, and FIGURES.
    """
    columns = [*SIDES, "sessions", *FIGURES]
    if not any(len(each) > 1 for each in counted):
        return pd.DataFrame({name: [] for name in columns})
    sets = pd.DataFrame(
        {
            "support": [count / sessions for count in counted.values()],
            "itemsets": [frozenset(each) for each in counted],
        }
    )
    with warnings.catch_warnings():
        from mlxtend.frequent_patterns import association_rules as derive  # changes the process-wide warning filters

        warnings.simplefilter("ignore")  # numpy divides by zero where a rule always holds: its conviction is infinite
        found = derive(sets, sessions, metric="confidence", min_threshold=confidence, return_metrics=[*FIGURES])
    for side in SIDES:
        found[side] = [tuple(sorted(each)) for each in found[side]]
    found["sessions"] = (found["support"] * sessions).round().astype("int64")
    order = ["confidence", "sessions", *SIDES]
    return found.sort_values(order, ascending=[False, False, True, True], ignore_index=True)[columns]


def write_rules(rules: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    """Write rules with item ids, and whole or not at all: lists in Parquet, JSON arrays in the cells of CSV.

    Raises:
        ValueError: the file's name ends with neither of FORMS.
    """
    refuse_form(path)
    named = rules.copy()
    for side in SIDES:
        named[side] = [[names[item] for item in each] for each in rules[side]]
    if path.suffix == ".parquet":
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        named.to_parquet(partial, index=False)
        partial.replace(path)
        return
    for side in SIDES:
        named[side] = [json.dumps(each, ensure_ascii=False) for each in named[side]]
    write_text_atomically(path, named.to_csv(index=False))


def refuse_form(path: Path) -> None:
    """Refuse a name that says no form of table.

    Raises:
        ValueError: it ends with neither of FORMS.
    """
    if path.suffix not in FORMS:
        raise ValueError(f"rules_out must end with {' or '.join(FORMS)}, got {path.name!r}")
