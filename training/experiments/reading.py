"""Reading of an experiment: subjects of its arms to effects, checks of its sizes, and a verdict.

Before its planned end an experiment is read by confidence sequences, afterwards by one test at its end; which of the
two follows from the log's last day, not from the reader's patience.

Shapes: S subjects, A arms, T days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from tillside.experiments.terms import Experiment, MetricName, Reading
from tillside.policy.file.values import DAY_MS, HOUR_MS, UNIX_DAY
from training.experiments.metrics import METRICS
from training.experiments.sample_ratio import mismatch, sequential_mismatch
from training.experiments.statistics import Moments, adjusted, capped, compare, sequential
from training.experiments.subjects import Subjects
from training.experiments.verdict import Finding, State, Verdict, guard_of, judge, state_of

GOAL: Final = "goal"
ALSO: Final = "also"
GUARDRAIL: Final = "guardrail"


@dataclass(frozen=True)
class Report:
    """What an experiment says.

    Attributes:
        days: length so far, and as planned; None without an end.
        counts: subjects by arm, those with a shopper's key.
        moved, strangers: left out: of two arms, or of an arm that the file lacks.
        fixed, sequential: p-values of the arms' sizes, for one look and for any number.
        findings: with shoppers' keys.
        anonymous_counts, anonymous: the same of sessions without a shopper's key, which decide nothing.
    """

    name: str
    ended: bool
    days: tuple[int, int | None]
    counts: dict[str, int]
    moved: int
    strangers: int
    fixed: float
    sequential: float
    findings: tuple[Finding, ...]
    verdict: Verdict
    anonymous_counts: dict[str, int]
    anonymous: tuple[Finding, ...]


def starts_ms(day: date, utc_offset_hours: float) -> int:
    """When a local day begins, UTC ms."""
    return int((day.toordinal() - UNIX_DAY) * DAY_MS - utc_offset_hours * HOUR_MS)


def roles(read: Reading) -> list[tuple[MetricName, str]]:
    """All metrics to read with their role, the goal first, each once."""
    found: dict[MetricName, str] = {read.goal: GOAL}
    for names, role in ((read.also, ALSO), (read.guardrails, GUARDRAIL)):
        for name in names:
            found.setdefault(name, role)
    return list(found.items())


def findings(
    subjects: Subjects, read: Reading, *, progress: float, ended: bool, only: Sequence[MetricName] | None = None
) -> list[Finding]:
    """Every metric of every arm against the first one.

    Args:
        progress: share of the planned time that is over.
        ended: whether to test once, at the end, instead of by confidence sequences.
        only: metrics to read; all of the experiment's if None.
    """
    sums = capped(subjects.sums, read.cap)
    moments = [Moments.of(sums, subjects.arm_S == row) for row in range(len(subjects.arms))]
    asked = [(arm, *each) for arm in range(1, len(moments)) for each in roles(read) if only is None or each[0] in only]
    level = 1 - read.alpha
    effects = [
        compare(METRICS[name], moments[0], moments[arm], level=level, cuped=read.cuped) for arm, name, _ in asked
    ]
    decisive = [number for number, (_, _, role) in enumerate(asked) if role != GUARDRAIL]
    if ended:
        corrected = dict(
            zip(decisive, adjusted([effects[each].pvalue for each in decisive], read.correction), strict=True)
        )
    else:
        alpha = read.alpha / (len(decisive) if read.correction != "none" else 1)
        effects = [
            sequential(effect, progress=progress, alpha=alpha if number in decisive else read.alpha)
            for number, effect in enumerate(effects)
        ]
        corrected = {}
    found = []
    for number, ((arm, name, role), effect) in enumerate(zip(asked, effects, strict=True)):
        p = corrected.get(number, effect.pvalue)
        sure = p < read.alpha if ended else effect.low > 0 or effect.high < 0
        guardrail = read.guardrails.get(name) if role == GUARDRAIL else None
        guard = guard_of(name, effect, at_most=guardrail.at_most) if guardrail else None
        found.append(
            Finding(
                subjects.arms[arm], name, role, effect, p, state_of(name, effect, sure=sure), guard,
                guardrail.at_most if guardrail else None,
            )
        )  # fmt: skip
    return found


def read_experiment(
    name: str, experiment: Experiment, subjects: Subjects, *, since_ms: int, last_ms: int, utc_offset_hours: float = 0.0
) -> Report:
    """Read an experiment.

    Args:
        subjects: of the experiment, with and without a shopper's key.
        since_ms: when it began.
        last_ms: time of the log's last answer.
    """
    read = experiment.read
    until_ms = None if experiment.until is None else starts_ms(experiment.until, utc_offset_hours)
    days = max(1, -(-(last_ms - since_ms) // DAY_MS))
    planned = None if until_ms is None else max(1, (until_ms - since_ms) // DAY_MS)
    ended = planned is not None and days >= planned
    progress = 1.0 if planned is None else min(1.0, days / planned)
    known, unknown = subjects.only(~subjects.anonymous_S), subjects.only(subjects.anonymous_S)
    shares_A = np.array([experiment.arms[arm].share for arm in subjects.arms])
    fixed = mismatch(known.counts_A().tolist(), shares_A.tolist())
    looks_TA = known.counts_TA(since_ms)
    ever = float(sequential_mismatch(looks_TA, shares_A)[-1]) if len(looks_TA) else 1.0
    found = findings(known, read, progress=progress, ended=ended)
    verdict = judge(
        found,
        mismatch=ever,
        srm_alpha=read.srm_alpha,
        ended=ended,
        smallest=read.smallest_effect,
        control=subjects.arms[0],
    )
    return Report(
        name=name,
        ended=ended,
        days=(int(days), planned if planned is None else int(planned)),
        counts=dict(zip(subjects.arms, known.counts_A().tolist(), strict=True)),
        moved=subjects.moved,
        strangers=subjects.strangers,
        fixed=fixed,
        sequential=ever,
        findings=tuple(found),
        verdict=verdict,
        anonymous_counts=dict(zip(subjects.arms, unknown.counts_A().tolist(), strict=True)),
        anonymous=tuple(findings(unknown, read, progress=progress, ended=ended)),
    )


__all__ = ["Report", "State", "findings", "read_experiment", "roles", "starts_ms"]
