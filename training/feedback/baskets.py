"""What orders tell buyers, hosts and product development: what sells together, best sellers, bundles, gifts.

Orders count whoever led to them: these tables describe the shop, not the recommendations. Intervals are clustered by
shopper. Shapes: G groups.
"""

from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from tillside.policy.file.values import DAY_MS
from training.feedback.effects import NONE, columns_of
from training.feedback.intervals import Moments, divided, effective_size, wilson, z_of
from training.mining.engines import MiningEngine
from training.settings.effects import EffectsConfig

GIFT: Final = "gift"
BEST: Final = 10
"""Best sellers of each category."""
TREND: Final = ("falling", "level", "rising")


def with_categories(lines: ir.Table, items: ir.Table | None) -> ir.Table:
    """Lines with the item's category and name, as far as they are known."""
    if items is None:
        return lines.mutate(category=ibis.literal(NONE), name=ibis.null("string"))
    joined = lines.left_join(items.select("item_id", "category", "name"), lines["item"] == items["item_id"])
    return joined.mutate(category=joined.category.fill_null(NONE)).drop("item_id")


def best_sellers(engine: MiningEngine, lines: ir.Table) -> pa.Table:
    """The BEST items of each category by pieces that stayed sold."""
    sold = lines.group_by("category", "item").agg(
        quantity=lines.quantity.cast("float64").sum(),
        revenue=(lines.revenue - lines.returned_revenue).sum(),
        orders=lines.count(),
        with_tillside=lines.with_tillside.cast("float64").mean(),
    )
    order = ibis.window(group_by="category", order_by=[sold.quantity.desc(), sold.item])
    ranked = sold.mutate(rank=ibis.row_number().over(order) + 1).filter(lambda t: t["rank"] <= BEST)
    return _arrow(columns_of(engine, ranked.order_by("category", "rank")), ranked.columns)


def together(engine: MiningEngine, lines: ir.Table, by: str, config: EffectsConfig) -> pa.Table:
    """Attach rates: of the orders with one item (or category), the share that holds the other too.

    Args:
        by: ``item`` or ``category``.

    Returns:
        anchor, other, orders (with both), anchor_orders, attach_rate and its interval, lift over independence, revenue
        of the other in those orders, the attach rates of the first and second half of the time, and the trend.
    """
    sizes = lines.group_by("order_id").agg(size=lines.item.nunique())
    fit = lines.join(sizes.filter(sizes["size"] <= config.largest_order), "order_id")
    held = engine.keep(
        fit.group_by("order_id", "subject", name=fit[by]).agg(revenue=fit.revenue.sum(), time=fit.time.min())
    )
    (span,) = _rows(
        columns_of(engine, held.agg(first=held.time.min(), last=held.time.max(), orders=held.order_id.nunique()))
    )
    if not span["orders"]:
        span |= {"first": 0, "last": 0}
    middle = (int(span["first"]) + int(span["last"])) // 2
    held = held.mutate(late=(held.time > middle).cast("int64"))
    own = held.group_by("name", "subject").agg(x=held.count().cast("float64"), late=held.late.sum())
    single = own.group_by("name").agg(
        orders=own.x.sum().cast("int64"), late=own.late.sum(), shoppers=own.count(), xx=(own.x * own.x).sum()
    ).filter(lambda t: t.orders >= config.min_orders)  # fmt: skip
    common = engine.keep(held.semi_join(single, "name"))
    left, right = common, common.view()
    both = left.join(right, [left.order_id == right.order_id, left.name != right.name], rname="{name}_other")
    by_subject = both.group_by("subject", anchor=both.name, other=both.name_other).agg(
        y=both.count().cast("float64"), late=both.late.sum(), revenue=both.revenue_other.sum()
    )
    by_subject = by_subject.join(own.select("subject", "x", anchor="name"), ["subject", "anchor"])
    met = by_subject.group_by("anchor", "other").agg(
        orders=by_subject.y.sum().cast("int64"),
        late=by_subject.late.sum(),
        revenue=by_subject.revenue.sum(),
        xy=(by_subject.x * by_subject.y).sum(),
        yy=(by_subject.y * by_subject.y).sum(),
    )
    met = met.filter(met.orders >= config.min_orders)
    met = met.join(
        single.select(anchor="name", anchor_orders="orders", anchor_late="late", shoppers="shoppers", xx="xx"), "anchor"
    )
    met = met.join(single.select(other="name", other_orders="orders"), "other")
    found = columns_of(engine, met.order_by(met.orders.desc(), met.anchor, met.other))
    return _attach_table(found, float(span["orders"] or 0), z_of(config.confidence))


