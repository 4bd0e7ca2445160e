"""Questions with the model's proposals: one batch or many, each under its own rules, by whatever engine."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from tillside.policy import Policy, parse_policy
from tillside.recommenders.counted_intent import CountedIntent
from training.evaluation.placements.engines import TorchEngine
from training.evaluation.placements.proposals import PlacementCases, placement_cases
from training.evaluation.placements.shop import OfflineShop
from training.model.checkpoint import TrainedModel

ITEMS = 12
POLICY = parse_policy(
    """
placements:
  checkout: {sources: {model: 1}, anchors: [cart], slots: 3, rules: {categories: {never: [c1]}}}
  home: {behaviour: click, sources: {popular: 1}, anchors: [session], slots: 3}
"""
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    train, test = random_rows(60, items=ITEMS, seed=1), random_rows(40, items=ITEMS, longest=12, seed=2)
    tokens = [[f"category=c{item % 3}"] for item in range(ITEMS - 1)]  # nothing is known of the last item
    folder: Path = tmp_path_factory.mktemp("data") / "d"
    dataset = make_dataset(folder, train=train, test=test, trained=ITEMS - 2, newcomers=2, tokens=tokens)
    return make_trained(dataset), dataset


class CountingEngine(TorchEngine):
    """Counts the sessions encoded together."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.rows: list[int] = []

    def encode(self, batch, ask_B):
        self.rows.append(len(ask_B))
        return super().encode(batch, ask_B)


def cases(world, name: str, *, policy: Policy = POLICY, **options) -> PlacementCases:
    trained, dataset = world
    return placement_cases(OfflineShop.of(trained, dataset, **options), policy, name, part="test", k=3)


def test_rules_of_the_placement_bound_the_search(world) -> None:
    found = cases(world, "checkout")
    assert (found.behaviour, found.ask, found.at_cart) == ("purchase", 2, True)
    assert len(found.questions) == len(found.requests) == len(found.proposals.candidates) > 10
    for request, model, intent in zip(found.requests, found.proposals.candidates, found.proposals.intents, strict=True):
        assert request.intent == intent
        if model.tier == "model":
            assert sorted(model.items.tolist()) == [item for item in range(ITEMS - 1) if item % 3 != 1]
            assert (np.diff(model.scores) <= 0).all()


def test_what_is_encoded_together_changes_nothing(world) -> None:
    one, all_at_once = cases(world, "checkout", together=1), cases(world, "checkout", together=500)
    np.testing.assert_array_equal(one.proposals.best_QK, all_at_once.proposals.best_QK)
    for single, batched in zip(one.proposals.candidates, all_at_once.proposals.candidates, strict=True):
        assert single.items.tolist() == batched.items.tolist()
        np.testing.assert_allclose(single.scores, batched.scores, rtol=1e-5)


def test_an_engine_that_is_given_encodes_what_the_model_knows(world) -> None:
    trained: TrainedModel = world[0]
    engine = CountingEngine(OfflineShop.of(trained, world[1]).engine._scorer)
    found = cases(world, "checkout", engine=engine, together=8)
    known = sum(model.tier == "model" for model in found.proposals.candidates)
    assert sum(engine.rows) == known
    assert max(engine.rows) <= 8


def test_a_session_that_the_model_knows_nothing_of_gets_what_is_popular(tmp_path: Path) -> None:
    """Item 2 has no attributes and no past; of the others 1 is clicked more often."""
    tokens = [["category=a"], ["category=a"]]
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 1]], test=[[2, 1]], trained=2, newcomers=1, tokens=tokens)
    found = cases((make_trained(dataset), dataset), "home")
    (model,) = found.proposals.candidates
    assert (model.tier, model.items.tolist(), found.proposals.intents) == ("popularity", [1, 0], [None])
    assert found.proposals.best_QK.tolist() == [[1, 0]]


def test_what_was_done_tells_the_intent_of_a_session_that_the_model_knows_nothing_of(tmp_path: Path) -> None:
    """A level of log(1/3) is one in four, and steers the policy."""
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 1]], test=[[2, 1]], trained=2, newcomers=1)
    counted = CountedIntent((math.log(1 / 3), *[0.0] * 13))
    found = cases((replace(make_trained(dataset), counted_intent=counted), dataset), "home")
    assert found.proposals.intents == [pytest.approx(0.25)]
    assert [request.intent for request in found.requests] == found.proposals.intents


def test_the_model_is_asked_even_where_the_policy_does_not_use_it(world) -> None:
    """``model-top`` and ``model-unruled`` stand beside every policy."""
    found = cases(world, "home")
    assert (found.behaviour, found.at_cart) == ("click", False)
    assert any(model.tier == "model" and len(model.items) == ITEMS - 1 for model in found.proposals.candidates)
