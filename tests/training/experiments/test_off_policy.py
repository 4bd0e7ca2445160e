"""Off-policy estimates: by hand, against truth where it is known, and on the Open Bandit logs."""

import csv
import gzip
from typing import Any

import numpy as np
import pytest

from tests.logs import SHARED
from training.experiments.off_policy import (
    ESTIMATORS,
    FORMS,
    Logged,
    clustered_error,
    effective_size,
    estimate,
    reward_by_cell,
)

OPEN_BANDIT = SHARED / "open_bandit"


def logged(rewards: Any, propensities: Any, chances: Any, **more: Any) -> Logged:
    rewards_AL = np.array(rewards, float)
    given: dict[str, Any] = {
        "shown_AL": np.ones(rewards_AL.shape, bool),
        "subjects_A": np.arange(len(rewards_AL)),
    } | more
    return Logged(rewards_AL, np.array(propensities, float), np.array(chances, float), **given)


TWO = logged([[1, 0], [0, 1], [1, 1]], [[0.5, 0.5], [0.5, 0.25], [0.25, 0.5]], [[1, 0.5], [0.5, 0.5], [0, 0.25]])
"""Ratios 2, 1; 1, 2; 0, .5."""


@pytest.mark.parametrize(
    ("estimator", "form", "value"),
    [
        ("ips", "slot", (2 + 2 + 0.5) / 3),  # 2 * 1 + 1 * 0; 1 * 0 + 2 * 1; 0 * 1 + .5 * 1
        ("ips", "prefix", (2 + 2 + 0) / 3),  # weights 2, 2; 1, 2; 0, 0
        ("ips", "answer", (2 + 2 + 0) / 3),  # weights 2; 2; 0
        ("snips", "slot", 2 / 3 + 2.5 / 3.5),  # first slot 2 of 2 + 1 + 0; second 2 + .5 of 1 + 2 + .5
        ("snips", "prefix", 2 / 3 + 2 / 4),
        ("snips", "answer", 2 / 4 + 2 / 4),
    ],
)
def test_estimates_by_hand(estimator: Any, form: Any, value: float) -> None:
    assert estimate(TWO, estimator, form, least_effective=0).value == pytest.approx(value)


def test_doubly_robust_by_hand() -> None:
    """One slot, ratios 2 and 1, rewards 1 and 0; the model says .5 and .2 of the items, .4 and .3 of the judged policy:
    .4 + 2 * (1 - .5) = 1.4 and .3 + 1 * (0 - .2) = .1, in the mean .75."""
    found = logged([[1], [0]], [[0.5], [0.5]], [[1], [0.5]], predicted_AL=np.array([[0.5], [0.2]]))
    with pytest.raises(ValueError, match="dr needs a model of the reward"):
        estimate(found, "dr", least_effective=0)
    whole = logged(
        [[1], [0]], [[0.5], [0.5]], [[1], [0.5]],
        predicted_AL=np.array([[0.5], [0.2]]), expected_AL=np.array([[0.4], [0.3]]),
    )  # fmt: skip
    for form in FORMS:
        assert estimate(whole, "dr", form, least_effective=0).value == pytest.approx(0.75)


def test_the_effective_size_is_kishs() -> None:
    """Weights 2, 1, 0: 9 / 5 = 1.8; weights 1, 2, .5: 12.25 / 5.25 = 2.33; the smaller one counts."""
    assert effective_size(TWO.weights_AL("slot"), TWO.shown_AL) == pytest.approx(1.8)


def test_too_few_effective_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="holds 2 effective answers for this policy, of 3, and 200 are needed"):
        estimate(TWO)


def test_a_log_without_exploration_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the propensity that it was shown with"):
        logged([[1]], [[np.nan]], [[1]])
    with pytest.raises(ValueError, match="chances must be from 0 to 1"):
        logged([[1]], [[0.5]], [[1.5]])


def test_errors_are_clustered() -> None:
    """Parts 1, 1, -1, -1 of two subjects: sums 2 and -2, sqrt(2 * 8) / 4 = 1; of four, sqrt(4/3 * 4) / 4 = .577."""
    parts = np.array([1.0, 1, -1, -1])
    assert clustered_error(parts, np.array([7, 7, 9, 9])) == pytest.approx(1)
    assert clustered_error(parts, np.arange(4)) == pytest.approx((4 / 3 * 4) ** 0.5 / 4)


def test_rewards_are_drawn_towards_the_mean() -> None:
    """Mean of all 1/2; the first cell has 2 of 2, with a prior of 2: (2 + 1) / 4; the third nothing: 1/2."""
    found = reward_by_cell(np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 1]), count=3, prior=2)
    assert found.tolist() == [0.75, 0.25, 0.5]


