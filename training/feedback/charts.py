"""Charts of the page of effects as inline SVG, without scripts and without anything from elsewhere.

A chart's texts are escaped here; numbers come formatted.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COLOUR: Final = "#1f6feb"
GREY: Final = "#8a94a0"
GOOD: Final = "#3a9d5d"
BAD: Final = "#c9463d"
ROW: Final = 24
LABEL: Final = 190
PLOT: Final = 330
FIGURE: Final = 190
LONGEST_LABEL: Final = 26


@dataclass(frozen=True)
class Bar:
    """One value with its interval (None: not known) and the text that stands beside it."""

    label: str
    value: float
    low: float | None
    high: float | None
    text: str


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Horizontal bars from 0 with whiskers; empty without rows."""
    if not rows:
        return ""
    top = max(max(row.value, row.high or 0.0) for row in rows) or 1.0
    parts = []
    for number, row in enumerate(rows):
        y = number * ROW + ROW / 2
        parts.append(_label(row.label, y) + _bar(row.value / top, y) + _whisker(row.low, row.high, top, y))
        parts.append(_text(row.text, LABEL + PLOT + 12, y))
    return _svg("".join(parts), len(rows) * ROW, title)


def forest(rows: Sequence[Bar], *, title: str) -> str:
    """Differences from 0 with their intervals: green above, red below, grey where they are not sure."""
    rows = [row for row in rows if row.low is not None and row.high is not None]
    if not rows:
        return ""
    ends = [abs(end) for row in rows for end in (row.low or 0.0, row.high or 0.0)]
    top = max(ends) or 1.0
    middle = LABEL + PLOT / 2
    parts = [
        f'<line x1="{middle}" x2="{middle}" y1="0" y2="{len(rows) * ROW}" stroke="{GREY}" stroke-dasharray="3 3"/>'
    ]
    for number, row in enumerate(rows):
        assert row.low is not None
        assert row.high is not None
        y = number * ROW + ROW / 2
        colour = GOOD if row.low > 0 else BAD if row.high < 0 else GREY
        x, low, high = (middle + each / top * PLOT / 2 for each in (row.value, row.low, row.high))
        parts.append(_label(row.label, y))
        parts.append(f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{colour}"/>')
        parts.append(_text(row.text, LABEL + PLOT + 12, y))
    return _svg("".join(parts), len(rows) * ROW, title)


def line(rows: Sequence[Bar], *, title: str) -> str:
    """A value by day with its band; the axis is 0 and the text at the left tells the highest value. Needs two days."""
    if len(rows) < 2:
        return ""
    height, left, width = 150, 90, LABEL + PLOT + FIGURE - 80
    lows = [row.value if row.low is None else row.low for row in rows]
    highs = [row.value if row.high is None else row.high for row in rows]
    bottom, top = min(0.0, *lows), max(0.0, *highs)
    span = (top - bottom) or 1.0
    places = [left + number * (width - left) / (len(rows) - 1) for number in range(len(rows))]

    def y(value: float) -> float:
        return 10 + (height - 20) * (top - value) / span

    def points(values: Sequence[float]) -> list[str]:
        return [f"{x:.1f},{y(value):.1f}" for x, value in zip(places, values, strict=True)]

    band = " ".join([*points(highs), *reversed(points(lows))])
    axis = f'<line x1="{left}" x2="{width}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke="{GREY}"/>'
    ends = f'<text x="{left}" y="{height + 14}">{html.escape(rows[0].label)}</text>'
    ends += f'<text x="{width}" y="{height + 14}" text-anchor="end">{html.escape(rows[-1].label)}</text>'
    best = max(rows, key=lambda row: row.value)
    mark = f'<text x="{left - 6}" y="{y(best.value) + 4:.1f}" text-anchor="end">{html.escape(best.text)}</text>'
    shape = f'<polygon points="{band}" fill="{COLOUR}" opacity=".14"/>'
    path = " ".join(points([row.value for row in rows]))
    drawn = f'<polyline points="{path}" fill="none" stroke="{COLOUR}" stroke-width="2"/>'
    return _svg(axis + shape + drawn + ends + mark, height + 20, title)


def _svg(body: str, height: float, title: str) -> str:
    width = LABEL + PLOT + FIGURE
    safe = html.escape(title)
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}" role="img" aria-label="{safe}">'
        f"<title>{safe}</title>{body}</svg>"
    )


def _label(label: str, y: float) -> str:
    short = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    whole = html.escape(label)
    return f'<text x="{LABEL - 8}" y="{y + 4}" text-anchor="end"><title>{whole}</title>{html.escape(short)}</text>'


def _text(text: str, x: float, y: float) -> str:
    return f'<text x="{x}" y="{y + 4}" class="figure">{html.escape(text)}</text>'


def _bar(share: float, y: float) -> str:
    width = max(share * PLOT, 0.0)
    return f'<rect x="{LABEL}" y="{y - 7}" width="{width:.1f}" height="14" rx="2" fill="{COLOUR}" opacity=".8"/>'


def _whisker(low: float | None, high: float | None, top: float, y: float) -> str:
    if low is None or high is None:
        return ""
    left, right = LABEL + max(low, 0) / top * PLOT, LABEL + high / top * PLOT
    ends = "".join(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + 4}"/>' for x in (left, right))
    return f'<g stroke="#1c2733" stroke-width="1"><line x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"/>{ends}</g>'
