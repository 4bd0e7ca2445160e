"""Votes for many sessions and settings at once are those that session kNN gives one by one."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.recommenders import Neighbourhood, SessionNeighbours
from training.learning import neighbour_votes as votes_of
from training.learning.neighbour_votes import neighbour_votes, strongest_of


@pytest.mark.parametrize("chunk", [3, 64])
def test_votes_equal_those_of_one_session_under_one_setting(monkeypatch, chunk):
    monkeypatch.setattr(votes_of, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    past = make_sessions([rng.integers(0, 12, rng.integers(1, 9)).tolist() for _ in range(150)])
    index = SessionNeighbours.fit(past, items=14, settings=Neighbourhood(newest=20, neighbours=15))
    sessions = [np.array([13]), *(rng.integers(0, 14, rng.integers(1, 8)) for _ in range(20))]  # nobody had 13
    base = index.settings
    tried = [base, replace(base, item_decay=4.0), replace(base, age_decay=0.0), replace(base, reach=0.25, before=0.5)]
    found = list(neighbour_votes(index, sessions, tried))
    for number, settings in enumerate(tried):
        under = index.under(settings)
        dense_CN = np.concatenate([each[number].toarray() for each in found])
        for session, row_N in zip(sessions, dense_CN, strict=True):
            items, shares = under.evidence(session)
            assert np.flatnonzero(row_N).tolist() == items.tolist()
            np.testing.assert_allclose(row_N[items], shares, rtol=1e-6)


def test_the_strongest_of_each_row_are_kept():
    index = SessionNeighbours.fit(make_sessions([[0, 1], [0, 1, 2]]), items=3, settings=Neighbourhood())
    [[votes_CN]] = neighbour_votes(index, [np.array([0])], [index.settings])
    assert strongest_of(votes_CN, 2).indices.tolist() == [0, 1]
