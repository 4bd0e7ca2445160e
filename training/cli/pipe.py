"""The end of a command whose reader has gone, as in ``| head -1``: quiet, with the exit code that a shell gives it."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

PIPE: Final = 128 + signal.SIGPIPE


@contextlib.contextmanager
def quiet_pipe() -> Iterator[None]:
    """End the process quietly where nobody reads what the block prints any more.

    Raises:
        SystemExit: with PIPE.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        leave_pipe()


def leave_pipe() -> NoReturn:
    """End the process; what it still says on its way out goes nowhere.

    Raises:
        SystemExit: with PIPE.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to fail at the exit
    sys.exit(PIPE)
