"""A busy neighbour: another process that keeps one core busy while something is measured."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tillside.cores import OURS, PASSIVE, THREADS

ANYWHERE: Final = "anywhere"
"""A neighbour that the kernel moves from core to core."""


def places() -> list[str]:
    """Where a neighbour may run: on each of the first two usable cores, or anywhere."""
    return [*(f"core {core}" for core in sorted(os.sched_getaffinity(0))[:2]), ANYWHERE]


@contextmanager
def neighbour(place: str | None) -> Iterator[None]:
    """One core busy within the block; None: nobody.

    Args:
        place: of :func:`places`.
    """
    if place is None:
        yield
        return
    process = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        if place != ANYWHERE:
            os.sched_setaffinity(process.pid, {int(place.removeprefix("core "))})
        yield
    finally:
        process.kill()
        process.wait()


def of_a_user(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment as a user has it: without what importing ``training`` set here, which children would take for
    the user's, an older checkout's commands too."""
    return {name: value for name, value in environment.items() if name not in (THREADS, OURS, *PASSIVE)}
