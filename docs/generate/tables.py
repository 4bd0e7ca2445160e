"""Tables of a Markdown page."""

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made from the code by `make docs`; edits are lost. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; bars and line breaks within a cell are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines]


def code(text: str) -> str:
    """A span of code; nothing for no text."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
