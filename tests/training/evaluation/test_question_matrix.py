"""The same cases asked for each behaviour: the right question answers best, by hand."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.training.evaluation.tiny import ITEMS, cases_of
from training.evaluation.question_matrix import asked_matrix


@dataclass
class ByQuestion:
    """Puts first the item whose number is the behaviour asked for."""

    def score(self, batch, ask_B):
        return -np.abs(np.arange(ITEMS) - ask_B[:, None]).astype(np.float32)


def test_the_matrix_of_questions_by_hand():
    # clicks on 0 and purchases of 2: the right question puts them first; asked for a cart both 0 and 2 tie behind 1,
    # rank 3; asked for a purchase 0 comes last, behind 2 and the level 1 and 3, rank 4
    cases = cases_of([[3, 0, (2, "purchase")], [3, 0]])
    matrix = asked_matrix(ByQuestion(), cases, items=ITEMS, behaviours=["click", "cart", "purchase"], seed=0)
    assert list(matrix) == ["click", "purchase"]
    assert matrix["click"]["cases"] == 2
    assert [matrix["click"][asked]["mrr@20"]["value"] for asked in ("click", "cart", "purchase")] == [1, 1 / 3, 1 / 4]
    assert matrix["purchase"]["purchase"]["mrr@20"] == {"value": 1, "low": 1, "high": 1}
    assert matrix["purchase"]["cart"]["lost"]["mrr@20"]["value"] == pytest.approx(2 / 3)
    assert matrix["purchase"]["cart"]["lost"]["recall@20"]["value"] == 0
    assert "lost" not in matrix["purchase"]["purchase"]


def test_a_matrix_of_many_cases_takes_some_of_each_behaviour(monkeypatch):
    monkeypatch.setattr("training.evaluation.question_matrix.CASES", 4)
    cases = cases_of([[0, 1, (2, "cart")]] * 9)
    matrix = asked_matrix(ByQuestion(), cases, items=ITEMS, behaviours=["click", "cart"], seed=0)
    assert [matrix[name]["cases"] for name in ("click", "cart")] == [3, 3]  # every third of 9
