"""Effects by dimension: how often what was shown was seen, clicked, taken, bought and waved away, and what it brought.

Each rate has an interval clustered by shopper. Two values of a dimension are not comparable as causes: what stands in
slot 1 differs from what stands in slot 4. Only :mod:`training.feedback.lift` speaks of causes. Shapes: G groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from training.feedback.intervals import Moments, ratio_interval, share_interval, z_of
from training.mining.engines import MiningEngine

ALL: Final = "all"
DIMENSIONS: Final = (
    "placement", "source", "position", "segment", "mode", "tier", "experiment", "arm", "policy", "model", "anonymous",
    "day",
)  # fmt: skip
NOT_OF_ANSWERS: Final = ("source", "position")
"""Dimensions of a slot, which an answer has not."""
NONE: Final = "(none)"


@dataclass(frozen=True)
class Metric:
    """A ratio of two sums over slots (or answers).

    Attributes:
        share: whether it is one, from 0 to 1.
        scale: what the ratio is multiplied by.
    """

    above: str
    below: str
    share: bool = True
    scale: float = 1.0


METRICS: Final[Mapping[str, Metric]] = {
    "view_rate": Metric("seen", "answered"),
    "click_rate": Metric("clicked", "base"),
    "add_rate": Metric("carted", "base"),
    "conversion": Metric("clicked_bought", "any_clicked"),
    "purchase_rate": Metric("bought", "base"),
    "dismiss_rate": Metric("dismissed", "base"),
    "revenue_per_1000": Metric("revenue", "base", share=False, scale=1000.0),
    "margin_per_1000": Metric("margin", "base", share=False, scale=1000.0),
    "return_share": Metric("returned", "gross", share=False),
}
BOUNCE: Final = {"bounce_rate": Metric("bounced", "answered")}
COLUMNS: Final = ("dimension", "value", "metric", "subjects", "above", "below", "estimate", "low", "high")


def with_flags(outcomes: ir.Table, items: ir.Table | None, *, seen_is_told: bool) -> ir.Table:
    """Outcomes with the summands of METRICS; ``base`` is what was seen, or what was answered where no impression is
    reported at all."""
    table = outcomes
    cost: ir.Value = ibis.null("float64")
    if items is not None:
        table = table.left_join(items.select("item_id", "cost"), table["item"] == items["item_id"]).drop("item_id")
        cost = table.cost
    base = table.seen if seen_is_told else ibis.literal(True)
    kept = 1 - ibis.ifelse(table.revenue > 0, table.returned_revenue / table.revenue, 0.0)
    net = table.revenue - table.returned_revenue
    summands: dict[str, ir.Value] = {
        "answered": ibis.literal(1), "seen": table.seen, "base": base, "clicked": table.clicked & base,
        "carted": table.carted & base, "bought": table.bought & base, "dismissed": table.dismissed.notnull() & base,
        "any_clicked": table.clicked | table.carted, "clicked_bought": (table.clicked | table.carted) & table.bought,
        "revenue": net, "gross": table.revenue, "returned": table.returned_revenue,
        "margin": ibis.ifelse(table.bought, net - cost * table.quantity * kept, 0.0),
    }  # fmt: skip
    names = {f"n_{name}": value.cast("float64") for name, value in summands.items()}
    return table.mutate(**names)


def effects(
    engine: MiningEngine, slots: ir.Table, answers: ir.Table, *, confidence: float, margin_known: bool
) -> pa.Table:
    """Long table of every metric by every value of every dimension, COLUMNS.

    Args:
        slots: outcomes (:func:`with_flags`).
        margin_known: whether costs were given.
    """
    metrics = {name: metric for name, metric in METRICS.items() if margin_known or name != "margin_per_1000"}
    bounces = answers.mutate(n_answered=ibis.literal(1.0), n_bounced=answers.bounced.cast("float64"))
    rows: list[dict[str, Any]] = []
    for dimension in (ALL, *DIMENSIONS):
        rows += by_dimension(engine, slots, dimension, metrics, confidence)
        if dimension not in NOT_OF_ANSWERS:
            rows += by_dimension(engine, bounces, dimension, BOUNCE, confidence)
    return table_of(rows)


def by_dimension(
    engine: MiningEngine, table: ir.Table, dimension: str, metrics: Mapping[str, Metric], confidence: float
) -> list[dict[str, Any]]:
    """Rows of one dimension's values, ascending."""
    value = ibis.literal(ALL) if dimension == ALL else table[dimension].cast("string").fill_null(NONE)
    groups = grouped(table.mutate(value=value), ["value"], metrics)
    found = columns_of(engine, groups.order_by("value"))
    z = z_of(confidence)
    rows = []
    for name, metric in metrics.items():
        moments = moments_of(found, metric)
        low_G, high_G = (share_interval if metric.share else ratio_interval)(moments, z)
        for place, text in enumerate(found["value"].tolist()):
            if moments.x_G[place] > 0:
                known = {"dimension": dimension, "value": text, "metric": name}
                rows.append(
                    known
                    | {
                        "subjects": int(moments.clusters_G[place]),
                        "above": float(moments.y_G[place]),
                        "below": float(moments.x_G[place]),
                        "estimate": float(moments.ratio[place] * metric.scale),
                        "low": float(low_G[place] * metric.scale),
                        "high": float(high_G[place] * metric.scale),
                    }
                )
    return rows


