"""Weights that are learned: planted ones are found, what was bought is counted by hand, and luck is not chosen."""

from dataclasses import replace

import numpy as np
import pytest

from tests.shops import Item, Shop
from tillside.policy import parse_policy
from training.evaluation.placements.source_weights import Lists, attach_rates, fit_weights, steadiest, weighed

SHOP = Shop(
    items=[Item(name) for name in ("phone", "case", "film", "cable")],
    pairs=[("complement", "phone", "case", 0.5), ("complement", "phone", "film", 0.2)],
)
PLAIN = parse_policy("placements: {here: {sources: {model: 1, complement: 1}, anchors: [cart], slots: 1}}")


def planted(questions: int, truth: list[float], seed: int = 0) -> Lists:
    """Ten candidates a question, of which one is bought by the softmax of its parts times the truth."""
    rng = np.random.default_rng(seed)
    parts_QUS = rng.gamma(1.0, 1.0, (questions, 10, len(truth)))
    scores_QU = parts_QUS @ np.array(truth) + rng.gumbel(size=(questions, 10))
    bought_QU = scores_QU == scores_QU.max(axis=1, keepdims=True)
    sizes = np.full(questions, 10)
    return Lists(parts_QUS.reshape(-1, len(truth)), bought_QU.ravel(), np.arange(questions) * 10, sizes)


def test_planted_weights_are_found_up_to_their_scale():
    """The third source speaks against what is bought: no weight is negative."""
    assert fit_weights(planted(4000, [1.0, 0.5, -0.5])) == pytest.approx([1.0, 0.5, 0.0], abs=0.06)


def test_sources_that_say_the_same_weigh_the_same():
    lists = planted(500, [1.0])
    assert fit_weights(replace(lists, parts_CS=np.repeat(lists.parts_CS, 2, axis=1))) == pytest.approx([1.0, 1.0])


def test_candidates_and_what_was_bought_by_hand():
    """The phone is in the cart; a question of which no candidate was bought is left out."""
    requests = [SHOP.request(cart=["phone"])] * 2
    models = [SHOP.model({"phone": 5.0, "cable": 1.0, "film": 1.0})] * 2
    answers = [SHOP.numbers(["film"]), SHOP.numbers(["phone"])]
    told = {"shelves": SHOP.shelves(), "relations": SHOP.relations()}
    lists = Lists.of(PLAIN, requests, models, answers, **told)
    assert len(lists) == 1
    assert (lists.starts_Q.tolist(), lists.sizes_Q.tolist()) == ([0], [3])
    assert lists.bought_C.tolist() == [False, True, False]  # case, film, cable
    share = 1 / (np.exp(4) + 2)
    assert lists.parts_CS == pytest.approx(np.log1p(np.array([[0, 0.5], [share, 0.2], [share, 0.0]]) / 0.01), rel=1e-5)
    assert attach_rates([PLAIN], requests, models, answers, **told) == [0.5]  # film: 10 / 11 and .2; case: .5
    other = weighed(PLAIN, "here", {"model": 0.01, "complement": 1.0})
    assert attach_rates([other], requests, models, answers, **told) == [0.0]


def test_a_peak_that_stands_alone_is_luck():
    assert steadiest([0.1, 0.5, 0.1, 0.3, 0.35, 0.3, 0.2]) == 4
