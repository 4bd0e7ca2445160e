"""Which slot a click and an order line belong to: the rules, as Ibis joins that DuckDB and Spark answer alike.

1. An event that names its recommendation belongs to that answer's slot with its item, inside a window.
2. Else a click belongs to the latest answer that showed the same shopper (or session) the same item.
3. An order line belongs to the slot that it names; else to the one whose item was clicked or carted last; else, if the
   settings say so, to the one that showed it last. It belongs to one slot at most and counts once.

Surprising: nothing is joined by an inequality. "The latest before" is a running maximum over both sides in time order,
so that one robot with a million clicks on one item costs a sort and not a square.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from tillside.feedback.events import CART, CLICK, DISMISS, IMPRESSION, PURCHASE, RETURN
from tillside.policy.file.values import DAY_MS, HOUR_MS
from training.mining.engines import MiningEngine
from training.settings.attribution import AttributionConfig, ViewThrough

MINUTE_MS: Final = 60_000
UNSAID: Final = "unsaid"
"""Reason of a dismissal that gave none."""
OWNERS: Final = ("shopper_key", "session_key")
NAMED, TOUCHED, SEEN = range(3)
"""By which rule a line belongs to its slot; the smallest one wins."""


@dataclass(frozen=True)
class Windows:
    """The windows of the rules, in milliseconds, and how many days an event may reach.

    Attributes:
        reach: days between an answer and the last event that can belong to it, at most.
    """

    click: int
    purchase: int
    view: int
    skew: int
    bounce: int
    reach: int

    @classmethod
    def of(cls, config: AttributionConfig) -> "Windows":
        """The windows that the settings name."""
        click, purchase = int(config.click_hours * HOUR_MS), int(config.purchase_days * DAY_MS)
        view, bounce = int(config.view_hours * HOUR_MS), int(config.bounce_minutes * MINUTE_MS)
        furthest = max(click + purchase, view if config.view_through is ViewThrough.last else 0, bounce)
        return cls(click, purchase, view, int(config.skew_minutes * MINUTE_MS), bounce, -(-furthest // DAY_MS) + 1)


def sold_lines(engine: MiningEngine, lines: ir.Table) -> ir.Table:
    """One row per order and item, kept: what an order holds, and what came back of it.

    Lines of one item in one event add up; of several events with the same order and item the first one stands.
    """
    bought = _first_events(lines.filter(lines.kind == PURCHASE))
    back = _first_events(lines.filter(lines.kind == RETURN))
    back = back.select("order_id", "item", returned=back.quantity)
    joined = bought.left_join(back, ["order_id", "item"]).drop("order_id_right", "item_right")
    returned = ibis.least(joined.returned.fill_null(0), joined.quantity)
    share = returned.cast("float64") / joined.quantity.cast("float64")  # a line holds one piece at least
    first = ibis.window(group_by="order_id")
    return engine.keep(
        joined.mutate(
            returned_revenue=joined.revenue * share,
            order_day=joined.day.min().over(first),
            order_time=joined.time.min().over(first),
        )
    )


def _first_events(lines: ir.Table) -> ir.Table:
    place = ibis.rank().over(ibis.window(group_by=["order_id", "item"], order_by=["file", "record"]))
    first = lines.mutate(place=place).filter(lambda t: t.place == 0)
    own = {name: first[name].min() for name in ("time", "day", "subject", "anonymous", *OWNERS, "slot_key")}
    return first.group_by("order_id", "item").agg(
        quantity=first.quantity.sum().cast("int64"), revenue=(first.quantity * first.price).sum().fill_null(0.0), **own
    )


def told_acts(engine: MiningEngine, acts: ir.Table) -> ir.Table:
    """What shoppers did, kept without impressions, which are most of a log."""
    told = acts.filter(acts.kind != IMPRESSION)
    return engine.keep(
        told.select("kind", "time", "day", "position", "reason", "rec_key", "slot_key", *OWNERS, "subject_key")
    )


def touches(engine: MiningEngine, slots: ir.Table, told: ir.Table, *, windows: Windows, inferred: bool) -> ir.Table:
    """Clicks, carts and dismissals with the slot that they belong to, kept: slot_key, slot_day, kind, time, reason and
    the slot's owners."""
    told = told.filter(told.kind.isin([CLICK, CART, DISMISS]))
    named = told.filter(told.rec_key.notnull())
    with_item = named.filter(named.slot_key.notnull())
    without = named.filter(named.slot_key.isnull())
    answers = slots.semi_join(without, "rec_key").select("rec_key", "position", "slot_key")
    whole = without.drop("slot_key").join(answers, "rec_key", rname="{name}_of_slot")
    whole = whole.filter(whole.position.isnull() | (whole.position == whole.position_of_slot))
    columns = ["slot_key", "kind", "time", "reason"]
    direct = with_item.select(columns).union(whole.select(columns))
    found = [_within(direct, slots, earliest=-windows.skew, latest=windows.click)]
    if inferred:
        loose = told.filter(told.rec_key.isnull() & (told.shopper_key.notnull() | told.session_key.notnull()))
        near = slots.filter(slots.shopper_key.isin(loose.shopper_key) | slots.session_key.isin(loose.session_key))
        near = engine.keep(near.select("slot_key", "day", "time", *OWNERS))  # the whole log is read once for both
        found.append(_latest(engine, loose, near, within=windows.click, carry=["kind", "reason"]))
    columns = ["slot_key", "slot_day", "slot_time", *OWNERS, *columns[1:]]
    return engine.keep(ibis.union(*(each.select(columns) for each in found)) if len(found) > 1 else found[0])


