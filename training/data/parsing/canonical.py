"""Output of every reader: the canonical event table, with a reason on each row that is rejected or skipped.

A rejected row is an error in the log and counts against ``max_reject_share``; a skipped row is expected in that log
(a return, a postage line) and is only counted. ``RawEvents`` maps a publisher's columns, and ``canonical`` converts
them to the schema of ``tillside.events``.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import ibis
import ibis.expr.types as ir

from tillside.events import (
    BEHAVIOUR,
    BRAND,
    CATEGORY,
    ITEM_ID,
    NAME,
    PRICE,
    QUANTITY,
    SCENE_ID,
    SESSION_ID,
    TIME_UNKNOWN,
    TIMESTAMP,
    USER_ID,
    Behaviours,
)
from training.data.columns import (
    BEHAVIOUR_TEXT,
    CLEARED,
    FILE,
    ORDER,
    PART,
    POSITION,
    PRICE_TEXT,
    QUANTITY_TEXT,
    RECORD,
    REJECT,
    SKIP,
    WORD,
)
from training.data.engine import QueryEngine
from training.data.parsing.source_file import SourceFile
from training.data.parsing.values import LATEST, milliseconds, money, number, words
from training.settings.data import LogConfig

LEFT_OUT: Final = -1

MISSING_ITEM: Final = "missing item_id"
LONGEST_ID: Final = 256
"""Characters of an item id, as in a request: the server could not be asked for a longer one."""
LONG_ID: Final = f"item_id of more than {LONGEST_ID} characters"
UNPARSABLE_TIME: Final = "unparsable timestamp"
WRONG_CLOCK: Final = "timestamp before 1990 among later ones"
UNKNOWN_BEHAVIOUR: Final = "unknown behaviour"
BAD_PRICE: Final = "price is not a number of at least 0"
BAD_QUANTITY: Final = "quantity is not a whole number of at least 0"


@dataclass(frozen=True)
class Log:
    """A log as read.

    Attributes:
        events: FILE, RECORD, ORDER, REJECT, SKIP, CLEARED, the required columns of tillside.events
            (SESSION_ID or USER_ID, whichever the log has), optional ones, and ``attributes``.
        behaviours: behaviours in order; BEHAVIOUR holds indices into them.
        sources: the files; FILE holds indices into them.
        attributes: columns of ``events`` that describe the item.
        items: ITEM_ID, and any of PRICE, NAME and attributes; or None.
        behaviour_map: what the log's own words for behaviours were said to mean, where they were.
    """

    events: ir.Table
    behaviours: Behaviours
    sources: Sequence[SourceFile]
    attributes: tuple[str, ...] = ()
    items: ir.Table | None = None
    behaviour_map: Mapping[str, str | None] = field(default_factory=dict)


@functools.singledispatch
def read_log(config: LogConfig, engine: QueryEngine) -> Log:
    """Read the log as a canonical table; each reader registers itself for its config.

    Raises:
        ValueError: a file is missing, empty, damaged, or lacks a column.
    """
    raise TypeError(f"no reader of {type(config).__name__} is imported")


@dataclass(frozen=True)
class RawEvents:
    """Columns of a publisher's table, None where absent; ``timestamp_format`` as in readers.fields."""

    item_id: ir.Value
    timestamp: ir.Value | None
    timestamp_format: str = "auto"
    session_id: ir.Value | None = None
    user_id: ir.Value | None = None
    behaviour: ir.Value | None = None
    price: ir.Value | None = None
    quantity: ir.Value | None = None
    scene_id: ir.Value | None = None
    attributes: Mapping[str, ir.Value] = field(default_factory=dict)
    part: ir.IntegerValue | None = None
    nothing: Sequence[str] = ()
    skip: Sequence[tuple[ir.BooleanValue, str]] = ()


def canonical(
    table: ir.Table, raw: RawEvents, *, file: int, behaviours: Behaviours, behaviour_map: Mapping[str, str | None]
) -> ir.Table:
    """Convert ``table`` to the canonical columns, row for row.

    Args:
        table: source of ``raw``'s columns; RECORD and POSITION are passed through.
        raw: the publisher's columns.
        file: index of the file in the log's sources.
        behaviours: behaviours to keep.
        behaviour_map: the publisher's event types to behaviours; events mapped to None, or to a behaviour that is not
            kept, are skipped. Empty if the log uses our names.
    """
    columns: dict[str, ir.Value] = {name: table[name] for name in (RECORD, POSITION) if name in table.columns}
    columns |= {FILE: ibis.literal(file, "int8"), ITEM_ID: words(raw.item_id, raw.nothing)}
    columns |= {name: words(value, raw.nothing) for name, value in raw.attributes.items()}
    if raw.timestamp is not None:
        columns[TIMESTAMP] = milliseconds(raw.timestamp, raw.timestamp_format)
    ids = {SESSION_ID: raw.session_id, USER_ID: raw.user_id, SCENE_ID: raw.scene_id, BEHAVIOUR_TEXT: raw.behaviour}
    columns |= {name: words(value, raw.nothing) for name, value in ids.items() if value is not None}
    if raw.price is not None:
        columns |= {PRICE_TEXT: words(raw.price, raw.nothing), PRICE: money(raw.price)}
    if raw.quantity is not None:
        columns |= {QUANTITY_TEXT: words(raw.quantity, raw.nothing), QUANTITY: number(raw.quantity)}
    if raw.part is not None:
        columns[PART] = raw.part.cast("int8")
    skips = ibis.cases(*raw.skip) if raw.skip else ibis.null("string")
    shaped = table.select(**columns, **{SKIP: skips.cast("string")})
    return _judged(shaped, behaviours, behaviour_map)


