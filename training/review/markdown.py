"""Markdown within MLflow's rendering quirks and limits, for descriptions of runs, sweeps, backtests and versions."""

from collections.abc import Sequence
from typing import Final

from training.cli.foreign_text import in_markdown

NOTE: Final = "mlflow.note.content"
"""Tag that holds a run's description."""
LIMIT: Final = 7900
"""Maximum characters of a description; MLflow truncates a tag at 8,000."""
GAP: Final = "&ensp;"
"""Appended to each cell, because MLflow renders columns without space between them."""


def escape(text: str) -> str:
    """A shop's own text as it is: MLflow drops whatever looks like a tag, and other viewers obey it."""
    return in_markdown(text)


class Markup(str):
    """Text that is Markdown already, of our own making: no cell escapes it again."""

    __slots__ = ()


def bold(text: str) -> Markup:
    """``text`` in bold type."""
    return Markup(f"**{escape(text)}**")


def markdown_row(cells: Sequence[str]) -> str:
    """A table row, cells escaped."""
    told = ((cell if isinstance(cell, Markup) else escape(cell)) + GAP for cell in cells)
    return f"| {' | '.join(told)} |"


def difference(value: float, low: float, high: float) -> str:
    """A gain and its confidence interval, to four decimals."""
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


def verdict(low: float, high: float) -> str:
    """Whether a gain's confidence interval lies above, below or across zero, in words."""
    return "above" if low > 0 else "below" if high < 0 else "level with"
