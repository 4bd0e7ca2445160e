"""The torch engine encodes and searches as the scorer scores: exact lists, all items or some."""

import numpy as np
import pytest

from tests.models import make_model, random_batch
from tillside.recommenders import Popularity
from training.evaluation.placements.engines import TorchEngine
from training.evaluation.scorers import ModelScorer

ITEMS = 300


@pytest.fixture(scope="module")
def scorer() -> ModelScorer:
    return ModelScorer.of(make_model(items=ITEMS), Popularity(np.zeros((3, ITEMS), np.float32)))


def test_lists_are_those_of_the_scores(scorer: ModelScorer) -> None:
    engine, batch, ask_B = TorchEngine(scorer), random_batch([1, 4, 6], items=ITEMS), np.array([0, 2, 1])
    scores_BV, expected_B = scorer.score_and_intent(batch, ask_B)
    query_BD, intent_B = engine.encode(batch, ask_B)
    np.testing.assert_array_equal(intent_B, expected_B)
    scores_BK, items_BK = engine.search(query_BD, 20)
    assert items_BK.tolist() == np.argsort(-scores_BV, kind="stable")[:, :20].tolist()
    np.testing.assert_allclose(scores_BK, np.take_along_axis(scores_BV, items_BK, axis=1), rtol=1e-5)


@pytest.mark.parametrize("eligible", [5, 40, 200, 290])
def test_a_search_among_some_finds_the_best_of_them(scorer: ModelScorer, eligible: int) -> None:
    engine, batch, ask_B = TorchEngine(scorer), random_batch([3, 5], items=ITEMS), np.array([1, 1])
    eligible_V = np.sort(np.random.default_rng(eligible).choice(ITEMS, eligible, replace=False))
    query_BD, _ = engine.encode(batch, ask_B)
    _, items_BK = engine.search_among(query_BD, eligible_V, 30)
    order_BV = np.argsort(-scorer.score(batch, ask_B)[:, eligible_V], kind="stable")[:, :30]
    assert items_BK.tolist() == eligible_V[order_BV].tolist()
