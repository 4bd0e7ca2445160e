"""A report of effects as a run in MLflow: figures over all as metrics, days as curves, page and tables as artifacts."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from training.cli.foreign_text import in_markdown
from training.feedback.effects import ALL
from training.feedback.partitions import EPOCH
from training.feedback.report import FOLDER, Report
from training.settings.measure import MeasureConfig
from training.tracking.tracker import Tracker

NOTE: Final = "mlflow.note.content"
PARAMETERS: Final = ("attribution", "effects", "engine", "items")


def record(report: Report, config: MeasureConfig, out: Path, page: Path) -> Tracker:
    """Write and end a run; it is named by the days that it is about.

    Raises:
        ValueError: the store cannot be reached.
    """
    first, last = report.days or ("nothing", "nothing")
    tracker = Tracker.start(config.tracking, name=f"effects {first} to {last}", tags={"kind": "effects"})
    try:
        settings = {name: value for name, value in asdict(config).items() if name in PARAMETERS}
        tracker.parameters(_plain(settings))
        tracker.metrics(figures(report))
        tracker.publish(tags={NOTE: summary(report)}, curves=by_day(report))
        tracker.artifact(page.absolute())
        tracker.artifact((out / FOLDER).absolute(), FOLDER)
    except BaseException:
        tracker.end("FAILED")
        raise
    tracker.end()
    return tracker


def figures(report: Report) -> dict[str, float]:
    """Metrics over all with their intervals' ends, and each arm's lift."""
    found: dict[str, float] = {name: float(value) for name, value in report.counts.items()}
    for table in ("effects", "order_value"):
        for row in report.tables[table].to_pylist():
            if row["dimension"] == ALL:
                ends = {"": row["estimate"], "/low": row["low"], "/high": row["high"]}
                found |= {f"{row['metric']}{end}": value for end, value in ends.items() if value is not None}
    for row in report.tables["lift"].to_pylist():
        if row["relative"] is not None and row["who"] == "shoppers":
            name = f"lift/{_key(row['experiment'])}/{_key(row['arm'])}/{row['metric']}"
            found |= {name: row["relative"], f"{name}/low": row["relative_low"], f"{name}/high": row["relative_high"]}
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}


def by_day(report: Report) -> dict[str, dict[int, float]]:
    """Curves of the metrics by day; a step is a day since the first one."""
    curves: dict[str, dict[int, float]] = {}
    if report.days is None:
        return curves
    first = (date.fromisoformat(report.days[0]) - EPOCH).days
    for row in report.tables["effects"].to_pylist():
        if row["dimension"] == "day":
            step = (date.fromisoformat(row["value"]) - EPOCH).days - first
            curves.setdefault(f"daily/{row['metric']}", {})[step] = row["estimate"]
    return curves


def summary(report: Report) -> str:
    """The run's description: what was measured, and the lift, or that none can be told."""
    if report.days is None:
        return "No answers are in the log."
    told = [f"Answers from {report.days[0]} to {report.days[1]}: {report.counts['answers']:,}."]
    rows = [row for row in report.tables["lift"].to_pylist() if row["metric"] == "revenue_per_shopper"]
    for row in rows:
        if row["relative"] is not None:
            ends = f"{row['relative_low']:+.1%} to {row['relative_high']:+.1%}"
            told.append(
                f"{in_markdown(row['experiment'])}, {row['who']}: {in_markdown(row['arm'])} brings "
                f"{row['relative']:+.1%} ({ends}) revenue per shopper beside {in_markdown(row['reference'])}."
            )
    if not rows:
        told.append("No experiment ran, so that no lift can be told.")
    return "\n".join(f"- {line}" for line in told)


def _key(text: str) -> str:
    """Text as a metric's name may hold it."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in text)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, Mapping) else getattr(value, "value", value)
        for name, value in settings.items()
    }
