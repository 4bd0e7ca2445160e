"""What the recommendations bring because of themselves: each arm's shoppers against the holdout's, or another arm's.

The unit is the shopper, from the first answer of the experiment on, whether that answer held anything or not. Beside
the holdout stand all other shoppers; who is in experiments of several layers counts in each. A shopper who met two arms
is left out and counted. Shoppers without a key of their own are compared apart, by visit.
"""

from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from tillside.experiments.assignment import JOIN
from training.experiments.subjects import anchored, arm_in
from training.feedback.effects import columns_of, table_of
from training.feedback.intervals import Moments, z_of
from training.mining.engines import MiningEngine

COLUMNS: Final = (
    "experiment", "who", "arm", "reference", "metric", "subjects", "reference_subjects", "value", "reference_value",
    "difference", "low", "high", "relative", "relative_low", "relative_high", "moved_subjects",
)  # fmt: skip
PER_SUBJECT: Final = {"buyers": "bought", "orders_per_shopper": "orders", "revenue_per_shopper": "value"}
"""Metric to the sum over a shopper that it is the mean of."""
RATIOS: Final = {
    "order_value": ("value", "orders"),
    "lines_per_order": ("lines", "orders"),
    "anchor_conversion": ("anchor_bought", "anchored"),
}
"""Metric to the sums over a shopper whose ratio it is."""
GUARDRAIL: Final = "anchor_conversion"
"""The main item's own conversion, which must not fall."""
SUMS: Final = ("bought", "orders", "value", "lines", "anchored", "anchor_bought")


def lift(
    engine: MiningEngine,
    answers: ir.Table,
    orders: ir.Table,
    slots: ir.Table,
    lines: ir.Table,
    *,
    reference: str,
    confidence: float,
) -> pa.Table:
    """Every arm of every experiment beside its reference, COLUMNS; no rows where no experiment ran.

    The main item's own conversion has rows where both arms were shown anything with one; the holdout never was.
    """
    ran = engine.arrays(answers.select(names=answers.experiment.fill_null("")).distinct(), ["names"])["names"]
    names = sorted({name for each in ran.tolist() for name in each.split(JOIN)} - {""})
    if not names:
        return table_of([], COLUMNS)
    told = ibis.union(*[answers.mutate(experiment=ibis.literal(n), arm=arm_in(answers, n)) for n in names])
    told = told.filter(told.arm.notnull())
    unit = ["experiment", "subject"]
    subjects = engine.keep(
        told.group_by(unit).agg(
            arm=told.arm.min(), other=told.arm.max(), first=told.time.min(), anonymous=told.anonymous.min()
        )
    )
    after = subjects.join(orders, "subject", rname="order_{name}").filter(lambda t: t.time >= t.first)
    net = after.value - after.returned_value
    bought = after.group_by(unit).agg(
        orders=after.count().cast("float64"), value=net.sum(), lines=after.lines.sum().cast("float64")
    )
    joined = subjects.left_join(bought, unit, rname="sum_{name}")
    borne = told.select("experiment", "recommendation_id").distinct()
    within = slots.select("recommendation_id", "subject", "anchor", "time").join(borne, "recommendation_id")
    joined = joined.left_join(anchored(within, lines, by=unit), unit, rname="main_{name}")
    whole = joined.mutate(
        moved=joined.arm != joined.other,
        orders=joined.orders.fill_null(0.0),
        value=joined.value.fill_null(0.0),
        lines=joined.lines.fill_null(0.0),
        bought=joined.orders.notnull().cast("float64"),
        anchored=joined.anchored.cast("float64").fill_null(0.0),
        anchor_bought=joined.anchor_bought.cast("float64").fill_null(0.0),
        who=ibis.ifelse(joined.anonymous, "visits", "shoppers"),
    )
    stayed = whole.filter(~whole.moved)
    sums: dict[str, Any] = {f"s_{name}": stayed[name].sum() for name in SUMS}
    sums |= {f"p_{name}": (stayed[name] * stayed[name]).sum() for name in SUMS}
    sums |= {f"b_{above}": (stayed[below] * stayed[above]).sum() for above, below in RATIOS.values()}
    groups = stayed.group_by("experiment", "who", "arm").agg(subjects=stayed.count(), **sums)
    found = columns_of(engine, groups.order_by("experiment", "who", "arm"))
    movers = whole.filter(whole.moved).group_by("experiment", "who").agg(moved=lambda t: t.count())
    moved = columns_of(engine, movers.order_by("experiment", "who"))
    lost = {key[:2]: int(key[2]) for key in zip(moved["experiment"], moved["who"], moved["moved"], strict=True)}
    arms: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for place, arm in enumerate(found["arm"].tolist()):
        key = str(found["experiment"][place]), str(found["who"][place])
        arms.setdefault(key, {})[arm] = {name: float(found[name][place]) for name in ("subjects", *sums)}
    rows = []
    for (experiment, who), by_arm in arms.items():
        against = reference if reference in by_arm else min(by_arm)
        for arm in sorted(set(by_arm) - {against}):
            known = {"experiment": experiment, "who": who, "arm": arm, "reference": against}
            known["moved_subjects"] = lost.get((experiment, who), 0)  # type: ignore[assignment]
            rows += [known | row for row in compare(by_arm[arm], by_arm[against], z_of(confidence))]
    return table_of(rows, COLUMNS)


def compare(arm: dict[str, float], reference: dict[str, float], z: float) -> list[dict[str, Any]]:
    """Rows of one arm beside another, of sums over shoppers and of their squares."""
    rows = []
    for metric in (*PER_SUBJECT, *RATIOS):
        if metric == GUARDRAIL and not (arm["s_anchored"] and reference["s_anchored"]):
            continue
        (mean, variance), (base, base_variance) = (_estimate(each, metric) for each in (arm, reference))
        half = z * np.sqrt(variance + base_variance)
        row: dict[str, Any] = {
            "metric": metric, "subjects": int(arm["subjects"]), "reference_subjects": int(reference["subjects"]),
            "value": mean, "reference_value": base, "difference": mean - base, "low": mean - base - half,
            "high": mean - base + half, "relative": np.nan, "relative_low": np.nan, "relative_high": np.nan,
        }  # fmt: skip
        if base > 0:
            spread = z * np.sqrt(variance / base**2 + mean**2 * base_variance / base**4)
            relative = mean / base - 1
            row |= {"relative": relative, "relative_low": relative - spread, "relative_high": relative + spread}
        rows.append({name: float(value) if isinstance(value, np.floating) else value for name, value in row.items()})
    return rows


def _estimate(sums: dict[str, float], metric: str) -> tuple[float, float]:
    """Mean (or ratio) and the variance of it; NaN where there are too few shoppers."""
    count = sums["subjects"]
    if metric in PER_SUBJECT:
        name = PER_SUBJECT[metric]
        below, squared, product = count, count, sums[f"s_{name}"]
    else:
        name, other = RATIOS[metric]
        below, squared, product = sums[f"s_{other}"], sums[f"p_{other}"], sums[f"b_{name}"]
    found = (count, below, sums[f"s_{name}"], squared, product, sums[f"p_{name}"])
    moments = Moments(*(np.array([each], np.float64) for each in found))
    return float(moments.ratio[0]), float(moments.variance[0])
