"""How much past sessions count, chosen from cases worked out by hand; the grids are the test's own."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.blending import Blend
from tillside.encoding import EncodingSpec, cut_before, encode_sessions
from tillside.neighbours import Neighbourhood, SessionNeighbours
from tillside.recommenders import Popularity
from training import memory
from training.memory import Entries, NeighbourScorer, learn_blend

CLICK, PURCHASE = 0, 1
MISSED = "missed"


@pytest.fixture(autouse=True)
def _grids(monkeypatch):
    monkeypatch.setattr(memory, "WEIGHTS", (0.0, 1.0, 2.0))
    monkeypatch.setattr(memory, "FLOORS", (0.001, 0.1))
    monkeypatch.setattr(memory, "MIN_CASES", 1)


def entries_of(*cases) -> Entries:
    """A case is what it is asked for and its entries (score, share), the target's first; or MISSED: it has none."""
    rows = [[entry for entry in entries if entry != MISSED] for _, *entries in cases]
    offsets_C = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.array([entry for row in rows for entry in row], np.float32).reshape(-1, 2)
    target_C = [-1 if MISSED in case else start for case, start in zip(cases, offsets_C[:-1], strict=True)]
    asked_C = np.array([ask for ask, *_ in cases], np.int64)
    return Entries(offsets_C, columns[:, 0], columns[:, 1], np.array(target_C, np.int64), asked_C)


HELPS = (0.0, 0.3), (1.0, 0.0)
"""The neighbours name the target. With weight 1 it gains log(1 + 0.3 / 0.1) = 1.39 and passes the rival's 1."""
HARMS = (1.0, 0.0), (0.0, 0.3)
"""They name the rival alone."""
FAINT = (0.5, 0.0), (0.0, 0.003)
"""They hardly name the rival: log(1 + 3) = 1.39 lets it pass with a floor of 0.001, log(1.03) = 0.03 with 0.1 not."""


def test_each_behaviour_takes_the_weight_that_ranks_its_cases_best_the_smaller_of_equals():
    # clicks: weight 0 has rank 2, 1 and 2 have rank 1; purchases: rank 1 with 0 only
    blend = learn_blend(entries_of((CLICK, *HELPS), (PURCHASE, *HARMS)), behaviours=2)
    assert blend.weights == (1.0, 0.0)


def test_the_floor_is_the_one_that_the_whole_ranks_best_with():
    # 0.001: weight 0 has 1/2 + 1, weight 1 has 1 + 1/2. 0.1: weight 1 has 1 + 1
    assert learn_blend(entries_of((CLICK, *HELPS), (CLICK, *FAINT)), behaviours=1) == Blend((1.0,), 0.1)
    assert learn_blend(entries_of((CLICK, *HELPS)), behaviours=1) == Blend((1.0,), 0.001)  # the smaller of equals


def test_a_behaviour_with_few_cases_takes_the_weight_that_suits_all(monkeypatch):
    monkeypatch.setattr(memory, "MIN_CASES", 2)
    # all four: weight 0 has 3 * 1/2 + 1, weight 1 has 3 + 1/2
    entries = entries_of(*[(CLICK, *HELPS)] * 3, (PURCHASE, *HARMS))
    assert learn_blend(entries, behaviours=3).weights == (1.0, 1.0, 1.0)
    entries = entries_of(*[(CLICK, *HELPS)] * 3, *[(PURCHASE, *HARMS)] * 2)
    assert learn_blend(entries, behaviours=3).weights == (1.0, 0.0, 1.0)


def test_no_weight_wins_where_the_evidence_is_noise():
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(100):  # a good model, and shares that have nothing to do with the target
        shares = rng.permutation(np.linspace(0, 0.2, 10))
        scores = np.append(2.0, rng.normal(0, 0.5, 9))
        cases.append((CLICK, *zip(scores.tolist(), shares.tolist(), strict=True)))
    assert learn_blend(entries_of(*cases), behaviours=1).weights == (0.0,)


def test_a_tie_counts_against_the_target():
    # without weight the rival is level: rank 2
    level = (CLICK, (1.0, 0.3), (1.0, 0.0))
    assert learn_blend(entries_of(level), behaviours=1).weights == (1.0,)


def test_cases_whose_target_is_nowhere_and_no_cases_at_all_change_nothing():
    missed = (CLICK, MISSED, (1.0, 0.0), (0.0, 0.3))
    assert learn_blend(entries_of(missed, (CLICK, *HELPS), missed), behaviours=1).weights == (1.0,)
    assert learn_blend(entries_of(missed), behaviours=1).weights == (0.0,)
    assert learn_blend(entries_of(), behaviours=2).weights == (0.0, 0.0)


def test_neighbours_alone_rank_by_shares_and_then_by_popularity():
    index = SessionNeighbours.fit(make_sessions([[0, 1]]), items=4, settings=Neighbourhood())
    popular = Popularity(np.array([[0, 0, 5, 9]], np.float32))
    rows, spec = make_sessions([[0, 1], [2, 1]]), EncodingSpec()
    encoded = encode_sessions(rows.items, rows.behaviours, rows.times, rows.offsets, spec=spec, known_items=4)
    batch = cut_before(encoded, np.array([1, 3, 0]), spec=spec)  # after 0, after 2, after nothing
    scores_BV = NeighbourScorer(index, popular).score(batch, np.zeros(3, np.int64))
    np.testing.assert_allclose(scores_BV[0], [0.5, 0.5, 0, 0], atol=1e-6)
    for row in range(3):
        assert 0 < scores_BV[row, 2] < scores_BV[row, 3] < 1e-6
    assert scores_BV[1, :2].tolist() == scores_BV[2, :2].tolist() == [0, 0]