def _judged(table: ir.Table, behaviours: Behaviours, behaviour_map: Mapping[str, str | None]) -> ir.Table:
    owner = SESSION_ID if SESSION_ID in table.columns else USER_ID
    checks = [(table[owner].isnull(), f"missing {owner}"), *item_checks(table[ITEM_ID])]
    cleared: list[tuple[ir.BooleanValue, str]] = []
    values: dict[str, ir.Value] = {}
    if TIMESTAMP in table.columns:
        known = (table[TIMESTAMP] >= 0) & (table[TIMESTAMP] < LATEST)
        checks.append((~known.fill_null(False), UNPARSABLE_TIME))
    else:
        values[TIMESTAMP] = ibis.literal(TIME_UNKNOWN, "int64")
    code: ir.Value = ibis.literal(0)
    skip = table[SKIP]
    if BEHAVIOUR_TEXT in table.columns:
        text = table[BEHAVIOUR_TEXT]
        names = dict(behaviour_map) or {name: name for name in behaviours.names}
        codes = {word: behaviours.index(name) if name in behaviours.names else LEFT_OUT for word, name in names.items()}
        code = text.cases(*codes.items(), else_=None)
        skip = skip.coalesce(ibis.ifelse(code == LEFT_OUT, ibis.literal("behaviour left out: ") + text, None))
        checks.append((code.isnull(), UNKNOWN_BEHAVIOUR))
        values[WORD] = ibis.ifelse(code.isnull(), text, None)
    for name, text_name, reason in ((PRICE, PRICE_TEXT, BAD_PRICE), (QUANTITY, QUANTITY_TEXT, BAD_QUANTITY)):
        if name in table.columns:
            value = table[name]
            whole = value == value.floor() if name == QUANTITY else ibis.literal(True)
            sound = (value >= 0) & (value < 2**31) & whole
            cleared.append((table[text_name].notnull() & ~sound.fill_null(False), reason))
            values[name] = ibis.ifelse(sound, value, None)
    reject = ibis.ifelse(skip.isnull(), ibis.cases(*checks), None)
    lost = ibis.cases(*cleared) if cleared else ibis.null("string")
    values |= {CLEARED: ibis.ifelse(skip.isnull() & reject.isnull(), lost, None).cast("string")}
    judged = table.mutate(**{BEHAVIOUR: code.cast("int8"), SKIP: skip, REJECT: reject}, **values)
    return judged.drop(*(name for name in (BEHAVIOUR_TEXT, PRICE_TEXT, QUANTITY_TEXT) if name in judged.columns))


def item_checks(item_id: ir.StringValue) -> list[tuple[ir.BooleanValue, str]]:
    """What makes an item id unusable, of an event or of a row of an item file, with the reason."""
    return [(item_id.isnull(), MISSING_ITEM), (item_id.length() > LONGEST_ID, LONG_ID)]


def in_order(*tables: ir.Table) -> ir.Table:
    """Concatenate the canonical tables of several files, adding ORDER."""
    ordered = []
    for table in tables:
        position = table[POSITION].cast("int64") if POSITION in table.columns else ibis.literal(0, "int64")
        order = table[FILE].cast("int64") * 2**56 + table[RECORD].cast("int64") * 2**22 + position
        ordered.append(table.mutate(**{ORDER: order}).drop(*({POSITION} & set(table.columns))))
    return ordered[0] if len(ordered) == 1 else ibis.union(*ordered)


def publisher_behaviours(config: LogConfig, *, allowed: Sequence[str]) -> Behaviours:
    """Behaviours to keep from a log with a fixed set.

    Raises:
        ValueError: a configured behaviour is not in ``allowed``.
    """
    for name in config.behaviours:
        if name not in allowed:
            raise ValueError(f"data.behaviours: a {config.name} log has no {name!r}; allowed: {', '.join(allowed)}")
    return Behaviours(tuple(config.behaviours))


ITEM_COLUMNS: Final = (CATEGORY, BRAND, NAME)
"""Item columns that the product interprets, unlike free attributes."""