def grouped(table: ir.Table, by: list[str], metrics: Mapping[str, Metric]) -> ir.Table:
    """Clusters, sums and sums of products of the metrics' summands by group, summed by subject first."""
    names = sorted({name for metric in metrics.values() for name in (metric.above, metric.below)})
    pairs = sorted({pair for metric in metrics.values() for pair in _products(metric)})
    subjects = table.group_by([*by, "subject"]).agg(
        **{f"d_{name}": table[f"n_{name}"].sum().fill_null(0.0) for name in names}
    )
    sums = {f"s_{name}": subjects[f"d_{name}"].sum() for name in names}
    products = {f"p_{one}__{other}": (subjects[f"d_{one}"] * subjects[f"d_{other}"]).sum() for one, other in pairs}
    some = {f"c_{name}": (subjects[f"d_{name}"] > 0).sum() for name in {metric.below for metric in metrics.values()}}
    return subjects.group_by(by).agg(**sums, **products, **some)


def moments_of(found: Mapping[str, Any], metric: Metric) -> Moments:
    """The moments of a metric from fetched groups (:func:`grouped`)."""

    def of(name: str) -> Any:
        return np.asarray(found[name], np.float64)

    xx, xy, yy = (f"p_{one}__{other}" for one, other in _products(metric))
    return Moments(of(f"c_{metric.below}"), of(f"s_{metric.below}"), of(f"s_{metric.above}"), of(xx), of(xy), of(yy))


def _products(metric: Metric) -> list[tuple[str, str]]:
    one, other = sorted((metric.above, metric.below))
    return [(metric.below, metric.below), (one, other), (metric.above, metric.above)]


def columns_of(engine: MiningEngine, table: ir.Table) -> dict[str, Any]:
    """Fetch a small table, in row order, as numpy arrays by column."""
    batches = list(engine.batches(table))
    names = table.columns
    if not batches:
        return {name: np.array([], object) for name in names}
    whole = pa.Table.from_batches(batches)
    return {name: whole[name].to_numpy() for name in names}


def table_of(rows: list[dict[str, Any]], columns: tuple[str, ...] = COLUMNS) -> pa.Table:
    """Rows as an Arrow table; columns in order, also of no rows; NaN is null."""
    arrays = {}
    for name in columns:
        values = [row[name] for row in rows]
        nan = [None if isinstance(value, float) and np.isnan(value) else value for value in values]
        arrays[name] = pa.array(nan, None if rows else pa.string())
    return pa.table(arrays)


def order_value(engine: MiningEngine, orders: ir.Table, *, confidence: float) -> pa.Table:
    """Value of an order with and without a line that belongs to a slot; a description and no lift."""
    table = orders.mutate(
        orders=ibis.ifelse(orders.with_tillside, "with", "without"),
        n_orders=ibis.literal(1.0),
        n_value=orders.value - orders.returned_value,
        n_lines=orders.lines.cast("float64"),
        n_attached=orders.with_tillside.cast("float64"),
    )
    worth = {
        "order_value": Metric("value", "orders", share=False),
        "lines_per_order": Metric("lines", "orders", share=False),
    }
    share = {"attach_rate": Metric("attached", "orders")}
    asked = ((ALL, worth | share), ("orders", worth), ("day", share))
    return table_of([row for name, metrics in asked for row in by_dimension(engine, table, name, metrics, confidence)])
