"""Atomic writes of directories and files: a reader sees the old content or all of the new.

Everything is written beside its destination under a temporary name and renamed into place at the end, so a killed
process leaves at most a hidden ``.NAME.partial-*`` directory, which the next writer of the same name removes. A writer
holds a lock on its directory, so that a second one neither sweeps it away nor mixes with it, but is refused.
"""

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

FULL: Final = {errno.ENOSPC, errno.EDQUOT}
WORDS_OF_FULL: Final = ("No space", "written", "write", "out of disk")
"""Of libraries that do not pass the number on: numpy, torch, DuckDB."""
SCANT: Final = 1 << 16
"""Free bytes below which a disk counts as full."""


@contextlib.contextmanager
def atomic_directory(destination: Path, *, marks: Sequence[str] = ()) -> Iterator[Path]:
    """Yield an empty directory that becomes ``destination`` when the block ends without an error.

    An existing destination is replaced as a whole. On an error the new content is removed and the old content is
    untouched.

    Args:
        marks: files that an existing, non-empty ``destination`` must hold to be replaced; they identify it as ours.

    Raises:
        ValueError: ``destination`` exists and is not a directory, is not empty and lacks one of ``marks``, or is being
            written by another process; or the disk is full.
    """
    destination = destination.absolute()
    if destination.exists() and not destination.is_dir():
        raise ValueError(f"{destination} exists and is not a directory")
    missing = [mark for mark in marks if not (destination / mark).is_file()]
    if missing and destination.is_dir() and any(destination.iterdir()):
        raise ValueError(f"{destination} holds other files and no {missing[0]}; name a new directory, or empty it")
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = _begun(destination)
    try:
        try:
            yield partial
        except (OSError, ValueError, RuntimeError) as error:
            place = full_disk(error, partial)
            if place is None:
                raise
            raise ValueError(f"the disk is full: no room is left in {place}; {destination} is as it was") from error
        _sync_tree(partial)
        if destination.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
            destination.rename(old / "replaced")
            partial.rename(destination)
            shutil.rmtree(old, ignore_errors=True)
        else:
            partial.rename(destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def full_disk(error: BaseException, folder: Path) -> Path | None:
    """The folder whose disk is full if that is what an error comes from: ``folder``, or that of temporary files.

    Libraries say it in a dozen ways, of which only some carry the system's error number; torch hides the error that
    does behind one of its own, raised while it closes its file.
    """
    named = any(isinstance(each, OSError) and each.errno in FULL for each in _with_causes(error))
    if not named and not any(word in str(error) for word in WORDS_OF_FULL):
        return None
    for place in (folder, Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            if shutil.disk_usage(place).free < SCANT:
                return folder.parent if place == folder else place
    return folder.parent if named else None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it was raised from or over."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _begun(destination: Path) -> tuple[Path, int]:
    """An empty directory beside ``destination``, and the descriptor that holds its lock.

    Raises:
        ValueError: another process holds one.
    """
    parent = os.open(destination.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems lock no directories
            fcntl.flock(parent, fcntl.LOCK_EX)
        found = list(destination.parent.glob(f".{glob.escape(destination.name)}.partial-*"))
        if any(map(_has_a_writer, found)):
            raise ValueError(f"another process is writing {destination}; wait for its end, or name another directory")
        for stale in found:
            shutil.rmtree(stale, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
        partial.chmod(0o755)
        lock = os.open(partial, os.O_RDONLY)
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return partial, lock
    finally:
        os.close(parent)


def _has_a_writer(partial: Path) -> bool:
    try:
        held = os.open(partial, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(held)
    return False


def write_text_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (UTF-8) atomically."""
    write_atomically(path, text.encode())


def lock_of(path: Path) -> int | None:
    """Descriptor that holds the exclusive lock of a file, which is made, until it is closed; None if another one does.

    Raises:
        OSError: the file cannot be made.
    """
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` atomically."""
    with atomic_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield an empty file that becomes ``path``, readable by all, when the block ends without an error.

    On an error, which is passed on as it is, it is removed, and what was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.partial-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _sync_tree(directory: Path) -> None:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
