"""The user's cache folder: what takes seconds to make and is the same wherever it is made.

It may be deleted at any time, and where it cannot be written or read, every process makes its own.
"""

import logging
import os
from pathlib import Path

from tillside.atomic import write_atomically

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """What the server's ``--cache`` is by default: TILLSIDE_CACHE, else ``~/.cache/tillside``. It need not exist."""
    return Path(os.environ.get("TILLSIDE_CACHE") or "~/.cache/tillside").expanduser()


def keep(path: Path, content: bytes) -> None:
    """Keep a file for the next process, if the disk allows."""
    try:
        write_atomically(path, content)
    except OSError as error:
        log.debug("%s is not kept: %s", path, error)
