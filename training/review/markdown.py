"""Markdown as MLflow renders and keeps it, for the descriptions of runs, sweeps, backtests and versions."""

import html
from collections.abc import Sequence
from typing import Final

NOTE: Final = "mlflow.note.content"
"""Tag of a run: its description."""
LIMIT: Final = 7900
"""Characters; MLflow cuts a tag at 8,000."""
GAP: Final = "&ensp;"
"""Ends a cell: MLflow sets columns without a space between them."""


def escape(text: str) -> str:
    """What a shop wrote: MLflow drops what looks like a tag."""
    return html.escape(text, quote=False)


def markdown_row(cells: Sequence[str]) -> str:
    """A row of a table."""
    told = (escape(cell).replace("|", "\\|") + GAP for cell in cells)
    return f"| {' | '.join(told)} |"


def difference(value: float, low: float, high: float) -> str:
    """A gain and its interval."""
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


def verdict(low: float, high: float) -> str:
    """What an interval of a gain says."""
    return "above" if low > 0 else "below" if high < 0 else "level with"
