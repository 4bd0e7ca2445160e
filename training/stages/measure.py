"""How what came of the answers is measured: staged, joined, told."""

import time
from typing import Final

from tillside.atomic import write_text_atomically
from training.cli.console import print_table, say
from training.feedback.effects import ALL
from training.feedback.joining import Measured, join
from training.feedback.page import page, shown
from training.feedback.recording import record
from training.feedback.report import Report, report
from training.feedback.words import ENGLISH
from training.settings.measure import MeasureConfig

PAGE: Final = "effects.html"


def run(config: MeasureConfig) -> None:
    """Join what is new, write the report, and say what was found and what could not be read."""
    started = time.perf_counter()
    measured = join(config)
    tell(measured, seconds=time.perf_counter() - started)
    made = report(config)
    made.save(measured.out)
    file = measured.out / PAGE
    write_text_atomically(file, page(made, config.effects, config.language))
    tell_effects(made)
    say(f"the report is in {file}, its tables in {measured.out / 'effects'}")
    if config.record:
        tracker = record(made, config, measured.out, file)
        say(f"recorded in MLflow: {tracker.look}")


def tell(measured: Measured, *, seconds: float) -> None:
    """Print what was read, left out and written."""
    rejected, cleared = measured.counted("rejected"), measured.counted("cleared")
    rows = [["records read", f"{measured.total('read'):,}"]]
    rows += [[f"left out: {reason}", f"{count:,}"] for reason, count in sorted(rejected.items())]
    rows += [[f"cleared: {reason}", f"{count:,}"] for reason, count in sorted(cleared.items())]
    print_table(f"{measured.out}  ({seconds:.1f} s)", ["feedback", "count"], rows, numbers=["count"])
    if left := measured.total("bytes_left"):
        say(f"note: {left:,} bytes behind torn records were not read; the groups in them were never acknowledged")
    say(
        f"{measured.fresh:,} new of {len(measured.segments):,} segments; {measured.joined:,} days joined, "
        f"{measured.written:,} files written"
    )


def tell_effects(made: Report) -> None:
    """Print the figures over all."""
    rows = [
        [ENGLISH[row["metric"]], shown(row["metric"], row["estimate"]), _ends(row), f"{row['below']:,.0f}"]
        for name in ("effects", "order_value")
        for row in made.tables[name].to_pylist()
        if row["dimension"] == ALL
    ]
    if rows:
        span = "" if made.days is None else f", {made.days[0]} to {made.days[1]}"
        print_table(f"Effects{span}", ["metric", "estimate", "interval", "of"], rows, numbers=["estimate", "of"])


def _ends(row: dict[str, float | None]) -> str:
    low, high, metric = row["low"], row["high"], str(row["metric"])
    return "" if low is None or high is None else f"{shown(metric, low)} to {shown(metric, high)}"
