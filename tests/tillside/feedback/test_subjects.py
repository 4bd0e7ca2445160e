"""Keys are hashed with a salt, alike wherever it is done."""

import hashlib

import pytest

from tillside.feedback.subjects import hashed

SALT = b"0123456789abcdef"


def test_a_key_is_hashed_by_keyed_blake2b():
    """Any other program can make the same: `b2sum` has no key, so the algorithm is named here."""
    assert hashed("ann", SALT) == hashlib.blake2b(b"ann", digest_size=16, key=SALT).hexdigest()
    assert len(hashed("ann", SALT)) == 32


def test_the_hash_depends_on_key_and_salt():
    assert len({hashed(key, salt) for key in ("ann", "bob", "") for salt in (SALT, SALT + b"!")}) == 6


@pytest.mark.parametrize("salt", [b"", b"short", b"x" * 65])
def test_a_salt_that_guards_nothing_is_refused(salt):
    with pytest.raises(ValueError, match="the salt must have 16 to 64 bytes"):
        hashed("ann", salt)
