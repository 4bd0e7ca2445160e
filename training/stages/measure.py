"""How what came of the answers is measured: staged, joined, told."""

import time

from training.cli.console import print_table, say
from training.feedback.joining import Measured, join
from training.settings.measure import MeasureConfig


def run(config: MeasureConfig) -> None:
    """Join what is new, and say what was found and what could not be read."""
    started = time.perf_counter()
    measured = join(config)
    tell(measured, seconds=time.perf_counter() - started)


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
