"""Orders to forget: whose records a feedback folder must not hold any longer, and up to when.

An order names a key by its digest alone, so that it does not keep what it deletes; with a salt the key itself is a
hash already. ``forgotten/`` holds those that a shopper asked for, for good: they are carried out on the log.
``withdrawn/`` holds those that a withdrawn consent makes, for some days: they end what is remembered of a shopper, and
leave the log as it is.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tillside.feedback.segments import read_segment, segments_of

FORGOTTEN: Final = "forgotten"
WITHDRAWN: Final = "withdrawn"
"""Folders of a feedback folder."""
GRACE_MS: Final = 2_000
"""A record may reach its segment so long after its time: writers end their segments only then."""
DIGEST_BYTES: Final = 16
PERSON: Final = b"tillside-forget"
REMEMBERED: Final = 1 << 12
"""Keys whose digest is remembered."""


class Order(Struct, frozen=True):
    """An order to forget.

    Attributes:
        keys: hex digests of a shopper's key in each form in which it may have been kept.
        time: UTC milliseconds; what was received or answered up to then goes, what comes later stays.
    """

    keys: list[str]
    time: int


encode_order: Final[Callable[[Order], bytes]] = msgspec.json.Encoder().encode
decode_order: Final[Callable[[bytes], Order]] = msgspec.json.Decoder(Order).decode


@functools.lru_cache(REMEMBERED)
def digest_of(kept: str) -> bytes:
    """Digest of a shopper's key as it is kept, plain or hashed."""
    return blake2b(kept.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, person=PERSON).digest()


def orders_in(folder: Path) -> Iterator[Order]:
    """Orders in the segments of a folder; none if there is no such folder.

    Raises:
        OSError: a file cannot be read.
    """
    for path in segments_of(folder):
        yield from (decode_order(record) for record in read_segment(path))


class _Whose(Struct):
    """What of a record says whose it is, and since when it is there."""

    shopper: str | None = None
    session: str | None = None
    time: int = 0
    received: int = 0


_whose: Final[Callable[[bytes], _Whose]] = msgspec.json.Decoder(_Whose).decode


class Forgotten:
    """What orders mean, taken together.

    Attributes:
        newest: time of the latest order; -1 without any.
    """

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._until: dict[bytes, int] = {}
        self.newest = -1
        for order in orders:
            self.add(order)

    def __bool__(self) -> bool:
        return bool(self._until)

    def add(self, order: Order) -> None:
        """Take an order too."""
        self.newest = max(order.time, self.newest)
        for key in order.keys:
            digest = bytes.fromhex(key)
            self._until[digest] = max(order.time, self._until.get(digest, -1))

    def visit_of(self, record: bytes) -> tuple[str, int] | None:
        """Key of the visit of an event or exposure that is meant, and up to when; the key may be empty.

        None of one that is not meant, or is no record.
        """
        whose = _decoded(record)
        if whose is None or whose.shopper is None:
            return None
        until = self._until.get(digest_of(whose.shopper), -1)
        return (whose.session or "", until) if _since(whose) <= until else None

    def means(self, record: bytes, visits: Mapping[str, int] | None = None) -> bool:
        """Whether an event or exposure is meant.

        Args:
            visits: keys of visits of which records without a shopper are meant too, up to when.
        """
        whose = _decoded(record)
        if whose is None:
            return False
        if whose.shopper is not None:
            return _since(whose) <= self._until.get(digest_of(whose.shopper), -1)
        return visits is not None and whose.session is not None and _since(whose) <= visits.get(whose.session, -1)


def _decoded(record: bytes) -> _Whose | None:
    try:
        return _whose(record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _since(whose: _Whose) -> int:
    return whose.received or whose.time
