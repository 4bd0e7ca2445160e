"""Intent at moments is the encoder's own answer there, in whatever batches."""

import numpy as np
import pytest
import torch

from tests.datasets import make_sessions, random_rows
from tests.models import CONFIG, SPEC, make_model
from tillside.recommenders.counted_intent import CountedIntent, count_features
from training.evaluation.intent_answers import intent_at, read, told_intent
from training.inputs.moments import make_moments
from training.model.checkpoint import TrainedModel


@pytest.fixture(scope="module")
def model():
    model = make_model()
    generator = torch.Generator().manual_seed(1)
    model.encoder.intent_by_counts.copy_(torch.randn(count_features(3), generator=generator))
    model.encoder.intent_calibration.copy_(torch.tensor([0.7, 1.3, -0.4]))
    return model


def test_intent_at_moments_is_what_the_exported_graph_answers(model):
    sessions = make_sessions([*random_rows(40, items=14, longest=9), [3], [13]])
    moments = make_moments(sessions, spec=SPEC, items=12, goal=2)
    found_M = intent_at(model, moments)
    vectors_VD = model.items()
    for place in range(0, len(moments), 7):
        batch = moments.batch(np.array([place]))
        row = [torch.from_numpy(each) for each in (batch.items_BL, batch.behaviours_BL, batch.gaps_BL, batch.lengths_B)]
        with torch.no_grad():
            counts = map(torch.from_numpy, batch.counted(3))
            _, intent_B = model.encoder(vectors_VD[row[0]], *row[1:], torch.zeros(1, dtype=torch.int64), *counts)
        assert found_M[place] == pytest.approx(float(intent_B[0]), abs=1e-5)


def test_the_head_can_be_trained_on_what_was_read(model):
    found = read(model, make_moments(make_sessions([[0, 1], [2]]), spec=SPEC, items=12, goal=2))
    assert found.hidden_MD.shape[0] == found.counted_MF.shape[0] == 3
    model.encoder.intent(found.hidden_MD).sum().backward()
    model.zero_grad()


def test_where_no_item_is_known_the_counts_tell(model):
    """A level of log(1/3) is one in four; a model of a version without it tells nothing there."""
    sessions = make_sessions([[13, 0, 13], [12], [3, 13]])
    moments = make_moments(sessions, spec=SPEC, items=12, goal=2, known=None)
    counted = CountedIntent((np.log(1 / 3), *[0.0] * 13))
    trained = TrainedModel(model, CONFIG, SPEC, intent=True, counted_intent=counted)
    told_M = told_intent(trained, moments)
    known_M = np.array([False, True, True, False, True, True])
    assert told_M[~known_M] == pytest.approx([0.25, 0.25])
    np.testing.assert_array_equal(told_M[known_M], intent_at(model, moments.only(known_M)))
    before_M = told_intent(TrainedModel(model, CONFIG, SPEC, intent=True), moments)
    assert np.isnan(before_M).tolist() == (~known_M).tolist()
