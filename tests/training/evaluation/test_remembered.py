"""A memory that keeps its answers gives the same ones, also where it has no room for more."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from training.evaluation.remembered import remembered


@pytest.mark.parametrize("room", [0, 3, 1000])
def test_kept_answers_are_those_of_the_memory_itself(room):
    past = make_sessions([[0, 1, 2], [1, 3], [2, 0, 3]])
    catalogue = make_catalogue(past, trained=4, tokens=[["a=1"], ["a=1"], ["b=1"], ["b=1"]])
    index = SessionNeighbours.fit(past, items=4, settings=Neighbourhood())
    memory = SessionMemory.of(index, Blend((1.0,), 0.1, ((0.5, 0.0),), alike=(1.0, 1.0)), catalogue)
    kept = remembered(memory, room=room)
    for session in 2 * [np.array([0]), np.array([1, 3]), np.array([3, 1])]:
        for mine, own in zip(kept.bonus(session, 0), memory.bonus(session, 0), strict=True):
            np.testing.assert_array_equal(mine, own)
