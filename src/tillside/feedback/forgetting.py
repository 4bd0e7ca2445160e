"""Orders to forget: whose records a feedback folder must not hold any longer, and up to when.

An order names a key by its digest alone, so that it does not keep what it deletes; with a salt the key itself is a
hash already. ``forgotten/`` holds those that a shopper asked for, for good: they are carried out on the log.
``withdrawn/`` holds those that a withdrawn consent makes, for some days: they end what is remembered of a shopper, and
leave the log as it is.
"""

import functools
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tillside.feedback.segments import read_segment, segments_of

FORGOTTEN: Final = "forgotten"
WITHDRAWN: Final = "withdrawn"
"""Folders of a feedback folder."""
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
