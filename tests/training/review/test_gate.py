"""The gate's checks alone: a slice that got worse is found, too few sessions decide nothing, broken rules do."""

import pytest

from tests.training.candidates import make_ranks
from training.evaluation.case_ranks import Ranks
from training.review.gate import (
    Check,
    check_experiment,
    check_intent,
    check_parity,
    check_quality,
    check_rules,
    description,
)
from training.review.markdown import GAP


def test_a_behaviour_that_got_worse_is_found_under_a_good_average():
    """300 clicks gain, 30 purchases lose: all together are ahead."""
    asked = [0] * 300 + [2] * 30
    before = make_ranks([30] * 150 + [1] * 150 + [1] * 30, asked=asked)
    after = make_ranks([1] * 300 + [30] * 30, asked=asked)
    failed = [check.name for check in check_quality(after, before, seed=0) if not check.passed]
    assert failed == ["recall@20 purchase", "mrr@20 purchase"]


def chain(lost: int) -> Ranks:
    """120 sessions, of which the first ``lost`` miss their item; all others have it first."""
    return make_ranks([40] * lost + [1] * (120 - lost))


def test_a_little_worse_again_and_again_is_refused_by_the_mark():
    """A resample has none of 3 lost sessions in (117/120) ** 120 = 4.8 % of the cases, none of 6 in (114/120) ** 120 =
    0.2 %; the interval's upper tail is .05 / 4 / 2 = 0.6 %. So 3 are within noise of 0, and 6 of 3, but not 6 of 0."""
    first, second, third = chain(0), chain(3), chain(6)
    assert all(check.passed for check in check_quality(second, first, seed=0))
    assert all(check.passed for check in check_quality(third, second, seed=0))
    failed = [check for check in check_quality(third, second, seed=0, former={"1": first}) if not check.passed]
    assert [check.name for check in failed] == [
        "recall@20 all mark", "mrr@20 all mark", "recall@20 click mark", "mrr@20 click mark"
    ]  # fmt: skip
    assert failed[0].line.startswith("recall@20 all: -0.0500 against the mark, version 1 (-0.")


def test_the_mark_is_the_best_former_champion_of_the_same_cases_and_never_one_below_the_champion():
    champion, worse, best = chain(3), chain(9), chain(2)
    elsewhere = make_ranks([1] * 120, digest="another test")
    former = {"1": worse, "2": best, "3": elsewhere}
    lines = [each.line for each in check_quality(chain(3), champion, seed=0, former=former) if "mark" in each.name]
    assert len(lines) == 4
    assert all("against the mark, version 2 (" in line for line in lines)
    assert not [each for each in check_quality(champion, champion, seed=0, former={"1": worse}) if "mark" in each.name]


def test_a_behaviour_of_few_sessions_is_not_judged_alone():
    asked = [0] * 300 + [2] * 3
    before, after = make_ranks([1] * 303, asked=asked), make_ranks([1] * 300 + [30] * 3, asked=asked)
    checks = check_quality(after, before, seed=0)
    names = ["test", "recall@20 all", "mrr@20 all", "recall@20 click", "mrr@20 click", "purchase"]
    assert [check.name for check in checks] == names
    assert checks[-1].passed
    assert checks[-1].line == "purchase: 3 sessions, fewer than the 20 that are compared by themselves"


def test_no_policy_no_rules():
    assert check_rules(None).passed
    assert check_rules({"placements": {"page": {"systems": {"policy": {"rule_violations": 0}}}}}).passed
    assert not check_rules({"placements": {}}).passed


@pytest.mark.parametrize(
    ("manifest", "passed", "words"),
    [
        ({}, False, "records no comparison"),
        ({"parity": {"max_difference": 1e-6, "prefixes": 0}}, False, "records no comparison"),
        ({"parity": {"max_difference": 1e-6, "prefixes": 40}}, True, "differ by 1.0e-06 on 40 prefixes, allowed 1e-04"),
        ({"parity": {"max_difference": 1e-4, "prefixes": 40}}, False, "differ by 1.0e-04"),
    ],
    ids=["none", "of nothing", "agree", "at the limit"],
)
def test_a_bundle_passes_with_graphs_that_agree_below_the_limit(manifest, passed, words):
    check = check_parity(manifest)
    assert (check.name, check.passed) == ("parity", passed)
    assert words in check.line


def test_the_first_failure_is_the_verdict_and_all_checks_are_listed():
    checks = [Check("parity", True, "agrees"), Check("latency", False, "takes 9 ms"), Check("test", False, "other")]
    lines = [line.replace(GAP, "") for line in description(checks, compared_with="3").splitlines()]
    assert lines[0] == "Refused: takes 9 ms."
    assert lines[4:] == [
        "| parity | passed | agrees |",
        "| latency | **failed** | takes 9 ms |",
        "| test | **failed** | other |",
    ]
    told = description(checks[:1], compared_with="3").splitlines()[0]
    assert told == "Promoted to champion, compared with version 3."


def test_a_bundle_that_cannot_tell_intent_passes_and_the_gate_says_why():
    assert check_intent({"intent": True}) == Check("intent", True, "answers tell purchase intent")
    unknown = check_intent({"intent": False, "intent_unknown": "no training session holds a purchase"})
    assert unknown.passed
    assert unknown.line == "purchase intent is unknown, and answers say null: no training session holds a purchase"
    assert check_intent({"intent": False}).line.endswith("the log had no labels to learn it from")


@pytest.mark.parametrize(
    ("words", "passed"),
    [(["better"], True), (["too early"], True), (["better", "harmful"], False), (["worse"], False), ([], False)],
)
def test_an_experiment_that_speaks_against_it_refuses(words, passed):
    """The line is the sentence that speaks against it, or else the first one."""
    reports = [{"name": word, "verdict": {"word": word, "sentence": f"It is {word}."}} for word in words]
    found = check_experiment(reports)
    assert found.passed is passed
    if words:
        assert found.line == f"{words[-1]}: It is {words[-1]}."