def _attach_table(found: dict[str, Any], orders: float, z: float) -> pa.Table:
    both_G, anchor_G, late_G, anchor_late_G, shoppers_G, other_G, xx_G, xy_G, yy_G = (
        np.asarray(found[name], np.float64)
        for name in (
            "orders", "anchor_orders", "late", "anchor_late", "shoppers", "other_orders", "xx", "xy", "yy",
        )
    )  # fmt: skip
    moments = Moments(shoppers_G, anchor_G, both_G, xx_G, xy_G, yy_G)
    rate_G, size_G = moments.ratio, effective_size(moments)
    low_G, high_G = wilson(rate_G, size_G, z)
    early_G, later_G = divided(both_G - late_G, anchor_G - anchor_late_G), divided(late_G, anchor_late_G)
    share = divided(size_G, anchor_G)  # orders of one shopper are as much alike in the halves
    first_G, second_G = (anchor_G - anchor_late_G) * share, anchor_late_G * share
    error_G = np.sqrt(divided(early_G * (1 - early_G), first_G) + divided(later_G * (1 - later_G), second_G))
    change_G = later_G - early_G
    sign_G = np.where(np.abs(change_G) > z * error_G, np.sign(change_G), 0)
    trend = [TREND[int(sign) + 1] if np.isfinite(sign) else TREND[1] for sign in np.nan_to_num(sign_G)]
    return pa.table(
        {
            "anchor": pa.array(found["anchor"].tolist(), pa.string()),
            "other": pa.array(found["other"].tolist(), pa.string()),
            "orders": pa.array(both_G.astype(np.int64)),
            "anchor_orders": pa.array(anchor_G.astype(np.int64)),
            "attach_rate": pa.array(rate_G, from_pandas=True),
            "low": pa.array(low_G, from_pandas=True),
            "high": pa.array(high_G, from_pandas=True),
            "lift": pa.array(divided(both_G * orders, anchor_G * other_G), from_pandas=True),
            "revenue": pa.array(np.asarray(found["revenue"], np.float64)),
            "early": pa.array(early_G, from_pandas=True),
            "late": pa.array(later_G, from_pandas=True),
            "trend": pa.array(trend, pa.string()),
        }
    )


def bundles(table: pa.Table, categories: dict[str, str]) -> pa.Table:
    """Candidate bundles: pairs of items that are attached surely more often than independence would have it.

    Args:
        table: :func:`together` by item.
        categories: by item; a pair of one known category is a choice between rivals rather than a bundle.
    """
    kept = []
    for row in table.to_pylist():
        one, other = row["anchor"], row["other"]
        same = categories.get(one, NONE) == categories.get(other, NONE) != NONE
        chance = row["attach_rate"] / row["lift"] if row["lift"] else 1.0
        if one < other and not same and row["low"] is not None and row["low"] > chance:
            kept.append(
                {"first": one, "second": other, **{n: row[n] for n in ("orders", "attach_rate", "lift", "revenue")}}
            )
    kept.sort(key=lambda row: (-row["orders"] * np.log(row["lift"]), row["first"], row["second"]))
    names = ("first", "second", "orders", "attach_rate", "lift", "revenue")
    texts = ("first", "second")
    return pa.table({n: pa.array([row[n] for row in kept], pa.string() if n in texts else None) for n in names})


def gifts(engine: MiningEngine, lines: ir.Table, items: ir.Table | None, *, days: float, confidence: float) -> pa.Table:
    """Gifts that were taken, and how many shoppers bought the full product within ``days`` afterwards.

    Only gifts that were taken so long before the log's end are judged; ``too_recent`` counts the others.
    """
    window = int(days * DAY_MS)
    given = lines.filter((lines.source == GIFT) & lines.with_tillside)
    if items is not None:
        known = items.filter(items.full_item_id.notnull()).select("item_id", "full_item_id")
        given = given.left_join(known, given["item"] == known["item_id"]).drop("item_id")
        given = given.mutate(full=given.full_item_id.coalesce(given["item"]))
    else:
        given = given.mutate(full=given["item"])
    taken = given.group_by(gift="item", full="full", subject="subject").agg(time=given.time.min())
    paid = lines.filter(lines.revenue > lines.returned_revenue).select(
        full="item", subject="subject", bought=lines.time
    )
    last = engine.keep(lines.agg(last=lines.time.max()))
    later = taken.join(paid, ["full", "subject"])
    later = later.filter((later.bought > later.time) & (later.bought - later.time <= window))
    later = later.select("gift", "full", "subject").distinct().mutate(followed=ibis.literal(1.0))
    judged = taken.left_join(later, ["gift", "full", "subject"], rname="{name}_later").cross_join(last)
    ripe = judged["last"] - judged.time >= window
    judged = judged.mutate(ripe=ripe.cast("float64"), won=ibis.ifelse(ripe, judged.followed.fill_null(0.0), 0.0))
    groups = judged.group_by("gift", "full").agg(
        taken=judged.ripe.sum(), followed=judged.won.sum(), too_recent=(1 - judged.ripe).sum()
    )
    found = columns_of(engine, groups.order_by("gift", "full"))
    taken_G, followed_G = np.asarray(found["taken"], np.float64), np.asarray(found["followed"], np.float64)
    low_G, high_G = wilson(divided(followed_G, taken_G), np.where(taken_G > 0, taken_G, np.nan), z_of(confidence))
    return pa.table(
        {
            "gift": pa.array(found["gift"].tolist(), pa.string()),
            "full": pa.array(found["full"].tolist(), pa.string()),
            "taken": pa.array(taken_G.astype(np.int64)),
            "followed": pa.array(followed_G.astype(np.int64)),
            "share": pa.array(divided(followed_G, taken_G), from_pandas=True),
            "low": pa.array(low_G, from_pandas=True),
            "high": pa.array(high_G, from_pandas=True),
            "too_recent": pa.array(np.asarray(found["too_recent"], np.float64).astype(np.int64)),
        }
    )


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(found)
    return [dict(zip(names, row, strict=True)) for row in zip(*(found[name].tolist() for name in names), strict=True)]


def _arrow(found: dict[str, Any], names: tuple[str, ...]) -> pa.Table:
    kinds = dict.fromkeys(("category", "item"), pa.string()) | dict.fromkeys(("revenue", "with_tillside"), pa.float64())
    columns = {name: pa.array(found[name].tolist()) for name in names}
    return pa.table({name: column.cast(kinds.get(name, pa.int64())) for name, column in columns.items()})
