"""Atomic writes of directories and files: a reader sees the old content or all of the new.

Everything is written beside its destination under a temporary name and renamed into place at the end, so a killed
process leaves at most a hidden ``.NAME.partial-*`` directory, which the next writer of the same name removes.
"""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


@contextlib.contextmanager
def atomic_directory(destination: Path, *, marks: Sequence[str] = ()) -> Iterator[Path]:
    """Yield an empty directory that becomes ``destination`` when the block ends without an error.

    An existing destination is replaced as a whole. On an error the new content is removed and the old content is
    untouched.

    Args:
        marks: files that an existing, non-empty ``destination`` must hold to be replaced; they identify it as ours.

    Raises:
        ValueError: ``destination`` exists and is not a directory, or is not empty and lacks one of ``marks``.
    """
    destination = destination.absolute()
    if destination.exists() and not destination.is_dir():
        raise ValueError(f"{destination} exists and is not a directory")
    missing = [mark for mark in marks if not (destination / mark).is_file()]
    if missing and destination.is_dir() and any(destination.iterdir()):
        raise ValueError(f"{destination} holds other files and no {missing[0]}; name a new directory, or empty it")
    destination.parent.mkdir(parents=True, exist_ok=True)
    for stale in destination.parent.glob(f".{glob.escape(destination.name)}.partial-*"):
        shutil.rmtree(stale, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
    partial.chmod(0o755)
    try:
        yield partial
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


def write_text_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (UTF-8) atomically."""
    write_atomically(path, text.encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.partial-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
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
