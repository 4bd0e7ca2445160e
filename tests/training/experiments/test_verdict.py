"""Verdicts: broken before all, then harm, then the goal; one sentence each."""

import math

import pytest

from training.experiments.statistics import Effect
from training.experiments.verdict import Finding, Guard, State, Word, guard_of, judge, state_of


def effect(relative: float, low: float, high: float) -> Effect:
    return Effect(1, 1 + relative, relative, low, high, relative, low, high, 0.5, (high - low) / 4)


def finding(
    role: str, found: Effect, *, state: State = State.open, guard: Guard | None = None, arm: str = "four"
) -> Finding:
    metric = "revenue" if role == "goal" else "anchor_conversion"
    return Finding(arm, metric, role, found, 0.01, state, guard)  # type: ignore[arg-type]


BETTER = finding("goal", effect(0.04, 0.01, 0.07), state=State.better)
UNSURE = finding("goal", effect(0.01, -0.05, 0.07))
HOLDS = finding("guardrail", effect(0.0, -0.01, 0.01), guard=Guard.holds)


@pytest.mark.parametrize(
    ("findings", "more", "word", "sentence"),
    [
        ([BETTER, HOLDS], {"mismatch": 1e-5}, Word.broken, "The experiment is broken: the arms are not as large"),
        ([BETTER, HOLDS], {}, Word.better, "four is better than eight: revenue +4.0% (+1.0% to +7.0%), and every"),
        ([BETTER, finding("guardrail", effect(-0.1, -0.2, -0.01), guard=Guard.broken)], {}, Word.harmful, "Stop four:"),
        ([BETTER, finding("guardrail", effect(0, -0.1, 0.1), guard=Guard.unknown)], {}, Word.open, "four is better"),
        ([UNSURE, HOLDS], {"ended": False}, Word.running, "Too early to say: revenue +1.0% (-5.0% to +7.0%)."),
        ([UNSURE, HOLDS], {}, Word.open, "Undecided: revenue +1.0%"),
        ([finding("goal", effect(0.001, -0.01, 0.012))], {}, Word.same, "No difference worth having"),
        ([finding("goal", effect(-0.04, -0.07, -0.01), state=State.worse)], {}, Word.worse, "Keep eight: four lowers"),
    ],
)
def test_a_verdict_is_one_sentence(findings: list[Finding], more: dict, word: Word, sentence: str) -> None:
    given = {"mismatch": 0.5, "srm_alpha": 0.001, "ended": True, "smallest": 0.02, "control": "eight"} | more
    found = judge(findings, **given)
    assert found.word is word
    assert found.sentence.startswith(sentence)
    assert found.sentence.endswith(".")
    assert found.reasons
    assert (found.arm == "four") == (word is Word.better)


def test_an_arm_that_harms_does_not_hide_one_that_does_not() -> None:
    harmful = finding("guardrail", effect(-0.1, -0.2, -0.01), guard=Guard.broken, arm="two")
    two = finding("goal", effect(0.09, 0.05, 0.12), state=State.better, arm="two")
    found = judge([two, harmful, BETTER], mismatch=1, srm_alpha=0.001, ended=True, smallest=0.02, control="eight")
    assert (found.word, found.arm) == (Word.better, "four")


def test_directions_are_the_metrics_own() -> None:
    """A dismissal rate that rises is worse; its guardrail of 10 % is broken only once the whole interval is above 0."""
    rise = effect(0.2, 0.05, 0.35)
    assert state_of("dismissal_rate", rise, sure=True) is State.worse
    assert guard_of("dismissal_rate", rise, at_most=0.1) is Guard.broken
    assert guard_of("dismissal_rate", effect(0.02, -0.05, 0.09), at_most=0.1) is Guard.holds
    assert guard_of("dismissal_rate", effect(0.02, -0.05, 0.11), at_most=0.1) is Guard.unknown
    assert guard_of("anchor_conversion", effect(-0.01, -0.03, 0.01), at_most=0.02) is Guard.unknown
    nothing = Effect(*(math.nan,) * 10)
    assert guard_of("anchor_conversion", nothing, at_most=0.02) is Guard.unknown
