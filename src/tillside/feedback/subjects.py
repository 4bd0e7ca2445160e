"""Whose exposures and events they are: opaque keys, hashed with a salt where the shop says so.

Server and collector hash alike, so that what they write can be joined. Without the salt a key cannot be guessed from
its hash, not even from a list of all customers.
"""

import hashlib
from typing import Final

HASH_BYTES: Final = 16
MOST_SALT: Final = 64
"""Bytes of a salt at most, which BLAKE2b sets."""
LEAST_SALT: Final = 16


def as_kept(key: str, salt: bytes | None) -> str:
    """A shopper's or session's key as it is written: hashed, or as it came where there is no salt."""
    return key if salt is None else hashed(key, salt)


def hashed(key: str, salt: bytes) -> str:
    """32 hex digits of a shopper's or session's key: BLAKE2b keyed with the salt.

    Raises:
        ValueError: the salt is not 16 to 64 bytes long.
    """
    if not LEAST_SALT <= len(salt) <= MOST_SALT:
        raise ValueError(f"the salt must have {LEAST_SALT} to {MOST_SALT} bytes, got {len(salt)}")
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES, key=salt).hexdigest()
