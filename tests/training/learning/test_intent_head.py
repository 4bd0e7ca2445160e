"""Intent is learned at every moment, and what may be chance is called unknown."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.datasets import make_dataset, make_sessions
from tests.models import SPEC, make_trained
from tillside.dataset import Dataset, Whole
from training.evaluation.intent_answers import intent_at
from training.inputs.moments import moments_of
from training.learning.intent_head import learn_again, learn_intent, sessions_with_goal, unknown_because

pytestmark = pytest.mark.usefixtures("one_thread")


def memoryless(count: int, *, buys: float, leaves: float, seed: int) -> list[list]:
    """After each click a shopper buys and leaves, leaves, or clicks again, whatever was clicked."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(count):
        row = [int(rng.integers(4))]
        while True:
            drawn = rng.random()
            if drawn < buys:
                row.append((int(rng.integers(4)), "purchase"))
            if drawn < buys + leaves:
                break
            row.append(int(rng.integers(4)))
        rows.append(row)
    return rows


def shop(folder, sizes=(2000, 800, 800), *, buys: float = 0.2, leaves: float = 0.4, drift: float = 0.0) -> Dataset:
    """Sessions of one event are not kept, but stand among those that happened."""
    parts = [
        memoryless(size, buys=buys + drift * (number > 0), leaves=leaves, seed=number)
        for number, size in enumerate(sizes)
    ]
    kept = {
        name: [row for row in rows if len(row) > 1]
        for name, rows in zip(("train", "validation", "test"), parts, strict=True)
    }
    dataset = make_dataset(folder, **kept, trained=4)
    ends = np.cumsum([0, *sizes]).tolist()
    ranges = dict(zip(kept, itertools.pairwise(ends), strict=True))
    return replace(dataset, stored_whole=Whole(make_sessions([row for rows in parts for row in rows]), ranges))


def taught(dataset: Dataset, *, seed: int = 0):
    trained = make_trained(dataset, seed=seed)
    torch.nn.init.zeros_(trained.model.encoder.intent[-1].weight)
    return trained.model, learn_intent(trained.model, dataset, spec=SPEC, seed=0)


def test_intent_is_asked_of_those_who_leave_too(tmp_path):
    """After any click P(still buys) = .2 / (1 - .4) = 1/3; of those who do something more it would be .5 and more."""
    dataset = shop(tmp_path / "d")
    model, intent = taught(dataset)
    assert intent.unknown == ""
    moments = moments_of(dataset, "test", spec=SPEC)
    told_M = intent_at(model, moments)
    clicks_M = moments.behaviours_M == 0
    assert told_M[clicks_M].mean() == pytest.approx(1 / 3, abs=0.03)
    for length in (1, 2, 3):
        here_M = clicks_M & (moments.lengths_M == length)
        assert told_M[here_M].mean() == pytest.approx(1 / 3, abs=0.04)
    assert told_M[~clicks_M].mean() < 0.05  # nobody does anything after a purchase


