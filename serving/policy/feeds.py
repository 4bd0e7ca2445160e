"""Items feeds on their way through the server: a file, a ``PUT``, one laid over another, and down to the workers.

A feed says what has changed, so what a server knows is all feeds since its start, laid over one another field by field.
Order counts: a feed that was made before the one in use is refused, as it would bring back stock that has been sold.
"""

import base64
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

import msgspec
from msgspec import UNSET, structs

from tillside.policy import ItemsFeed, read_feed
from tillside.policy.items.feed import FeedItem

QUICK: Final = 1
"""zlib's fastest level; a feed's lines are much alike, and shrink to a tenth even so."""


class FeedReport(TypedDict):
    """What became of a feed.

    Attributes:
        time_ms: when it was made, UTC milliseconds.
        items: how many it names.
        new_items: how many items the server now knows that its bundle does not; null where no policy asks for them.
        ranked: how many of these the model ranks by their attributes.
    """

    time_ms: int
    items: int
    new_items: int | None
    ranked: int | None


class OutdatedFeedError(ValueError):
    """A feed is older than the one in use."""

    @classmethod
    def check(cls, current: ItemsFeed | None, feed: ItemsFeed) -> None:
        """Raise it if it is so."""
        if current is not None and feed.time_ms < current.time_ms:
            raise cls(
                f"the feed's time_ms must be at least {current.time_ms}, that of the feed in use; got {feed.time_ms}"
            )


def combined(one: ItemsFeed | None, other: ItemsFeed) -> ItemsFeed:
    """Both feeds as one: what the later one says holds, and what it does not mention the earlier one says."""
    if one is None:
        return other
    below, above = (other, one) if other.time_ms < one.time_ms else (one, other)
    rows: dict[str, FeedItem] = {item.item_id: item for item in below.items}
    for item in above.items:
        known = rows.get(item.item_id)
        rows[item.item_id] = item if known is None else structs.replace(known, **_said(item))
    return ItemsFeed(above.time_ms, tuple(rows.values()))


def with_file(current: ItemsFeed | None, path: Path | None) -> ItemsFeed | None:
    """What is known with what a file says, where there is one.

    Raises:
        ValueError: the file cannot be read, or there are mistakes in it, one a line.
    """
    if path is None:
        return current
    try:
        return combined(current, read_feed(path))
    except OSError as error:
        raise ValueError(f"items feed {path} cannot be read: {error}") from None


def packed(feed: ItemsFeed) -> str:
    """A feed as a short ASCII text, for the channel to a worker."""
    rows = [msgspec.json.encode({"time_ms": feed.time_ms}), *map(msgspec.json.encode, feed.items)]
    return base64.b64encode(zlib.compress(b"\n".join(rows), QUICK)).decode()


def unpacked(text: str) -> ItemsFeed:
    """What :func:`packed` made a text of."""
    return read_feed(zlib.decompress(base64.b64decode(text)))


def _said(item: FeedItem) -> Mapping[str, Any]:
    return {name: value for name in item.__struct_fields__ if (value := getattr(item, name)) is not UNSET}
