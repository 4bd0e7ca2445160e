"""Pairs of an anchor and what was shown with it: which sell, which annoy, and what ails the weak ones.

A low click rate speaks of the display or the item; a low conversion after the click of the discount or of the pairing
itself. A pair is called weak only if it surely is, among all pairs that are judged (Benjamini and Hochberg).
Shapes: G pairs.
"""

from collections.abc import Mapping
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import norm

from training.feedback.effects import METRICS, columns_of, grouped, moments_of
from training.feedback.intervals import Floats, Moments, divided, effective_size, surely, wilson, z_of
from training.mining.engines import MiningEngine
from training.settings.effects import EffectsConfig

BY: Final = ("placement", "source", "anchor", "item")
JUDGED: Final = ("click_rate", "conversion", "dismiss_rate")
DISPLAY: Final = "display or item"
PAIRING: Final = "discount or pairing"
ANNOYS: Final = "annoys"


def pairs(engine: MiningEngine, slots: ir.Table, config: EffectsConfig) -> pa.Table:
    """Every pair with its figures, intervals and diagnosis, the ones that bring most first.

    Args:
        slots: outcomes (:func:`training.feedback.effects.with_flags`).
    """
    metrics = {name: METRICS[name] for name in (*JUDGED, "revenue_per_1000")}
    own = slots.filter(slots.anchor.notnull())
    found = columns_of(engine, grouped(own, list(BY), metrics).order_by(*BY))
    whole = columns_of(engine, grouped(slots, ["placement"], metrics).order_by("placement"))
    place = {name: number for number, name in enumerate(whole["placement"].tolist())}
    of_G = np.array([place[name] for name in found["placement"].tolist()], np.int64)
    z = z_of(config.confidence)
    columns: dict[str, Any] = {name: pa.array(found[name].tolist(), pa.string()) for name in BY}
    weak: dict[str, npt.NDArray[np.bool_]] = {}
    for name in JUDGED:
        moments, usual = moments_of(found, METRICS[name]), moments_of(whole, METRICS[name]).ratio[of_G]
        least = config.min_clicks if name == "conversion" else config.min_seen
        size_G = effective_size(moments)
        low_G, high_G = wilson(moments.ratio, size_G, z)
        weak[name] = _surely_off(moments, usual, size_G, least, config, above=name == "dismiss_rate")
        columns |= {
            {"click_rate": "seen", "conversion": "clicks", "dismiss_rate": "shown"}[name]: moments.x_G.astype(np.int64),
            name: moments.ratio, f"{name}_low": low_G, f"{name}_high": high_G, f"usual_{name}": usual,
        }  # fmt: skip
    revenue = moments_of(found, METRICS["revenue_per_1000"])
    columns |= {"revenue": revenue.y_G, "shoppers": revenue.clusters_G.astype(np.int64)}
    columns["diagnosis"] = pa.array(
        [_diagnosis(*each) for each in zip(*(weak[name].tolist() for name in JUDGED), strict=True)], pa.string()
    )
    del columns["shown"]
    table = pa.table({name: _nulls(value) for name, value in columns.items()})
    order = [("revenue", "descending"), *((name, "ascending") for name in BY)]
    return table.sort_by(order)


def _surely_off(
    moments: Moments, usual_G: Floats, size_G: Floats, least: int, config: EffectsConfig, *, above: bool
) -> npt.NDArray[np.bool_]:
    """Whether a rate is surely below ``weak_share`` of the usual one, or above as much the other way round."""
    bound_G = np.minimum(usual_G / config.weak_share, 1.0) if above else usual_G * config.weak_share
    error_G = np.sqrt(divided(bound_G * (1 - bound_G), size_G))
    score_G = divided(moments.ratio - bound_G, error_G)
    judged_G = (moments.x_G >= least) & np.isfinite(score_G)
    kept_G = np.zeros(len(score_G), bool)
    kept_G[judged_G] = surely(norm.sf(score_G[judged_G] if above else -score_G[judged_G]), config.false_share)
    return kept_G


def _diagnosis(click: bool, conversion: bool, dismissed: bool) -> str | None:
    found = [DISPLAY] * click + [PAIRING] * conversion + [ANNOYS] * dismissed
    return "; ".join(found) or None


def _nulls(value: Any) -> pa.Array:
    if isinstance(value, pa.Array):
        return value
    return pa.array(value, from_pandas=True)


def weak_pairs(table: pa.Table) -> list[Mapping[str, Any]]:
    """Rows with a diagnosis, the ones that were seen most first."""
    rows = [row for row in table.to_pylist() if row["diagnosis"]]
    return sorted(rows, key=lambda row: (-row["seen"], row["anchor"], row["item"]))
