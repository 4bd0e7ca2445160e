"""Scorers: the model asked as the server asks it, with popularity where it knows nothing."""

from pathlib import Path

import numpy as np
import torch

from tests.datasets import make_dataset, make_sessions
from tests.models import SPEC, make_model
from tests.training.evaluation.tiny import ITEMS, LastItemPlusOne, cases_of
from tillside.recommenders import Neighbourhood, Popularity, SessionNeighbours
from training.evaluation.scorers import Among, ModelScorer, NeighbourScorer, WithoutSeen, WithoutTaken, popularity_of
from training.inputs.cases import make_cases


def test_the_model_is_asked_for_each_cases_behaviour_and_popularity_answers_where_nothing_is_known():
    model = make_model(items=ITEMS)
    popular = Popularity(np.array([[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3]], np.float32))
    cases = cases_of(spec=SPEC)
    scores_BV, intent_B = ModelScorer.of(model, popular).score_and_intent(cases.batch(np.arange(5)), cases.asked_C)
    assert scores_BV[4].tolist() == [2, 1, 4, 3]  # asked for a purchase
    assert np.isnan(intent_B).tolist() == [False] * 4 + [True]
    for case in range(4):
        batch = cases.batch(np.array([case]))
        alone_BV, _ = ModelScorer.of(model, popular).score_and_intent(batch, cases.asked_C[case : case + 1])
        np.testing.assert_allclose(scores_BV[case], alone_BV[0], atol=2e-5)
        others_BV, _ = ModelScorer.of(model, popular).score_and_intent(batch, (cases.asked_C[case : case + 1] + 1) % 3)
        assert np.abs(others_BV - alone_BV).max() > 1e-3


def test_scores_are_exact_whatever_the_arithmetic_around_them():
    """Validation runs within the trainer's autocast; 257 * 1 is 256 in bf16, and many scores would tie so."""
    model, cases = make_model(items=ITEMS), cases_of(spec=SPEC)
    popular = Popularity(np.ones((3, ITEMS), np.float32))
    asked = cases.batch(np.arange(5)), cases.asked_C
    exact_BV, exact_B = ModelScorer.of(model, popular).score_and_intent(*asked)
    with torch.autocast("cpu", torch.bfloat16):
        assert (torch.tensor([[257.0]]) @ torch.tensor([[1.0]])).item() == 256
        scores_BV, intent_B = ModelScorer.of(model, popular).score_and_intent(*asked)
    assert scores_BV.dtype == np.float32
    np.testing.assert_array_equal(scores_BV, exact_BV)
    np.testing.assert_array_equal(intent_B, exact_B)


def test_items_that_are_not_allowed_or_were_seen_come_last():
    cases = cases_of([[0, 1, 2]])
    batch, ask_B = cases.batch(np.array([1])), cases.asked_C[1:]  # after 0 and 1 the scorer says 2, then 0, 1 and 3
    assert LastItemPlusOne().score(batch, ask_B).tolist() == [[0, -1, 1, -3]]
    some = Among(LastItemPlusOne(), np.array([True, False, False, True]))
    assert some.score(batch, ask_B).tolist() == [[0, -np.inf, -np.inf, -3]]
    assert WithoutSeen(LastItemPlusOne()).score(batch, ask_B).tolist() == [[-np.inf, -np.inf, 1, -3]]


def test_what_is_in_the_cart_is_no_answer_to_what_else_is_taken():
    """Asked for a click the carted 0 stands where it stood; asked for a cart or a purchase it comes last."""
    cases = cases_of([[(0, "cart"), 1, 2]])
    batch = cases.batch(np.array([1]))
    for ask, first in ((0, 0), (1, -np.inf), (2, -np.inf)):
        found = WithoutTaken(LastItemPlusOne(), 3).score(batch, np.array([ask]))
        assert found.tolist() == [[first, -1, 1, -3]]


def test_past_sessions_come_before_popularity_which_orders_the_rest():
    """Item 3 is the most popular; but of the past sessions only that of 0 and 1 is like this one: half a vote each."""
    neighbours = SessionNeighbours.fit(make_sessions([[0, 1], [2, 3]]), items=ITEMS, settings=Neighbourhood())
    popular = Popularity(np.tile(np.array([0, 1, 2, 9], np.float32), (3, 1)))
    cases = cases_of([[0, 1], [7, 1]])
    scores_BV = NeighbourScorer(neighbours, popular).score(cases.batch(np.arange(2)), cases.asked_C)
    assert scores_BV[0, :2].tolist() == [0.5, 0.5]
    assert 0 < scores_BV[0, 2] < scores_BV[0, 3] < 1e-8
    assert scores_BV[1].argsort().tolist() == [0, 1, 2, 3]  # nothing known: popularity alone
    assert (scores_BV[1] < 1e-8).all()


"""Scorers: popularity by hand."""


def test_popularity_of_a_data_set_ranks_what_can_be_ranked_by_the_behaviour_asked_for(tmp_path: Path) -> None:
    """Item 0 has three clicks, item 1 one click and one purchase. ``described`` is cold but has an attribute, so it can
    be ranked, last; ``bare`` has none and cannot."""
    dataset = make_dataset(
        tmp_path / "shop",
        train=[[0, 0, 0, 1, (1, "purchase")]],
        trained=2,
        newcomers=2,
        tokens=[["brand=x"], [], ["brand=x"], []],
        clock=False,
    )
    click, purchase = 0, 2
    cases = make_cases(make_sessions([[0, 1]]), rule="last", spec=SPEC, items=2, goal=purchase)
    batch = cases.batch(np.zeros(2, np.int64))
    asked_B = np.array([click, purchase])
    scores_BV = popularity_of(dataset).score(batch, asked_B)
    assert scores_BV.shape == (2, 3)
    assert np.argsort(-scores_BV, kind="stable").tolist() == [[0, 1, 2], [1, 0, 2]]
    # Ten purchases of item 0 in the validation part: who learns from that part puts it first for both, else for clicks.
    after = make_dataset(
        tmp_path / "later",
        train=[[0, 0, 0, 1, (1, "purchase")]],
        validation=[[(0, "purchase")] * 10],
        trained=2,
        clock=False,
    )
    assert [
        popularity_of(after, refit=refit).score(batch, asked_B).argmax(axis=1).tolist() for refit in (False, True)
    ] == [
        [0, 1],
        [0, 0],
    ]
    assert np.array_equal(popularity_of(dataset, items=2).score(batch, asked_B), scores_BV[:, :2])
