"""Files that ship with the product, named without their folder: ``policy=electronics`` works from a wheel.

A checkout keeps them in ``configs/`` at its top, a wheel in ``tillside/configs/``.
"""

from pathlib import Path

from tillside.cli.likeness import did_you_mean
from tillside.cli.modules import PACKAGE, rooms

SUFFIX = ".yaml"


def shipped_directory() -> Path:
    """Folder of the shipped YAML files: inside the installed package, or at the top of the checkout."""
    inside = PACKAGE / "configs"
    return inside if inside.is_dir() else rooms() / "configs"


def shipped_names(kind: str) -> list[str]:
    """Names of the shipped files of a kind, which is a folder such as ``policy``, in alphabetical order."""
    return sorted(path.stem for path in (shipped_directory() / kind).glob(f"*{SUFFIX}"))


def file_or_shipped(kind: str, given: str | Path) -> Path:
    """Path of what a user gave: a file's path, or the name of a shipped file of a kind.

    A file that is there is always meant itself; so is whatever has a folder or a suffix, there or not.

    Raises:
        ValueError: a bare word that names neither a file nor a shipped one.
    """
    path = Path(given)
    if path.is_file() or path.suffix or len(path.parts) != 1:
        return path
    names = shipped_names(kind)
    if str(path) in names:
        return shipped_directory() / kind / f"{path}{SUFFIX}"
    meant = did_you_mean(str(path), names, before="; ")
    raise ValueError(f"{kind} must be a file or one of those that ship, {', '.join(names)}; got '{path}'{meant}")


def existing_or_shipped(kind: str, given: str | Path) -> Path:
    """:func:`file_or_shipped` of a file that must be there already.

    Raises:
        ValueError: there is none.
    """
    path = file_or_shipped(kind, given)
    if path.is_file():
        return path
    names = shipped_names(kind)
    what = "is a folder" if path.is_dir() else "does not exist"
    seen = "" if path.is_absolute() else f", seen from {Path.cwd()}"
    allowed = f"a file, or the name of one that ships: {', '.join(names)}" if names else "a file"
    raise ValueError(f"{kind} {path} {what}{seen}; allowed: {allowed}{did_you_mean(path.stem, names, before='; ')}")
