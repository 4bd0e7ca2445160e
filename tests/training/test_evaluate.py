"""What the command ``evaluate`` is told to judge."""

import pytest

from training.evaluate import EvaluateConfig
from training.evaluation.baselines import Baseline


def test_what_to_judge_must_be_said():
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig()
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig(dataset="d", baselines=[])
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig(dataset="d", bundle="b")
    with pytest.raises(ValueError, match="baselines names one twice: item_knn, item_knn"):
        EvaluateConfig(run="r", baselines=[Baseline.item_knn, Baseline.item_knn])
    assert EvaluateConfig(dataset="d").baselines == [Baseline.covisitation, Baseline.popularity]
