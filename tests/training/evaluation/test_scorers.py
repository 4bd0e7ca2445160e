"""Scorers: the model asked as the server asks it, with popularity where it knows nothing."""

import numpy as np

from tests.models import SPEC, make_model
from tests.training.evaluation.tiny import ITEMS, cases_of
from tillside.recommenders import Popularity
from training.evaluation.scorers import ModelScorer


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