def _within(events: ir.Table, slots: ir.Table, *, earliest: int, latest: int) -> ir.Table:
    own = slots.select("slot_key", *OWNERS, slot_day=slots.day, slot_time=slots.time)
    joined = events.join(own, "slot_key", rname="{name}_of_slot")
    after = joined.time - joined.slot_time
    return joined.filter((after >= earliest) & (after <= latest))


def _latest(engine: MiningEngine, events: ir.Table, marks: ir.Table, *, within: int, carry: Sequence[str]) -> ir.Table:
    """Events with the slot of the latest mark of the same shopper and item, else of the same session and item.

    Args:
        events: time, owners, and the columns to ``carry``.
        marks: slot_key, day (or slot_day), time, owners; perhaps slot_time.
    """
    own = marks.mutate(
        slot_day=marks.slot_day if "slot_day" in marks.columns else marks.day,
        slot_time=marks.slot_time if "slot_time" in marks.columns else marks.time,
    )
    numbered = engine.keep(events.select("time", *OWNERS, *carry).mutate(row=ibis.row_number()))
    numbered = numbered.mutate(row=numbered.row.cast("int64"))  # Spark counts rows in 32 bits
    hits = [_latest_by(engine, numbered, own, owner, within) for owner in OWNERS]
    joined = hits[0].outer_join(hits[1], "row", rname="other_{name}")
    by_shopper = joined.mark_time.notnull() & (
        joined.other_mark_time.isnull() | (joined.mark_time >= joined.other_mark_time)
    )
    names = ("mark_time", "slot_key", "slot_day", "slot_time")
    chosen = joined.select(
        row=joined.row.coalesce(joined.other_row),
        **{name: ibis.ifelse(by_shopper, joined[name], joined[f"other_{name}"]) for name in names},
    )
    return numbered.join(chosen, "row")


