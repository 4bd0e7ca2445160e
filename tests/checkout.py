"""What lies in the checkout, so that what a run of the tests leaves there can be told.

Surprising: git is not asked, because it says nothing of what ``.gitignore`` hides, and an exported tree has none.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
CACHES: Final = frozenset(
    (
        ".git",
        ".hypothesis",
        ".import_linter_cache",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".stamps",
        "__pycache__",
    )
)
"""Folders of tools, at any depth, that are not looked into; nor is a virtual environment, whatever its name."""
OUTPUTS: Final = frozenset(
    ("bundle", "dataset", "demo", "effects", "feedback", "multirun", "outputs", "runs", "shop", "site")
)
"""Folders at the root that the README's commands write. Somebody may train there while the tests run, so that only a
new one counts, not what goes on within."""

Entry = tuple[int, int]
"""Size and time of the last change, in ns; of a folder zeros."""


def entries_of(root: Path) -> dict[str, Entry]:
    """Files and folders (which end in a slash) below ``root``, by their path relative to it, without CACHES."""
    found: dict[str, Entry] = {}
    for place, folders, files in os.walk(root):
        folder = Path(place)
        folders[:] = [name for name in folders if name not in CACHES and not (folder / name / "pyvenv.cfg").exists()]
        for name in folders:
            found[f"{(folder / name).relative_to(root)}/"] = (0, 0)
        if folder == root:
            folders[:] = [name for name in folders if name not in OUTPUTS]
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # an editor's, between the look and this one
                stat = (folder / name).lstat()
                found[str((folder / name).relative_to(root))] = (stat.st_size, stat.st_mtime_ns)
    return found


def changes(before: dict[str, Entry], after: dict[str, Entry]) -> list[str]:
    """A line for each entry that is new, was changed or is gone."""
    lines = [f"new: {path}" for path in sorted(after.keys() - before.keys())]
    lines += [f"changed: {path}" for path in sorted(after.keys() & before.keys()) if after[path] != before[path]]
    return lines + [f"gone: {path}" for path in sorted(before.keys() - after.keys())]
