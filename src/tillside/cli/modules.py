"""Modules of the product as processes: the one that is started is the product's, whatever the working folder holds.

Surprising: ``python -m`` puts the working folder before everything else that is imported, so that a user's own
``serving/`` or ``torch.py`` would run in a worker process; ``-P`` leaves it out. It stays where it is the very folder
that holds the rooms: a checkout that was never installed has no other way to find them.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parents[1]


def rooms() -> Path:
    """Folder of ``training`` and ``serving``: that of ``tillside`` when installed, the top of a checkout."""
    return PACKAGE.parents[1] if (PACKAGE.parents[1] / "pyproject.toml").is_file() else PACKAGE.parent


def module_command(module: str, *arguments: str) -> list[str]:
    """Command line of a process that runs a module of the product with ``arguments``."""
    safe = [] if Path.cwd() == rooms() else ["-P"]
    return [sys.executable, *safe, "-m", module, *arguments]


def refuse_stranger(module: str) -> None:
    """Make sure that ``module`` would be imported from this installation.

    Raises:
        ValueError: it is not part of the installation, or the module path has another package of the room's name first.
    """
    room = module.partition(".")[0]
    found = importlib.util.find_spec(room)
    own = rooms() / room
    if not own.is_dir():
        raise ValueError(f"{module} is not part of the installation in {rooms()}")
    places = [Path(place).resolve() for place in (found.submodule_search_locations or ()) if found] if found else []
    if found is None or own not in places[:1]:
        stranger = places[0] if places else found.origin if found else "nothing"
        raise ValueError(
            f"{room} is {stranger} here, not tillside's own {own}: take the folder of the first out of PYTHONPATH"
        )
