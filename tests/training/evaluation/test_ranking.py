"""Ranks of the targets among all items, by hand on a tiny scorer."""

import numpy as np

from tests.datasets import random_rows
from tests.training.evaluation.tiny import ITEMS, LastItemPlusOne, cases_of
from tillside.ranking import MISSED
from training.evaluation.ranking import rank


def test_ranks_by_hand_with_unseen_targets_as_misses():
    ranked = rank(LastItemPlusOne(), cases_of(), items=ITEMS)
    # after 0 comes 1: rank 1. After 1 comes 2: then 0, rank 2. After 0 comes 1: then 0, then 2: rank 3.
    # 7 is unseen: missed. Nothing known: 0, then 1: rank 2.
    assert ranked.ranks_C.tolist() == [1, 2, 3, MISSED, 2]
    assert ranked.shown_V.tolist() == [5, 5, 5, 5]  # the best 20 of 4 items are all of them, in each of 5 cases
    assert ranked.intent_C is None


def test_chunks_change_nothing(monkeypatch):
    cases = cases_of(random_rows(40, items=6))
    whole, scorer = rank(LastItemPlusOne(), cases, items=ITEMS), LastItemPlusOne()
    monkeypatch.setattr("training.evaluation.ranking.CHUNK_SCORES", 3 * ITEMS)
    assert np.array_equal(rank(scorer, cases, items=ITEMS).ranks_C, whole.ranks_C)
    assert scorer.calls == -(-len(cases) // 3)
