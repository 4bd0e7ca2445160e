"""How experiments are checked, planned and read.

Shapes: S subjects.
"""

import json
import math
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tillside.atomic import write_text_atomically
from tillside.experiments.reader import read_experiments
from tillside.experiments.terms import HOLDOUT, Arm, Experiment, Experiments, Reading
from tillside.policy import parse_policy
from tillside.policy.file.tree import text_of
from tillside.policy.file.values import DAY_MS
from training.cli.console import print_table, say
from training.data.engine import open_engine
from training.experiments.metrics import METRICS
from training.experiments.planning import DAYS, chosen, plan
from training.experiments.reading import Report, read_experiment, starts_ms
from training.experiments.statistics import Moments, capped
from training.experiments.subjects import SHOWN, MeasuredTables
from training.experiments.verdict import Finding
from training.settings.experiment import Action, ExperimentConfig

MISTAKEN: Final = 1
"""Exit code where a file has mistakes; 2 means, as everywhere, that the command could not begin."""


def run(config: ExperimentConfig) -> None:
    """Check, plan or read."""
    assert config.experiments is not None
    path = Path(config.experiments)
    if config.do is Action.check:
        _check(path, None if config.policy is None else Path(config.policy))
        return
    assert config.measured is not None
    file = read_experiments(path)
    if file.unit == "session":
        raise ValueError(
            f"{path}: unit: session is answered by, but not planned or read: the tables are by shopper, and one who "
            "comes back may be in another arm; draw by shopper"
        )
    asked = all_of(file)
    if config.name is not None:
        if config.name not in asked:
            raise ValueError(f"name must be one of {', '.join(asked)}, got {config.name!r}")
        asked = {config.name: asked[config.name]}
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch)) as engine:
        tables = MeasuredTables(engine, Path(config.measured))
        if config.do is Action.plan:
            for name, experiment in asked.items():
                _plan(name, experiment, file, tables, config.weeks)
            return
        reports = [_read(name, experiment, file, tables) for name, experiment in asked.items()]
    for report in reports:
        show(report)
    if config.out is not None:
        write_text_atomically(Path(config.out), json.dumps([document(each) for each in reports], indent=2) + "\n")
        say(f"written to {config.out}")


def all_of(file: Experiments) -> dict[str, Experiment]:
    """The experiments of a file, and the holdout as one: against it the others' whole effect is read."""
    found = dict(file.experiments)
    holdout = file.holdout
    if holdout is not None:
        arms = {HOLDOUT: Arm(share=holdout.share), SHOWN: Arm(share=1 - holdout.share)}
        of_all = tuple(name for name, metric in METRICS.items() if metric.of_all and name != "revenue")
        read = Reading(goal="revenue", also=of_all, guardrails={})
        found[HOLDOUT] = Experiment(
            since=holdout.since, until=holdout.until, placements=holdout.placements, arms=arms, read=read
        )
    return found


def _check(path: Path, policy: Path | None) -> None:
    try:
        file = read_experiments(path)
        if policy is not None:
            text = text_of(policy)
            for experiment in file.experiments.values():
                for arm in experiment.arms.values():
                    parse_policy(text, name=str(policy), overrides=None if arm.policy is None else arm.policy.node)
    except ValueError as error:
        say(str(error))
        sys.exit(MISTAKEN)
    held = f", {file.holdout.share:.1%} held out" if file.holdout else ""
    say(f"{path}: no mistakes; {len(file.experiments)} experiments: {', '.join(file.experiments)}{held}")


