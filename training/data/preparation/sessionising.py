"""Sessionisation: by the log's session ids or at idle gaps of each user, then repeat removal, then a length limit.

The length limit guards against bots. Sessions and items get the order number of their first event in the file as id:
unique, small and reproducible.
"""

from typing import Final

import ibis
import ibis.expr.types as ir

from tillside.events import BEHAVIOUR, ITEM_ID, PRICE, QUANTITY, SCENE_ID, SESSION_ID, TIMESTAMP, USER_ID
from training.data.columns import ITEM, ORDER, PART, PIECE, REPEAT, SESSION, STARTS
from training.data.engine import QueryEngine
from training.settings.prepare import Repeats

DEFAULT_GAP_MINUTES: Final = 30.0


def number_items(engine: QueryEngine, events: ir.Table, item_file: ir.Table | None) -> ir.Table:
    """Table of ITEM_ID and ITEM, one row per item; ITEM is null for an item that only the item file has."""
    items = events.group_by(ITEM_ID).agg(**{ITEM: events[ORDER].min()})
    if item_file is not None:
        unseen = item_file.select(ITEM_ID).distinct().anti_join(items, ITEM_ID)
        items = items.union(unseen.mutate(**{ITEM: ibis.null("int64")}))
    return engine.keep(items)


def match_items(engine: QueryEngine, numbered: ir.Table, item_file: ir.Table) -> dict[str, int]:
    """How many items of the log stand in the item file, of how many.

    Raises:
        ValueError: none does.
    """
    known = numbered.filter(numbered[ITEM].notnull())
    both = known.semi_join(item_file, ITEM_ID)
    counts = {"in_log": engine.value(known.count()), "in_both": engine.value(both.count())}
    if counts["in_log"] and not counts["in_both"]:
        ours, theirs = (engine.rows(table.select(ITEM_ID).limit(1)) for table in (known, item_file))
        if theirs:
            raise ValueError(
                f"data.items: none of the log's {counts['in_log']:,} items stands in the item file; the log's are "
                f"written {ours[0][ITEM_ID]!r}, the file's {theirs[0][ITEM_ID]!r}"
            )
    return counts


def make_sessions(
    engine: QueryEngine,
    events: ir.Table,
    items: ir.Table,
    *,
    gap_minutes: float | None,
    repeats: Repeats,
    max_length: int | None,
) -> ir.Table:
    """Assign events to sessions; returns SESSION, ITEM, BEHAVIOUR, TIMESTAMP, ORDER and the optional columns.

    Args:
        engine: owner of the tables.
        events: valid events in the canonical schema.
        items: from ``number_items``.
        gap_minutes: a longer pause starts a new session. None: 30 minutes if the log has only user ids, no gap rule if
            it has session ids.
        repeats: keep or collapse consecutive events with the same item and behaviour (the first one stays).
        max_length: longer sessions are cut into sessions of this many events; None for no limit.
    """
    owner = SESSION_ID if SESSION_ID in events.columns else USER_ID
    if owner == SESSION_ID and USER_ID in events.columns:
        events = of_one_user(events)
    owners = events.group_by(owner).agg(**{SESSION: events[ORDER].min()})
    optional = [name for name in (PRICE, QUANTITY, SCENE_ID, PART) if name in events.columns]
    table = events.select(owner, ITEM_ID, BEHAVIOUR, TIMESTAMP, ORDER, *optional)
    table = table.inner_join(owners, owner).drop(owner).inner_join(items, ITEM_ID).drop(ITEM_ID)
    gap = gap_minutes or (DEFAULT_GAP_MINUTES if owner == USER_ID else None)
    if gap is not None:
        table = _cut_at_gaps(table, milliseconds=round(gap * 60_000))
    if repeats is Repeats.collapse:
        table = collapse(table, ITEM)
    if max_length is not None:
        table = _cut_at_length(table, max_length)
    return engine.keep(table)


def of_one_user(events: ir.Table) -> ir.Table:
    """Events whose session id names the user too, since many logs count sessions per user: 1, 2, 3, or by the second.

    A user who is known from some event of the session on (a login) stays in one session; only a second user makes
    another one.
    """
    user, session = events[USER_ID], events[SESSION_ID]
    users = events.group_by(SESSION_ID).agg(first=user.min(), last=user.max())
    shared = users.filter(users["first"] != users["last"])
    several = session.isin(shared[SESSION_ID]) & user.notnull()
    return events.mutate(**{SESSION_ID: ibis.ifelse(several, user + "\x1f" + session, session)})


def _cut_at_gaps(table: ir.Table, *, milliseconds: int) -> ir.Table:
    order = [table[TIMESTAMP], table[ORDER]]
    pause = table[TIMESTAMP] - table[TIMESTAMP].lag().over(group_by=table[SESSION], order_by=order)
    paused = table.mutate(**{STARTS: (pause > milliseconds).fill_null(False).cast("int64")})
    so_far = ibis.cumulative_window(group_by=paused[SESSION], order_by=[paused[TIMESTAMP], paused[ORDER]])
    return _renamed(paused.mutate(**{PIECE: paused[STARTS].sum().over(so_far)}).drop(STARTS))


def collapse(table: ir.Table, item: str) -> ir.Table:
    """Drop events that repeat the item and behaviour of the event before them in their session.

    Args:
        item: column of the items.
    """
    window = ibis.window(group_by=table[SESSION], order_by=[table[TIMESTAMP], table[ORDER]])
    same = (table[item] == table[item].lag().over(window)) & (table[BEHAVIOUR] == table[BEHAVIOUR].lag().over(window))
    marked = table.mutate(**{REPEAT: same.fill_null(False)})
    return marked.filter(~marked[REPEAT]).drop(REPEAT)


def _cut_at_length(table: ir.Table, length: int) -> ir.Table:
    place = ibis.row_number().over(group_by=table[SESSION], order_by=[table[TIMESTAMP], table[ORDER]])
    return _renamed(table.mutate(**{PIECE: place // length}))


def _renamed(table: ir.Table) -> ir.Table:
    """Make each piece of a session a session with its own id."""
    first = table[ORDER].min().over(group_by=[table[SESSION], table[PIECE]])
    return table.mutate(**{SESSION: first}).drop(PIECE)