def _latest_by(engine: MiningEngine, events: ir.Table, marks: ir.Table, owner: str, within: int) -> ir.Table:
    asked = events.filter(events[owner].notnull()).select("row", "time", owner=events[owner])
    found = marks.filter(marks[owner].notnull())
    found = found.select("slot_key", "slot_day", "slot_time", "time", owner=found[owner])
    found = engine.keep(found.semi_join(asked, "owner").distinct())
    both = ibis.union(
        found.select("owner", "time", mark=found.time, side=ibis.literal(0), row=ibis.null("int64")),
        asked.select("owner", "time", mark=ibis.null("int64"), side=ibis.literal(1), row=asked.row),
    )
    running = ibis.cumulative_window(group_by="owner", order_by=["time", "side"])
    placed = both.mutate(mark=both.mark.max().over(running)).filter(lambda t: t.side == 1)
    placed = placed.filter(placed.mark.notnull() & (placed.time - placed.mark <= within))
    named = found.group_by("owner", mark=found.time).agg(slot_key=found.slot_key.min())
    facts = found.group_by("owner", "slot_key", mark=found.time).agg(
        slot_day=found.slot_day.min(), slot_time=found.slot_time.min()
    )
    single = named.join(facts, ["owner", "mark", "slot_key"])
    return (
        placed.select("row", "owner", "mark")
        .join(single, ["owner", "mark"])
        .select("row", "slot_key", "slot_day", "slot_time", mark_time="mark")
    )


def attributed_lines(
    engine: MiningEngine,
    slots: ir.Table,
    sold: ir.Table,
    touched: ir.Table,
    seen: ir.Table,
    *,
    windows: Windows,
    view_through: ViewThrough,
) -> ir.Table:
    """Lines that belong to a slot, kept: order_id, item, slot_key, slot_day, rule.

    Args:
        seen: impressions, for ``view_through``.
    """
    ids = ["order_id", "item"]
    named = sold.filter(sold.slot_key.notnull())
    by_name = _within(named, slots, earliest=-windows.skew, latest=windows.click + windows.purchase)
    clicked = touched.filter(touched.kind.isin([CLICK, CART]))
    by_click = _latest(engine, sold, clicked, within=windows.purchase, carry=ids)
    found = [_candidates(by_name, NAMED, "slot_time"), _candidates(by_click, TOUCHED, "mark_time")]
    if view_through is ViewThrough.last:
        shown = slots.semi_join(seen, "slot_key")
        by_view = _latest(engine, sold, shown, within=windows.view, carry=ids)
        found.append(_candidates(by_view, SEEN, "mark_time"))
    every = ibis.union(*found)
    order = ibis.window(
        group_by=ids, order_by=[every.rule, every.touched.desc(), every.slot_day.desc(), every.slot_key]
    )
    first = every.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place == 0)
    return engine.keep(first.drop("place", "touched"))


def _candidates(table: ir.Table, rule: int, touched: str) -> ir.Table:
    return table.select(
        "order_id", "item", "slot_key", "slot_day", touched=table[touched], rule=ibis.literal(rule, "int8")
    )


def marks(engine: MiningEngine, touched: ir.Table, sold: ir.Table, attributed: ir.Table) -> ir.Table:
    """What came of the slots that anything came of, kept: a row per slot_key."""
    acted = touched.group_by("slot_key").agg(
        slot_day=touched.slot_day.min(),
        clicked=(touched.kind == CLICK).any(),
        carted=(touched.kind == CART).any(),
        dismissed=touched.reason.fill_null(UNSAID).min(where=touched.kind == DISMISS),
    )
    lines = attributed.join(sold, ["order_id", "item"])
    bought = lines.group_by("slot_key").agg(
        slot_day=lines.slot_day.min(),
        order_id=lines.order_id.min(),
        quantity=lines.quantity.sum().cast("int64"),
        revenue=lines.revenue.sum(),
        returned_revenue=lines.returned_revenue.sum(),
        direct=(lines.rule == NAMED).any(),
    )
    joined = acted.outer_join(bought, "slot_key", rname="sold_{name}")
    names: dict[str, Any] = {name: joined[name].coalesce(joined[f"sold_{name}"]) for name in ("slot_key", "slot_day")}
    return engine.keep(joined.mutate(**names).drop("sold_slot_key", "sold_slot_day"))


def impressions(acts: ir.Table) -> ir.Table:
    """Keys of the slots that were seen, each once."""
    seen = acts.filter((acts.kind == IMPRESSION) & acts.slot_key.notnull())
    return seen.select("slot_key").distinct()
