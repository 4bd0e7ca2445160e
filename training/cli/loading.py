"""Import the slow libraries of a command, once its settings are known to be right."""

import contextlib
import gc
from collections.abc import Iterator

from training.cli.progress import step


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """The step of a command that imports what it runs."""
    with step("loading the libraries"), uncollected():
        yield


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: importing torch and Lightning, as tracing a model, makes a million small objects that
    stay, and looking through them again and again is a fifth of its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