def test_what_was_done_tells_whatever_the_item(tmp_path):
    """Item 4 is too rare for a vector. Of all shoppers half look once and leave; the others look at 4 and buy 4. After
    the first click P = 1/2, after the second 1, after the purchase 0, and the item known is the same at all three."""
    bought = [0, 4, (4, "purchase")]
    parts = {"train": 800, "validation": 300, "test": 300}
    kept = {name: [bought] * (size // 2) for name, size in parts.items()}
    dataset = make_dataset(tmp_path / "d", **kept, trained=4, newcomers=1)
    ends = np.cumsum([0, *parts.values()]).tolist()
    whole = [row for size in parts.values() for row in [bought, [0]] * (size // 2)]
    stored = Whole(make_sessions(whole), dict(zip(parts, itertools.pairwise(ends), strict=True)))
    dataset = replace(dataset, stored_whole=stored)
    assert dataset.catalogue.rankable == 4
    model, _ = taught(dataset)
    moments = moments_of(dataset, "test", spec=SPEC)
    assert set(moments.batch(np.arange(len(moments))).lengths_B.tolist()) == {1}
    told_M = intent_at(model, moments)
    for length, share in ((1, 0.5), (2, 1.0), (3, 0.0)):
        assert told_M[moments.lengths_M == length].mean() == pytest.approx(share, abs=0.05)


def test_the_level_of_validation_is_found_and_the_refit_keeps_it(tmp_path):
    """In training P = .1 / (1 - .5) = .2 after a click, from validation on .2 / (1 - .4) = 1/3."""
    dataset = shop(tmp_path / "d", (2000, 800, 800), buys=0.1, drift=0.1)
    _, intent = taught(dataset)
    again = make_trained(dataset, seed=5).model
    learn_again(again, intent, dataset, spec=SPEC, seed=0)
    moments = moments_of(dataset, "test", spec=SPEC)
    told_M, clicks_M = intent_at(again, moments), moments.behaviours_M == 0
    assert told_M[clicks_M].mean() == pytest.approx(1 / 3, abs=0.05)


def test_a_steady_shop_is_told_its_own_level_though_validation_had_luck(tmp_path):
    """P = 1/3 after a click all along; that 40 of 290 validation sessions buy at once, beside the usual, is chance."""
    steady = memoryless(6000, buys=0.2, leaves=0.4, seed=0)
    lucky = [*memoryless(250, buys=0.2, leaves=0.4, seed=1), *([[0, (0, "purchase")]] * 40)]
    dataset = make_dataset(tmp_path / "d", train=steady, validation=lucky, test=steady[:10], trained=4)
    model, _ = taught(dataset)
    held = moments_of(dataset, "validation", spec=SPEC)
    clicks_M = held.behaviours_M == 0
    bought, told = held.goal_later_M[clicks_M].mean(), intent_at(model, held)[clicks_M].mean()
    assert bought > 0.38
    assert told == pytest.approx(1 / 3, abs=0.02)


def test_a_calibration_that_answers_all_alike_is_kept_as_it_is(tmp_path):
    """With slopes of 0 the answer is 1 / (1 + e^1) = .27 whatever the head says, so no level can be sought."""
    dataset = shop(tmp_path / "d", (200, 80, 80))
    _, intent = taught(dataset)
    again = make_trained(dataset, seed=5).model
    level = replace(intent, fitted=replace(intent.fitted, beta=(0.0, 0.0, -1.0)), mean=0.2)
    learn_again(again, level, dataset, spec=SPEC, seed=0)
    assert intent_at(again, moments_of(dataset, "test", spec=SPEC)) == pytest.approx(0.2689, abs=1e-3)


def test_the_ranking_and_the_global_generator_are_left_alone(tmp_path):
    dataset = shop(tmp_path / "d", (60, 40, 10))
    model = make_trained(dataset).model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(7)
    state = torch.get_rng_state()
    learn_intent(model, dataset, spec=SPEC, seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("encoder.intent") for name in changed)


def test_the_same_seed_learns_the_same(tmp_path):
    dataset = shop(tmp_path / "d", (60, 40, 10))
    (one, told), (other, again) = taught(dataset), taught(dataset)
    assert told == again
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    ("low", "high", "goals", "unknown"),
    [(0.45, 0.6, 12, True), (0.55, 0.7, 12, False), (0.45, 0.6, 50, False), (float("nan"), float("nan"), 3, True)],
    ids=["chance", "told", "many", "nothing"],
)
def test_what_may_be_chance_is_unknown_unless_goals_are_many(low, high, goals, unknown):
    reason = unknown_because((low + high) / 2, low, high, goals, goal="purchase")
    assert bool(reason) == unknown
    if goals == 12 and unknown:
        assert reason == (
            "the AUC on validation is 0.53 (0.45 to 0.60), which may be chance, and of the 12 sessions that reach "
            "their purchase it cannot be learned better; 50 would do"
        )


def test_without_goals_there_is_a_reason(tmp_path):
    looks, buys = [[0, 1], [1, 0]], [0, (1, "purchase")]

    def reason(name, train):
        dataset = make_dataset(tmp_path / name, train=train, validation=looks, test=looks, trained=2, newcomers=1)
        return learn_intent(make_trained(dataset).model, dataset, spec=SPEC, seed=0).unknown

    assert reason("a", looks) == "no training session holds a purchase"
    unknown_item = [[2, (2, "purchase")], *looks]  # the only purchase is of a session of which the model sees nothing
    assert reason("c", unknown_item) == "no training session of known items still reaches its purchase"
    assert reason("b", [buys, *looks]) == "no validation session reaches its purchase after its first event"


def test_sessions_with_a_goal_are_counted_once_and_only_where_it_can_be_foreseen(tmp_path):
    buys = [0, (1, "purchase"), (0, "purchase")]
    dataset = make_dataset(
        tmp_path / "d", train=[buys, [(0, "purchase"), 1], [0, 1]], validation=[buys], test=[buys], trained=2
    )
    assert sessions_with_goal(dataset) == 2
