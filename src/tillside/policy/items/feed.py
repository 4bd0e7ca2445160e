"""Parser of the items feed: stock, prices, clearance, margins and new items, which change faster than a catalogue.

A feed is one JSON document ``{"time_ms": ..., "items": [...]}``, or JSON lines: ``{"time_ms": ...}`` first, then one
item per line. Parsing is strict: one mistake rejects the whole feed, and errors name line, item and field. An omitted
field keeps the known value; null marks the value as unknown.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tillside.policy.file.values import ConflictError, Name, Share, repeated_key, with_whole_numbers

MOST_MISTAKES: Final = 20
LONGEST_ID: Final = 256
"""Characters of an item id, as in a log and in a request: a longer one could be asked for by nobody."""
AttributeValue = str | int | float | bool | list[str]


class FeedItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One item; ``new_until_ms`` is UTC, ``attributes`` are as in the catalogue and replace all the item has."""

    item_id: Name
    stock: Annotated[int, Meta(ge=0)] | UnsetType | None = UNSET
    price: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    clearance: Share | UnsetType = UNSET
    margin: Share | UnsetType | None = UNSET
    new_until_ms: Annotated[int, Meta(ge=0, le=2**52)] | UnsetType = UNSET
    minimum_age: Annotated[int, Meta(ge=0, le=120)] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    attributes: dict[str, AttributeValue] | UnsetType = UNSET


ALLOWED: Final = {
    "item_id": f"a string of 1 to {LONGEST_ID} characters",
    "stock": "how many there are, an integer of at least 0, or null",
    "price": "a number above 0, or null",
    "clearance": "a share from 0 to 1",
    "margin": "a share from 0 to 1, or null",
    "new_until_ms": "UTC milliseconds, an integer of at least 0",
    "minimum_age": "years, an integer from 0 to 120",
    "name": "a string",
    "attributes": "an object of strings, numbers and lists of strings",
    "time_ms": "when the feed was made, UTC milliseconds, an integer of at least 0",
}


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    time_ms: Annotated[int, Meta(ge=0, le=2**52)]


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    time_ms: msgspec.Raw
    items: list[msgspec.Raw]


ONCE: Final = "stands twice; allowed: each key once"


class ItemsFeed(Struct, frozen=True):
    """A feed: creation time (UTC ms) and items with distinct ids."""

    time_ms: int
    items: tuple[FeedItem, ...]


def read_feed(source: bytes | Path) -> ItemsFeed:
    """Parse a feed.

    Args:
        source: the feed itself, or the path of its file.

    Raises:
        ValueError: the feed is invalid; one mistake per line of the message, with line, item and field. It is a
            ConflictError if nothing is wrong but that an item stands twice.
        OSError: the file cannot be read.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    label = f"{source}:" if isinstance(source, Path) else "line "
    rows = _rows(data, label)
    mistakes: list[str] = []
    twice: list[str] = []
    line, raw = next(rows, (1, b""))
    head = _decoded(raw, _Head, f"{label}{line}", mistakes)
    items: list[FeedItem] = []
    seen: dict[str, int] = {}
    for line, raw in rows:
        item = _decoded(raw, FeedItem, f"{label}{line}", mistakes)
        if item and item.item_id in seen:
            first = seen[item.item_id]
            twice.append(f"{label}{line}: item {item.item_id!r}: item_id was given in line {first} already")
            mistakes.append(twice[-1])
        if item and len(item.item_id) > LONGEST_ID:
            mistakes.append(f"{label}{line}: item_id has {len(item.item_id)} characters; allowed: {ALLOWED['item_id']}")
        if item:
            items.append(item)
            seen.setdefault(item.item_id, line)
        if len(mistakes) >= MOST_MISTAKES:
            more = f"and perhaps more; reading ended after {MOST_MISTAKES} mistakes"
            raise ConflictError.of([*mistakes, more], [*twice, more])
    if mistakes:
        raise ConflictError.of(mistakes, twice)
    assert head is not None
    return ItemsFeed(head.time_ms, tuple(items))


def _rows(data: bytes, label: str) -> Iterator[tuple[int, bytes]]:
    """Raw JSON of the head and then of each item, with line numbers, from either form."""
    if _is_head(data.strip().partition(b"\n")[0]):
        yield from ((number, row) for number, row in enumerate(data.split(b"\n"), start=1) if row.strip())
        return
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = _words(error) if data.strip() else "the feed is empty"
        raise ValueError(
            f"{label}1: {what}; allowed: an object with time_ms and items, or JSON lines after that of time_ms"
        ) from None
    within = sum(bytes(raw).count(b":") for raw in (document.time_ms, *document.items))
    if data.count(b":") != within + len(_Document.__struct_fields__):
        raise ValueError(f"{label}1: {repeated_key(data, None) or 'a key'} {ONCE}")
    yield 1, b'{"time_ms":' + bytes(document.time_ms) + b"}"
    line, place = 1, data.index(b'"items"')
    line += data.count(b"\n", 0, place)
    for raw in map(bytes, document.items):
        found = data.index(raw, place)
        line += data.count(b"\n", place, found)
        yield line, raw
        place = found + len(raw)
        line += raw.count(b"\n")


def _is_head(row: bytes) -> bool:
    try:
        found = msgspec.json.decode(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(found, dict) and "items" not in found


Row = TypeVar("Row", _Head, FeedItem)


def _decoded(raw: bytes, kind: type[Row], where: str, mistakes: list[str]) -> Row | None:
    """The decoded row; on a mistake None, and a message appended to ``mistakes``."""
    try:
        found = msgspec.json.decode(raw, type=kind)
        if (twice := repeated_key(raw, found)) is None:
            return found
        mistakes.append(f"{where}: {twice} {ONCE}")
    except msgspec.ValidationError as error:
        if (whole := _with_whole_numbers(raw)) is not None:
            return _decoded(whole, kind, where, mistakes)
        what, _, path = str(error).partition(" - at ")
        named = re.search(r"field `(\w[^`]*)`", what)
        field = named[1] if named else re.split(r"[.\[]", path.strip("`").removeprefix("$."))[0]
        item_id = _item_id(raw) if path != "" or named else None
        item = f"item {item_id!r}: " if item_id is not None else ""
        fields = ", ".join(kind.__struct_fields__)
        if named and "unknown" in what:
            mistakes.append(f"{where}: {item}{field} is not a field; allowed: {fields}")
        elif named:
            mistakes.append(f"{where}: {item}{field} is missing; allowed: {ALLOWED[field]}")
        else:
            allowed = ALLOWED.get(field, f"an object with {fields}")
            mistakes.append(f"{where}: {item}{field or 'the line'}: {what}; allowed: {allowed}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        mistakes.append(f"{where}: {_words(error)}; allowed: a JSON object a line")
    return None


def _with_whole_numbers(raw: bytes) -> bytes | None:
    """The row with ``9.0`` written as the integer that it is; None if it has no such number."""
    try:
        found = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
    whole = with_whole_numbers(found)
    return msgspec.json.encode(whole) if repr(whole) != repr(found) else None


def _item_id(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw).get("item_id")
    except (ValueError, RecursionError, AttributeError):
        return None


def _words(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
