"""Verdict on an experiment: one sentence, and the reasons for it.

A broken experiment is told before anything else, a guardrail before the goal. A guardrail holds once its whole interval
is on the right side of what may be lost; until then it is not known, and an arm that is better on the goal alone is not
yet one to roll out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from training.experiments.metrics import METRICS, MetricName
from training.experiments.statistics import Effect


class State(Enum):
    """What an interval says of a metric."""

    better = "better"
    worse = "worse"
    open = "open"


class Guard(Enum):
    """What an interval says of a guardrail."""

    holds = "holds"
    broken = "broken"
    unknown = "not known yet"


class Word(Enum):
    """What to do with an experiment, in a word."""

    broken = "broken"
    harmful = "harmful"
    better = "better"
    worse = "worse"
    same = "no difference worth having"
    running = "too early"
    open = "undecided"


@dataclass(frozen=True)
class Finding:
    """One metric of one arm against the control.

    Attributes:
        role: goal, also or guardrail.
        adjusted: p-value corrected for all metrics and arms; nan while the experiment runs.
        at_most: of a guardrail, what may be lost.
    """

    arm: str
    metric: MetricName
    role: str
    effect: Effect
    adjusted: float
    state: State
    guard: Guard | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The word, the sentence, and its reasons; ``arm`` is the one to roll out, if any."""

    word: Word
    sentence: str
    reasons: tuple[str, ...]
    arm: str | None = None


def state_of(metric: MetricName, effect: Effect, *, sure: bool) -> State:
    """Better or worse if the difference is ``sure``, in the metric's own direction."""
    if not sure:
        return State.open
    return State.better if (effect.difference > 0) == METRICS[metric].more_is_better else State.worse


def guard_of(metric: MetricName, effect: Effect, *, at_most: float) -> Guard:
    """What the interval says: broken if it is wholly on the wrong side, holds if it stays above what may be lost."""
    up = METRICS[metric].more_is_better
    worst, best = (effect.relative_low, effect.relative_high) if up else (-effect.relative_high, -effect.relative_low)
    if best < 0:
        return Guard.broken
    return Guard.holds if worst >= -at_most else Guard.unknown


def judge(
    findings: Sequence[Finding], *, mismatch: float, srm_alpha: float, ended: bool, smallest: float, control: str
) -> Verdict:
    """The verdict.

    Args:
        mismatch: p-value of the arms' sizes.
        ended: whether the planned time is over.
        smallest: relative effect on the goal that is worth having.
    """
    if mismatch < srm_alpha:
        sentence = f"The experiment is broken: the arms are not as large as was asked for (p = {mismatch:.2g})."
        why = "whatever made the sizes wrong can have made the effects; find it, then begin anew under another salt"
        return Verdict(Word.broken, sentence, (why,))
    reasons = tuple(_told(each) for each in findings)
    broken = [each for each in findings if each.guard is Guard.broken]
    goals = [each for each in findings if each.role == "goal"]
    better = sorted((each for each in goals if each.state is State.better), key=lambda each: -abs(each.effect.relative))
    unharmed = [each for each in better if all(other.arm != each.arm for other in broken)]
    if unharmed:
        best = unharmed[0]
        unknown = [each.metric for each in findings if each.arm == best.arm and each.guard is Guard.unknown]
        rise = f"{best.arm} is better than {control}: {best.metric} {_range(best.effect)}"
        if unknown and not ended:
            return Verdict(Word.running, f"{rise}; let it run until it is known to spare {_and(unknown)}.", reasons)
        if unknown:
            return Verdict(Word.open, f"{rise}, but it is not shown to spare {_and(unknown)}.", reasons)
        holds = ", and every guardrail holds" if any(each.guard for each in findings) else ""
        return Verdict(Word.better, f"{rise}{holds}.", reasons, best.arm)
    if broken:
        each = broken[0]
        sentence = f"Stop {each.arm}: it harms {each.metric}, {_range(each.effect)}."
        return Verdict(Word.harmful, sentence, reasons)
    worse = [each for each in goals if each.state is State.worse]
    if worse and len(worse) == len(goals):
        each = worse[0]
        return Verdict(Word.worse, f"Keep {control}: {each.arm} lowers {each.metric}, {_range(each.effect)}.", reasons)
    each = max(goals, key=lambda each: each.effect.relative)
    if not ended:
        return Verdict(Word.running, f"Too early to say: {each.metric} {_range(each.effect)}.", reasons)
    if all(max(abs(one.effect.relative_low), abs(one.effect.relative_high)) < smallest for one in goals):
        sentence = f"No difference worth having: {each.metric} {_range(each.effect)}, and {smallest:.1%} was asked for."
        return Verdict(Word.same, sentence, reasons)
    sentence = f"Undecided: {each.metric} {_range(each.effect)}; it ended too small to say more."
    return Verdict(Word.open, sentence, reasons)


DASH: Final = "not comparable"


def _range(effect: Effect) -> str:
    if effect.relative != effect.relative:
        return DASH
    return f"{effect.relative:+.1%} ({effect.relative_low:+.1%} to {effect.relative_high:+.1%})"


def _told(finding: Finding) -> str:
    p = "" if finding.adjusted != finding.adjusted else f", p = {finding.adjusted:.2g}"
    guard = f", guardrail {finding.guard.value}" if finding.guard else ""
    return f"{finding.arm}: {finding.metric} {_range(finding.effect)}{p}{guard}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
