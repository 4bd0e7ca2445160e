"""Console output of commands: sentences and tables on stdout, readable without colours."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

PLAIN_WIDTH = 150
"""Width in characters when the output is not a terminal."""


def say(text: str) -> None:
    """Print one plain sentence."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()
) -> None:
    """Print a table; columns named in ``numbers`` are right-aligned, cells too wide are folded."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    console.print(table)
