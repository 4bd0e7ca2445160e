"""A server's own copy of the bundle that it serves, so that nobody can write into what is memory-mapped.

A bundle's arrays are mapped, not read, so that all workers share them. A file that is truncated under a mapping ends
the process at its next look (SIGBUS), and one that is overwritten in place changes answers without a word; cp and rsync
--inplace do both. So a bundle is copied into a folder of this server's own before it is verified and loaded. Copies are
removed when another takes their place and at exit; what a killed server left behind, the next one of the same user
removes. Where no copy can be made (a full disk, a read-only one) the folder itself is served, and the log says so.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from tillside.bundle import MANIFEST

log = logging.getLogger("serving")
PREFIX: Final = "tillside-serving-"
LOCK: Final = "lock"


class PrivateCopies:
    """Copies of bundles in a folder of this process's own, which is locked while the process lives.

    Args:
        place: folder to make it in; None for the system's folder of temporary files.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._home: Path | None = None
        self._lock: int | None = None
        self._number = 0

    def of(self, bundle: Path) -> Path:
        """A copy of the manifest and of the files that it lists; ``bundle`` itself where there can be none.

        Nothing is verified: a file that is missing here is missing there, and a link that leads outside still does.
        """
        names = _listed(bundle)
        if names is None:
            return bundle  # what is wrong with it, loading says
        try:
            copy = self._fresh()
        except OSError as error:
            return self._in_place(bundle, error)
        try:
            for name in names:
                _copy(bundle, copy, name)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            return self._in_place(bundle, error)
        return copy

    def drop(self, copy: Path | None) -> None:
        """Remove a copy; whoever has mapped its files keeps them until they are unmapped."""
        if copy is not None and self._home is not None and copy.parent == self._home:
            shutil.rmtree(copy, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _fresh(self) -> Path:
        if self._home is None:
            place = Path(tempfile.gettempdir()) if self._place is None else self._place  # there may be none to write in
            _sweep(place)
            self._home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            self._lock = os.open(self._home / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._number += 1
        copy = self._home / str(self._number)
        copy.mkdir()
        return copy

    def _in_place(self, bundle: Path, error: OSError) -> Path:
        reason = error.strerror or str(error)
        log.warning(
            "bundle %s is served in place, as it cannot be copied (%s): writing into its files would end this server; "
            "TMPDIR names another folder for the copy, and a new bundle belongs into a folder of its own",
            bundle,
            reason,
        )
        return bundle


def _listed(bundle: Path) -> list[str] | None:
    """The manifest's name and the names that it lists; None where it cannot be read or a name leads outside."""
    try:
        files = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["files"]
        names = [MANIFEST, *map(str, files)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    plain = all(not (pure := PurePosixPath(name)).is_absolute() and ".." not in pure.parts for name in names)
    return names if plain and not any("\\" in name or "\0" in name for name in names) else None


def _copy(bundle: Path, copy: Path, name: str) -> None:
    source, target = bundle / name, copy / name
    try:
        if not source.is_file():
            return
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return
        raise
    target.parent.mkdir(parents=True, exist_ok=True)
    leads_outside = not source.resolve().is_relative_to(bundle.resolve())
    shutil.copyfile(source, target, follow_symlinks=not (source.is_symlink() and leads_outside))


def _sweep(place: Path) -> None:
    """Remove the folders of this user's servers that were killed: nobody holds their locks."""
    for home in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            about = home.lstat()
            if home.is_symlink() or about.st_uid != os.getuid():
                continue
            lock = os.open(home / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(home, ignore_errors=True)
            finally:
                os.close(lock)
