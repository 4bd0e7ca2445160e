"""Metrics document: ranking metrics with bootstrap intervals, overall and by slice, the same for every system.

Targets that cannot be ranked count as misses.

Shapes: C cases, N items of the catalogue, V items that can be ranked, B behaviours, M metrics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from tillside.ranking import bootstrap_means, case_metrics, mrr_at, ndcg_at, recall_at
from training.cli.progress import progress
from training.evaluation.ranking import COVERAGE_AT, Ranked
from training.inputs.cases import Cases

PREFIX_BANDS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 10**9))
CURVES = {"recall": recall_at, "mrr": mrr_at, "ndcg": ndcg_at}
CURVE_AT = (1, 2, 3, 5, 10, 15, 20, 30, 50, 75, 100)
"""k of the curves, reported without intervals."""
POPULARITY_BANDS = 10


def report(
    ranked: Mapping[str, Ranked],
    cases: Cases,
    *,
    items: int,
    behaviours: Sequence[str],
    seed: int,
    counts_N: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Metrics of every system over all cases, by behaviour asked for and by prefix length, as JSON types.

    Args:
        items: V.
        counts_N: events of every item before the test part; adds metrics of cases whose target has none
            (``new_items``), of all others (``seen_items``), and by popularity decile of the target.
    """
    unseen = cases.targets_C >= items
    new_C = None if counts_N is None else counts_N[cases.targets_C] == 0
    document: dict[str, Any] = {
        "cases": len(cases),
        "sessions": len(np.unique(cases.sessions_C)),
        "unseen_target_share": float(unseen.mean()) if len(cases) else 0.0,
        "systems": {
            name: _system(result, cases, items=items, behaviours=behaviours, seed=seed)
            for name, result in progress(ranked.items(), "drawing intervals by bootstrap")
        },
    }
    if new_C is not None:
        document["new_target_share"] = float(new_C.mean()) if len(cases) else 0.0
        for name, result in progress(ranked.items(), "drawing intervals of seen and new items"):
            by_target = {"seen_items": ~new_C, "new_items": new_C}
            document["systems"][name] |= {
                slice_name: _slice(result, cases, chosen, seed)
                for slice_name, chosen in by_target.items()
                if chosen.any()
            }
        _add_popularity(document, ranked, cases, popularity_deciles(counts_N, items=items), seed=seed)
    return document


def popularity_deciles(counts_N: npt.NDArray[np.int64], *, items: int) -> npt.NDArray[np.int64]:
    """Popularity decile [V] of the first ``items`` items, those that can be ranked, 1 being the tenth with the most
    events before the test part.

    Ties are split in catalogue order.
    """
    deciles_V = np.empty(items, np.int64)
    deciles_V[np.argsort(-counts_N[:items], kind="stable")] = 1 + np.arange(items) * POPULARITY_BANDS // max(items, 1)
    return deciles_V


def _add_popularity(
    document: dict[str, Any],
    ranked: Mapping[str, Ranked],
    cases: Cases,
    deciles_V: npt.NDArray[np.int64],
    *,
    seed: int,
) -> None:
    """Add metrics by popularity decile of the target, and each decile's share of the targets and of the shown items."""
    bands = range(1, POPULARITY_BANDS + 1)
    rankable_C = cases.targets_C < len(deciles_V)
    decile_C = np.zeros(len(cases), np.int64)
    decile_C[rankable_C] = deciles_V[cases.targets_C[rankable_C]]
    document["targets_by_popularity"] = {
        str(band): float((decile_C == band).sum() / max(len(cases), 1)) for band in bands
    }
    for name, result in progress(ranked.items(), "drawing intervals by popularity"):
        system = document["systems"][name]
        chosen = {str(band): decile_C == band for band in bands}
        system["by_popularity"] = {band: _slice(result, cases, c, seed) for band, c in chosen.items() if c.any()}
        if result.shown_V is not None and result.shown_V.any():
            shown = np.bincount(deciles_V, weights=result.shown_V, minlength=POPULARITY_BANDS + 1)[1:]
            system["shown_by_popularity"] = {
                str(b): float(part / shown.sum()) for b, part in zip(bands, shown, strict=True)
            }


def _system(result: Ranked, cases: Cases, *, items: int, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    bands = {
        (f"{low}" if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+"): (cases.prefix_lengths_C >= low)
        & (cases.prefix_lengths_C <= high)
        for low, high in PREFIX_BANDS
    }
    document: dict[str, Any] = {
        "all": over_all(result, cases, seed=seed),
        "by_behaviour": by_behaviour(result, cases, behaviours=behaviours, seed=seed),
        "by_prefix_length": {
            name: _slice(result, cases, chosen, seed) for name, chosen in bands.items() if chosen.any()
        },
    }
    known = [k for k in CURVE_AT if result.depth is None or k <= result.depth]
    for metric, at in CURVES.items():
        curve = {str(k): float(at(result.ranks_C, k).mean()) if len(cases) else 0.0 for k in known}
        document[f"{metric}_curve"] = curve
    if result.shown_V is not None and result.shown_V.any():
        document[f"coverage@{COVERAGE_AT}"] = np.count_nonzero(result.shown_V) / items
    return document


def over_all(result: Ranked, cases: Cases, *, seed: int) -> dict[str, Any]:
    """Metrics with intervals over all cases."""
    return _slice(result, cases, np.ones(len(cases), bool), seed)


def by_behaviour(result: Ranked, cases: Cases, *, behaviours: Sequence[str], seed: int) -> dict[str, Any]:
    """Metrics with intervals for each behaviour that occurs among those asked for."""
    asked = {name: cases.asked_C == index for index, name in enumerate(behaviours)}
    return {name: _slice(result, cases, chosen, seed) for name, chosen in asked.items() if chosen.any()}


def intervals(
    metrics: Mapping[str, npt.NDArray[np.float64]],
    sessions_C: npt.NDArray[np.int64],
    *,
    seed: int,
    weights_C: npt.NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Mean of each per-case metric with its bootstrap interval, sessions being resampled, as JSON types."""
    values_MC, rng = np.stack(list(metrics.values())), np.random.default_rng(seed)
    found = bootstrap_means(values_MC, sessions_C, rng=rng, weights_B=weights_C)
    return {name: asdict(interval) for name, interval in zip(metrics, found, strict=True)}


def _slice(result: Ranked, cases: Cases, chosen: npt.NDArray[np.bool_], seed: int) -> dict[str, Any]:
    metrics = intervals(case_metrics(result.ranks_C[chosen]), cases.sessions_C[chosen], seed=seed)
    return {"cases": int(chosen.sum()), **metrics}