def _plan(name: str, experiment: Experiment, file: Experiments, tables: MeasuredTables, most: int) -> None:
    read = experiment.read
    last = tables.last_ms() + 1
    history = max(1, (last - tables.first_ms()) // (DAYS * DAY_MS))
    weeks = {}
    for length in range(1, min(most, history) + 1):
        since = last - length * DAYS * DAY_MS
        subjects = tables.subjects(
            None, placements=experiment.placements, since_ms=since, until_ms=last, before_days=read.before_days
        )
        known = subjects.only(~subjects.anonymous_S)
        weeks[length] = Moments.of(capped(known.sums, read.cap))
    held = file.holdout.share if file.holdout and name != HOLDOUT else 0.0
    plans = plan(experiment, weeks, held=held)
    rows = [[str(each.weeks), f"{each.subjects:,}", _percent(each.smallest)] for each in plans]
    columns = ["weeks", "shoppers", "smallest effect found"]
    print_table(f"{name}: {read.goal}, power {read.power:.0%}, alpha {read.alpha:g}", columns, rows, numbers=columns)
    best = chosen(plans, read.smallest_effect)
    if best is None:
        found = min((each.smallest for each in plans if not math.isnan(each.smallest)), default=math.nan)
        say(f"{name}: {_weeks(len(plans))} will not find {read.smallest_effect:.1%}, only {_percent(found)} and more.")
    else:
        say(f"{name}: {_weeks(best.weeks)} will find {read.smallest_effect:.1%}, with {best.subjects:,} shoppers.")


def _read(name: str, experiment: Experiment, file: Experiments, tables: MeasuredTables) -> Report:
    offset = file.utc_offset_hours
    last = tables.last_ms()
    since = tables.first_ms() if experiment.since is None else starts_ms(experiment.since, offset)
    until = last + 1 if experiment.until is None else starts_ms(experiment.until, offset)
    subjects = tables.subjects(
        name,
        arms=tuple(experiment.arms),
        placements=experiment.placements,
        since_ms=since,
        until_ms=until,
        before_days=experiment.read.before_days,
    )
    if not len(subjects):
        raise ValueError(f"{name}: no answer in its days and placements bears it; is the server given the same file?")
    return read_experiment(
        name, experiment, subjects, since_ms=since, last_ms=min(last + 1, until), utc_offset_hours=offset
    )


def show(report: Report) -> None:
    """Print a report: sizes, effects, and the verdict last."""
    ran, planned = report.days
    length = f"{ran} days" if planned is None else f"{ran} of {planned} days"
    counts = ", ".join(f"{arm} {count:,}" for arm, count in report.counts.items())
    say(f"{report.name}: {length}; shoppers: {counts}")
    say(f"sizes: p = {report.sequential:.2g} at any look, {report.fixed:.2g} for this one alone")
    left_out = [
        f"{count:,} {what}"
        for count, what in ((report.moved, "saw two arms"), (report.strangers, "saw an arm that the file lacks"))
        if count
    ]
    if left_out:
        say(f"left out: {', '.join(left_out)}")
    how = "one test at its end" if report.ended else "while it runs: intervals hold at every look"
    print_table(f"{report.name}, {how}", COLUMNS, [_row(each) for each in report.findings], numbers=COLUMNS[3:])
    if sum(report.anonymous_counts.values()):
        visits = sum(report.anonymous_counts.values())
        title = f"{report.name}: {visits:,} visits without a shopper's key, which decide nothing"
        print_table(title, COLUMNS, [_row(each) for each in report.anonymous], numbers=COLUMNS[3:])
    say(report.verdict.sentence)


COLUMNS: Final = ["arm", "metric", "role", "control", "arm's", "effect", "from", "to", "p", "says"]


def _row(finding: Finding) -> list[str]:
    effect = finding.effect
    says = finding.guard.value if finding.guard else finding.state.value
    return [
        finding.arm, finding.metric, finding.role, f"{effect.control:.4g}", f"{effect.treatment:.4g}",
        _percent(effect.relative), _percent(effect.relative_low), _percent(effect.relative_high),
        "" if math.isnan(finding.adjusted) else f"{finding.adjusted:.2g}", says,
    ]  # fmt: skip


def document(report: Report) -> dict[str, Any]:
    """A report as plain JSON; what is no number is null."""
    found = asdict(report)
    plain: dict[str, Any] = json.loads(json.dumps(_finite(found), default=lambda each: each.value))
    return plain


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def _weeks(count: int) -> str:
    return "1 week" if count == 1 else f"{count} weeks"


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{value:+.2%}"
