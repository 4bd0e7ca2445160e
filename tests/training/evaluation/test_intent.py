"""Purchase intent judged by hand, over the cases that hold a known item."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from tests.models import SPEC
from training.evaluation.intent import judge_intent
from training.inputs.cases import make_cases


def test_intent_is_judged_over_the_cases_that_hold_a_known_item_beside_gradient_boosting():
    rows = [[0, (1, "cart"), (0, "purchase"), 2], [2, 7], [7, (1, "purchase")]]
    cases = make_cases(make_sessions(rows), rule="every", spec=SPEC, items=4, goal=2)
    # goal later: yes, yes, no, no, yes; the last one has no known item
    intent_C = np.array([0.9, 0.3, 0.4, 0.1, np.nan], np.float32)
    document = judge_intent(intent_C, cases, np.array([0.9, 0.8, 0.4, 0.1, 0.0]))["intent"]
    assert document["cases"] == 4
    assert document["base_rate"] == pytest.approx(1 / 2)
    # pairs: .9 > .4, .9 > .1, .3 < .4, .3 > .1
    assert document["auc"] == pytest.approx(3 / 4)
    # a bin a case: (0.1 + 0.7 + 0.4 + 0.1) / 4
    assert document["calibration_error"] == pytest.approx(1.3 / 4)
    # all pairs right; (0.1 + 0.2 + 0.4 + 0.1) / 4
    assert document["boosting"] == pytest.approx({"auc": 1.0, "calibration_error": 0.2})


def test_intent_is_not_judged_where_all_cases_are_of_one_kind():
    cases = make_cases(make_sessions([[0, 1], [1, 2]]), rule="every", spec=SPEC, items=4, goal=2)
    assert judge_intent(np.array([0.1, 0.2], np.float32), cases, None) == {}
