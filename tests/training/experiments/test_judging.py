"""What another policy would have earned at a placement, from a measured log: by hand, and what is refused."""

import numpy as np
import pytest

from tests.measured import write_measured
from training.data.engine import open_engine
from training.experiments.judging import FOLDS, RewardModel, judged, logs_of


def log_of(tmp_path, outcomes, answers=None):
    """The placement ``cart`` of a log of single slots: (recommendation_id, subject, item, propensity, clicked)."""
    rows = [
        {"recommendation_id": name, "subject": subject, "item": item, "propensity": chance, "clicked": clicked}
        for name, subject, item, chance, clicked in outcomes
    ]
    whole = [{"recommendation_id": name, "subject": subject} for name, subject, *_ in outcomes] + (answers or [])
    folder = write_measured(tmp_path, outcomes=rows, answers=whole)
    with open_engine(tmp_path) as engine:
        return logs_of(engine, folder)["cart"]


def line(name, *chances, slots=1, own=False, spread=None):
    told = spread or [{"a": chance} for chance in chances]
    return {"recommendation_id": name, "placement": "cart", "chances": list(chances), "spread": told, "slots": slots,
            "own": own}  # fmt: skip


FOUR = [
    ("1", "s", "a", 0.5, True),
    ("2", "t", "b", 0.5, False),
    ("3", "u", "a", 0.25, True),
    ("4", "v", "b", 0.75, True),
]


def told(log, outcome, estimator, form="prefix"):
    found = judged(log, least_effective=0.5)["outcomes"][outcome]
    [each] = [each for each in found["estimates"] if (each["estimator"], each["form"]) == (estimator, form)]
    return each, found["logged"]


def test_a_policy_that_always_shows_a_by_hand(tmp_path):
    """Weights 1 / .5 = 2, 0, 1 / .25 = 4, 0: (2 + 4) / 4 of 4 answers by IPS, 6 / 6 by SNIPS; logged 3 of 4."""
    log = log_of(tmp_path, FOUR)
    for name, chance in (("1", 1.0), ("2", 0.0), ("3", 1.0), ("4", 0.0)):
        log.take(line(name, chance, spread=[{"a": 1.0}]))
    ips, logged = told(log, "clicks", "ips")
    assert (ips["value"], logged["value"]) == (1.5, 0.75)
    assert ips["change"] == 0.75
    assert ips["effective"] == pytest.approx(36 / 20)
    assert told(log, "clicks", "snips")[0]["value"] == 1
    assert told(log, "purchases", "snips")[0]["value"] == 0


def test_the_policy_that_answered_earns_what_was_earned(tmp_path):
    log = log_of(tmp_path, FOUR)
    for name, _, item, chance, _ in FOUR:
        log.take(line(name, chance, own=True, spread=[{"a": 0.5, "b": 0.5}]))
        assert item in log.numbers
    for estimator in ("ips", "snips"):
        found, logged = told(log, "clicks", estimator)
        assert found["value"] == logged["value"]
        assert (found["change"], found["change_low"], found["change_high"]) == (0, 0, 0)
    assert judged(log, least_effective=1)["own_agreeing"] == 1


def test_answers_without_slots_count_and_those_without_a_line_do_not(tmp_path):
    """Two of three answers are asked: one earned a click, one had no slot, and the policy fills none there either."""
    log = log_of(tmp_path, FOUR[:2], [{"recommendation_id": "empty", "subject": "w"}])
    log.take(line("1", 0.5))
    log.take(line("empty", slots=0))
    log.take(line("of another log", 1.0))
    found = judged(log, least_effective=0.5)
    assert (found["answers"], found["without_request"]) == (2, 1)
    assert told(log, "clicks", "ips")[1]["value"] == 0.5


def test_what_the_log_cannot_tell_is_refused(tmp_path):
    log = log_of(tmp_path, FOUR)
    assert "log with --feedback-requests 1" in judged(log)["refused"]
    for name in "1234":
        log.take(line(name, 0.5, slots=2))
    assert "50.0% of the slots that it would fill were empty" in judged(log)["refused"]
    many = [(str(number), f"s{number}", "a", 0.5, True) for number in range(50)]
    log = log_of(tmp_path / "many", many)
    for name, *_ in many:
        log.take(line(name, 0.4))
    assert judged(log)["refused"].startswith("only 80% of what it would show had a chance to be shown in the log")
    log = log_of(tmp_path / "few", many)
    for name, *_ in many:
        log.take(line(name, 0.5))
    assert "50 effective answers for this policy, of 50, and 200 are needed" in judged(log)["refused"]


def test_a_log_of_certainties_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the log holds no answer that was left to chance"):
        log_of(tmp_path, [("1", "s", "a", 1.0, True)])


def test_the_model_of_the_reward_by_hand():
    """Of fold 0 the rewards of fold 1: the slot's mean .5, item 0 earned 1 of .5 expected, (1 + 2) / (.5 + 2) = 1.2,
    item 1 nothing of .5, 2 / 2.5 = .8; an item that was never shown is as good as any."""
    rewards, items = np.array([[0.0], [1.0], [0.0]]), np.array([[0], [0], [1]])
    model = RewardModel.fitted(rewards, items, np.array([0, 1, 1]), items=2)
    assert FOLDS == 2
    assert model.of(0, 0, np.array([0, 1, -1])) == pytest.approx([0.6, 0.4, 0.5])
    assert model.of(1, 0, np.array([0, 1, -1])) == pytest.approx([0, 0, 0]), "the other fold earned nothing"
