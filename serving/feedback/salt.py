"""The salt that hashes the keys of shoppers and sessions, alike in server and collector."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tillside.feedback.subjects import LEAST_SALT, MOST_SALT

VARIABLE: Final = "TILLSIDE_FEEDBACK_SALT"


def read_salt(environment: Mapping[str, str], file: Path | None) -> bytes | None:
    """The salt of the file, else of the variable; None without either. Blanks around it do not count.

    Raises:
        ValueError: it cannot be read, or is not 16 to 64 bytes long; the message does not hold it.
    """
    if file is None:
        name, salt = VARIABLE, environment.get(VARIABLE, "").encode("utf-8", "surrogateescape").strip()
        if not salt:
            return None
    else:
        name = f"--feedback-salt {file}"
        try:
            salt = file.read_bytes().strip()
        except OSError as error:
            raise ValueError(f"{name} cannot be read: {error.strerror}") from None
    if not LEAST_SALT <= len(salt) <= MOST_SALT:
        raise ValueError(
            f"{name} must hold {LEAST_SALT} to {MOST_SALT} bytes, got {len(salt)}; openssl rand -hex 16 makes them"
        )
    return salt
