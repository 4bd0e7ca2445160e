"""Rows as the encoder takes them: the session in a row, the sessions before it, and what was done in it."""

import numpy as np

from tillside.encoding.batch import Batch

KINDS_BL = np.array([[0, 1, 1, 2], [2, 0, 0, 0]])
ITEMS_BL = np.array([[5, 6, 7, 8], [9, 0, 0, 0]])
ROWS = Batch(ITEMS_BL, KINDS_BL, np.zeros((2, 4), np.int64), np.array([4, 1]), np.array([3, 1]))


def test_a_row_holds_earlier_sessions_before_the_session_itself():
    assert [ROWS.session(row).tolist() for row in (0, 1)] == [[6, 7, 8], [9]]
    assert ROWS.before(0).tolist() == []
    more = Batch(*(getattr(ROWS, name) for name in ROWS.__slots__[:5]), past=[np.array([4, 5]), np.zeros(0, np.int64)])
    assert [more.before(row).tolist() for row in (0, 1)] == [[4, 5], []]


def test_the_session_alone_is_counted_and_by_all_that_was_met_where_that_is_known():
    counts_BC, latest_B = ROWS.counted(3)
    assert (counts_BC.tolist(), latest_B.tolist()) == ([[0, 2, 1], [0, 0, 1]], [2, 2])
    met = [np.array([0, 0, 1]), np.zeros(0, np.int64)]
    counts_BC, latest_B = Batch(*(getattr(ROWS, name) for name in ROWS.__slots__[:5]), met=met).counted(3)
    assert (counts_BC.tolist(), latest_B.tolist()) == ([[2, 1, 0], [0, 0, 0]], [1, -1])
