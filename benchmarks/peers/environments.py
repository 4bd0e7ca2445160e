"""Environments of the peer libraries, each made from the requirements beside this file.

make peers            # both, into runs/peers
"""

from pathlib import Path
from typing import Final

SYSTEMS: Final = {"rectools-sasrec": "rectools", "rectools-ligr": "rectools", "replay-sasrec": "replay"}
"""Library of each system."""
ENVIRONMENTS: Final = Path("runs/peers")


def python_of(system: str, environments: Path = ENVIRONMENTS) -> Path:
    """Path of the Python that has the system's library.

    Raises:
        ValueError: the library's environment does not exist.
    """
    library = SYSTEMS[system]
    python = environments / library / "bin/python"
    if not python.exists():
        raise ValueError(
            f"{system} needs an environment of its own and {python} does not exist; make it with: make peers "
            f"(or install benchmarks/peers/{library}.txt elsewhere and name the folder with --environments)"
        )
    return python.absolute()