@pytest.mark.parametrize("form", FORMS)
def test_the_truth_is_within_the_interval_about_as_often_as_it_says(form: Any) -> None:
    """Two slots of three items drawn without replacement; clicks depend on the item alone. 200 logs of 600 answers."""
    worth, log, judged = np.array([0.1, 0.3, 0.5]), np.array([1, 1, 1]) / 3, np.array([0.2, 0.3, 0.5])

    def two(chances: Any) -> tuple[list[tuple[int, int]], np.ndarray]:
        pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
        return pairs, np.array([chances[a] * chances[b] / (1 - chances[a]) for a, b in pairs])

    pairs, of_judged = two(judged)
    truth = sum(chance * (worth[a] + worth[b]) for (a, b), chance in zip(pairs, of_judged, strict=True))
    rng, within = np.random.default_rng(4), dict.fromkeys(ESTIMATORS, 0)
    for _ in range(200):
        drawn = np.array(pairs)[rng.choice(len(pairs), 600, p=two(log)[1])]
        rewards = (rng.random((600, 2)) < worth[drawn]).astype(float)
        given = [np.stack([p[drawn[:, 0]], p[drawn[:, 1]] / (1 - p[drawn[:, 0]])], 1) for p in (log, judged)]
        left = np.array([[judged[c] / (1 - judged[a]) if c != a else 0 for c in range(3)] for a in drawn[:, 0]])
        expected = np.stack([np.full(600, judged @ worth), left @ worth], 1)
        # independent slots ask for marginal chances: that of an item in the second slot, whatever stands in the first
        if form == "slot":
            second = [
                sum(p[a] * p[b] / (1 - p[a]) for a in range(3) if a != b) for p in (log, judged) for b in range(3)
            ]
            for place, of_slot in enumerate((np.array(second[:3]), np.array(second[3:]))):
                given[place][:, 1] = of_slot[drawn[:, 1]]
            expected[:, 1] = np.array(second[3:]) @ worth
        found = Logged(
            rewards, given[0], given[1], np.ones((600, 2), bool), np.arange(600), worth[drawn], expected
        )  # fmt: skip
        for estimator in ESTIMATORS:
            if estimator == "dr" and form == "answer":
                continue  # needs the model's expectation of whole answers
            told = estimate(found, estimator, form, least_effective=100)
            within[estimator] += told.low <= truth <= told.high
    assert all(180 <= count <= 200 for name, count in within.items() if (name, form) != ("dr", "answer"))


def open_bandit(policy: str, campaign: str) -> dict[str, np.ndarray]:
    path = OPEN_BANDIT / policy / campaign / f"{campaign}.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [(row[2], row[3], row[4], row[5]) for row in csv.reader(file)][1:]
    item, position, click, propensity = (np.array(column, float) for column in zip(*rows, strict=True))
    return {"item": item, "position": position, "click": click, "propensity": propensity}


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
def test_open_bandit_is_estimated_as_the_formulas_say(campaign: str) -> None:
    """What uniform choice would have earned, from Thompson sampling's log: loops over the rows give the same to nine
    digits. It differs from what uniform choice did earn, in its own log of 38 to 46 clicks, by less than both logs'
    errors; of the third campaign two answers are effective, and the estimate is refused."""
    log, uniform = open_bandit("bts", campaign), open_bandit("random", campaign)
    chance = float(uniform["propensity"][0])
    items = round(1 / chance)
    cell = (log["item"] * 3 + log["position"] - 1).astype(int)
    model = reward_by_cell(log["click"], cell, count=items * 3)
    at = [model[place::3].mean() for place in range(3)]
    expected = np.array(at)[log["position"].astype(int) - 1]
    whole = Logged(
        log["click"][:, None], log["propensity"][:, None], np.full((len(cell), 1), chance),
        np.ones((len(cell), 1), bool), np.arange(len(cell)), model[cell][:, None], expected[:, None],
    )  # fmt: skip
    weighted = total = corrected = 0.0
    for row in range(len(cell)):
        weight = chance / log["propensity"][row]
        weighted += weight * log["click"][row]
        total += weight
        corrected += expected[row] + weight * (log["click"][row] - model[cell[row]])
    rows = len(cell)
    for estimator, value in (("ips", weighted / rows), ("snips", weighted / total), ("dr", corrected / rows)):
        found = estimate(whole, estimator, least_effective=0)  # type: ignore[arg-type]
        assert found.value == pytest.approx(value, rel=1e-9)
        if campaign != "women":
            assert found == estimate(whole, estimator)  # type: ignore[arg-type]
            own, error = uniform["click"].mean(), uniform["click"].std() / rows**0.5
            assert abs(found.value - own) < ((found.high - found.value) ** 2 + (1.96 * error) ** 2) ** 0.5
        else:
            with pytest.raises(ValueError, match="holds 2 effective answers for this policy, of 10000"):
                estimate(whole, estimator)  # type: ignore[arg-type]
    same = Logged(
        log["click"][:, None], log["propensity"][:, None], log["propensity"][:, None], whole.shown_AL, whole.subjects_A
    )
    assert estimate(same, "ips").value == pytest.approx(log["click"].mean())
