"""Items feeds in the server: read from a file or a ``PUT``, merged, and serialised for the workers.

A feed is a delta, so the server's state is the field-by-field merge of all feeds since its start. Order matters: a feed
older than the one in use is refused, since it would restore stock that has been sold.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

import msgspec
from msgspec import UNSET, structs

from serving.protocol import packing
from serving.protocol.errors import unreadable
from tillside.policy import ConflictError, ItemsFeed, read_feed
from tillside.policy.items.feed import FeedItem

AHEAD_MS: Final = 5 * 60_000
"""How far a feed may be dated ahead: clocks differ."""


class FeedReport(TypedDict):
    """Result of applying a feed.

    Attributes:
        time_ms: creation time of the feed, UTC milliseconds.
        items: number of items in the feed.
        new_items: number of items known to the server but not in its bundle; null without a policy.
        ranked: number of those that the model ranks by their attributes.
    """

    time_ms: int
    items: int
    new_items: int | None
    ranked: int | None


def refuse_future(feed: ItemsFeed, *, now_ms: int) -> None:
    """Raise ConflictError if a feed is dated so far ahead that it would outdate every true one after it."""
    if feed.time_ms > now_ms + AHEAD_MS:
        raise ConflictError(
            f"time_ms must be UTC milliseconds, at most five minutes ahead of the server's clock ({now_ms}); "
            f"got {feed.time_ms}"
        )


class OutdatedFeedError(ConflictError):
    """A feed is older than the one in use."""

    @classmethod
    def check(cls, current: ItemsFeed | None, feed: ItemsFeed) -> None:
        """Raise if ``feed`` is older than ``current``."""
        if current is not None and feed.time_ms < current.time_ms:
            raise cls(
                f"the feed's time_ms must be at least {current.time_ms}, that of the feed in use; got {feed.time_ms}"
            )


def combined(one: ItemsFeed | None, other: ItemsFeed) -> ItemsFeed:
    """Merge two feeds field by field; the later feed wins."""
    if one is None:
        return other
    below, above = (other, one) if other.time_ms < one.time_ms else (one, other)
    rows: dict[str, FeedItem] = {item.item_id: item for item in below.items}
    for item in above.items:
        known = rows.get(item.item_id)
        rows[item.item_id] = item if known is None else structs.replace(known, **_said(item))
    return ItemsFeed(above.time_ms, tuple(rows.values()))


def with_file(current: ItemsFeed | None, path: Path | None, *, now_ms: int) -> ItemsFeed | None:
    """The current feed merged with the one in a file, if a path is given.

    Raises:
        ValueError: the file cannot be read, is dated ahead of ``now_ms``, or holds mistakes, listed one per line.
    """
    if path is None:
        return current
    try:
        feed = read_feed(path)
        refuse_future(feed, now_ms=now_ms)
    except OSError as error:
        raise ValueError(f"items feed {path} cannot be read: {unreadable(error, path)}") from None
    except ValueError as error:
        known = str(error).startswith(str(path))
        raise ValueError(f"items feed {error}" if known else f"items feed {path}: {error}") from None
    return combined(current, feed)


def packed(feed: ItemsFeed) -> str:
    """Compress a feed to base64 text, for the channel to a worker."""
    rows = [msgspec.json.encode({"time_ms": feed.time_ms}), *map(msgspec.json.encode, feed.items)]
    return packing.packed(b"\n".join(rows))


def unpacked(text: str) -> ItemsFeed:
    """Inverse of :func:`packed`."""
    return read_feed(packing.unpacked(text))


def _said(item: FeedItem) -> Mapping[str, Any]:
    return {name: value for name in item.__struct_fields__ if (value := getattr(item, name)) is not UNSET}
