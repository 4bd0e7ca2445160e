"""A command whose reader has gone ends quietly, whatever it was about to print."""

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest

from training.cli.console import print_table, say
from training.cli.pipe import PIPE, quiet_pipe


@contextlib.contextmanager
def unread() -> Iterator[None]:
    """Within the block nobody reads stdout any more."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as out, contextlib.redirect_stdout(out):
        yield


@pytest.mark.parametrize(
    "words",
    [lambda: print("line"), lambda: say("line"), lambda: print_table("title", ["a"], [["1"]])],
    ids=["print", "say", "table"],
)
def test_a_closed_pipe_ends_the_command_with_141_and_no_word(
    words: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """141 is 128 + 13, the number of SIGPIPE. What is said afterwards, as the way to go on, goes nowhere."""
    with unread():
        with pytest.raises(SystemExit) as caught, quiet_pipe():
            words()
        say("go on with it: ...")
    assert caught.value.code == PIPE == 141
    assert capfd.readouterr().err == ""
