"""Console output of commands: sentences and tables on stdout, readable without colours."""

from collections.abc import Sequence
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text, TextType

from training.cli.foreign_text import shown
from training.cli.pipe import leave_pipe
from training.cli.progress import REPORTER

PLAIN_WIDTH = 150
"""Width in characters when the output is not a terminal."""


class Printer(Console):
    """A console that ends the process quietly when nobody reads it any more; rich's own leaves with exit code 1."""

    def on_broken_pipe(self) -> NoReturn:
        leave_pipe()


def say(text: str) -> None:
    """Print one plain sentence."""
    with REPORTER.aside():
        Printer(highlight=False, soft_wrap=True, emoji=False).print(shown(text), markup=False)


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()
) -> None:
    """Print a table; columns named in ``numbers`` are right-aligned, cells too wide are folded."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, map(shown, row)))
    print_wide(table)


def _text(words: TextType | None) -> TextType | None:
    return Text(shown(words)) if isinstance(words, str) else words


def print_wide(table: Table) -> None:
    """Print a table, as wide as PLAIN_WIDTH where no terminal sets a width; brackets in its cells are not markup."""
    table.title, table.caption = _text(table.title), _text(table.caption)
    width = None if Console().is_terminal else PLAIN_WIDTH
    with REPORTER.aside():
        Printer(highlight=False, markup=False, emoji=False, width=width).print(table)
