"""A bundle ranked as the server answers: one session at a time, by hand on a bundle small enough for paper."""

import numpy as np
import pytest

from tests.bundles import ITEMS_ND, SPEC, tiny_bundle, tiny_memory
from tests.datasets import make_sessions
from tillside.bundle import open_bundle
from tillside.engine import Engine
from tillside.ranking import MISSED
from tillside.recommenders import Popularity
from training.evaluation.served import answer_session, rank_bundle, served_lists
from training.inputs.cases import make_cases

ITEMS = len(ITEMS_ND)
POPULAR = Popularity(np.tile(np.array([5, 4, 3, 2, 1], np.float32), (3, 1)))


def engine_of(path) -> Engine:
    opened = open_bundle(path)
    return Engine(path, opened.items_ND, opened.search)


@pytest.fixture
def engine(tmp_path) -> Engine:
    return engine_of(tiny_bundle(tmp_path / "bundle"))


def cases_of(*rows):
    return make_cases(make_sessions(rows), rule="every", spec=SPEC, items=ITEMS, goal=2)


def test_an_answer_by_hand(engine):
    """After one click on apple (1, 0) the scores are the first coordinates 1, 0, 1, 1, -1; intent is sigmoid(1 - 2)."""
    cases = cases_of([0, 1])
    scores_K, items_K, intent = answer_session(engine, None, cases.batch(np.array([0])), cases.asked_C, k=4)
    assert items_K.tolist() == [0, 2, 3, 1]
    assert scores_K.tolist() == [1, 1, 1, 0]
    assert intent == pytest.approx(1 / (1 + np.e))


def test_past_sessions_are_blended_in_as_the_server_does(engine):
    """Apple and date have half of the votes each: 4 * log(1 + 0.5 / 0.5) for 1 and for -1."""
    cases = cases_of([0, 1])
    scores_K, items_K, _ = answer_session(engine, tiny_memory(), cases.batch(np.array([0])), cases.asked_C, k=3)
    assert items_K.tolist() == [0, 4, 2]
    np.testing.assert_allclose(scores_K, [1 + 4 * np.log(2), -1 + 4 * np.log(2), 1], rtol=1e-6)


def test_a_session_without_a_known_item_is_answered_by_the_fallback(engine):
    cases = cases_of([5, 1], [0, 1])  # 5 has no vector
    (scores_K, items_K, intent), known = served_lists(engine, None, POPULAR, cases, np.arange(2), k=2)
    assert (items_K.tolist(), scores_K.tolist()) == ([0, 1], [5, 4])
    assert np.isnan(intent)
    assert known[1].tolist() == [0, 2]


def test_a_target_s_rank_counts_those_level_with_it_against_it(engine):
    # after apple: 1, 1, 1, 0, -1 for 0, 2, 3, 1, 4. Target 3 is level with two others: rank 3. Target 1: rank 4.
    # Target 5 cannot be ranked. After nothing known the fallback puts 1 second.
    ranked = rank_bundle(engine, None, POPULAR, cases_of([0, 3], [0, 1], [0, 5], [5, 1]))
    assert ranked.ranks_C.tolist() == [3, 4, MISSED, 2]
    assert ranked.depth == 20
    assert ranked.shown_V.tolist() == [4] * ITEMS  # five items, so each list shows all
    assert np.isnan(ranked.intent_C).tolist() == [False, False, False, True]
