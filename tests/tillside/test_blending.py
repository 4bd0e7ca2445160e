"""The blend by hand, and that a few hundred items blended in the server give what blending the catalogue would."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_sessions
from tillside.blending import Blend, SessionMemory, blended_top
from tillside.neighbours import Neighbourhood, SessionNeighbours
from tillside.ranking import top_k

CLICK, PURCHASE = 0, 1
DOCUMENT = {"neighbourhood": asdict(Neighbourhood(age_decay=0.0)), "blend": {"weights": [0.5, 0.0], "floor": 0.1}}


def memory_of(*rows: list[int]) -> SessionMemory:
    return SessionMemory.fit(make_sessions(rows), items=4, document=DOCUMENT, behaviours=2)


def test_the_bonus_by_hand():
    # log(1 + 0.3 / 0.1) / 2 = log(4) / 2 = log(2)
    bonus_C = Blend((0.5, 0.0), 0.1).bonus(np.array([0.3, 0.0], np.float32), CLICK)
    np.testing.assert_allclose(bonus_C, [np.log(2), 0], rtol=1e-6)
    assert bonus_C.dtype == np.float32


def test_a_memory_adds_to_what_the_neighbours_name():
    items_C, bonus_C = memory_of([3, 1], [2, 0]).bonus(np.array([3]), CLICK)
    assert items_C.tolist() == [1, 3]
    # both have half of the votes: log(1 + 0.5 / 0.1) / 2
    np.testing.assert_allclose(bonus_C, [np.log(6) / 2] * 2, rtol=1e-6)


def test_a_weight_of_0_leaves_the_list_alone():
    items_C, bonus_C = memory_of([3, 1], [2, 0]).bonus(np.array([3]), PURCHASE)
    assert (len(items_C), len(bonus_C)) == (0, 0)
    scores_K, items_K = np.array([2.0, 1.0], np.float32), np.array([3, 0])
    query_D, items_ND = np.ones(2, np.float32), np.full((4, 2), np.nan, np.float32)  # not even looked at
    found = blended_top(scores_K, items_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C)
    assert found[0] is scores_K
    assert found[1] is items_K


def test_a_candidate_from_outside_comes_in_and_one_inside_moves_up():
    # the model: 9, 8, 7, 0 for items 0 to 3, and its best two are 0 and 1
    items_ND, query_D = np.array([[9], [8], [7], [0]], np.float32), np.ones(1, np.float32)
    best = np.array([9, 8], np.float32), np.array([0, 1])
    candidates = {"items_C": np.array([1, 2, 3]), "bonus_C": np.array([0.5, 2.5, 1], np.float32)}
    scores_K, items_K = blended_top(*best, query_D=query_D, items_ND=items_ND, **candidates)
    assert (items_K.tolist(), scores_K.tolist()) == ([2, 0], [9.5, 9])
    candidates["bonus_C"] = np.array([2, 2, 9], np.float32)  # 1 has 10; 0, 2 and 3 are level with 9, and 0 is first
    scores_K, items_K = blended_top(*best, query_D=query_D, items_ND=items_ND, **candidates)
    assert (items_K.tolist(), scores_K.tolist()) == ([1, 0], [10, 9])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_best_of_the_few_are_the_best_of_the_whole_catalogue(data):
    """Small whole numbers and quarters, so that every sum is exact and ties are many."""
    items = data.draw(st.integers(1, 30))
    k = data.draw(st.integers(1, items))
    number = st.integers(-3, 3)
    items_ND = np.array(data.draw(st.lists(st.tuples(number, number), min_size=items, max_size=items)), np.float32)
    query_D = np.array(data.draw(st.tuples(number, number)), np.float32)
    items_C = np.array(sorted(data.draw(st.sets(st.integers(0, items - 1)))), np.int64)
    quarters = st.lists(st.integers(0, 12), min_size=len(items_C), max_size=len(items_C))
    bonus_C = np.array(data.draw(quarters), np.float32) / 4
    scores_N = items_ND @ query_D
    model_K = top_k(scores_N[None], k)[0]
    scores_K, items_K = blended_top(
        scores_N[model_K], model_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C
    )
    blended_N = scores_N.copy()
    blended_N[items_C] += bonus_C
    expected_K = top_k(blended_N[None], k)[0]
    assert items_K.tolist() == expected_K.tolist()
    assert scores_K.tolist() == blended_N[expected_K].tolist()


def test_a_memory_is_fitted_and_loaded_as_its_document_says(tmp_path):
    fitted = memory_of([3, 1], [2, 0])
    assert fitted.blend == Blend((0.5, 0.0), 0.1)
    assert fitted.document() == DOCUMENT | {"blend": {"weights": (0.5, 0.0), "floor": 0.1}}
    fitted.neighbours.save(tmp_path)
    loaded = SessionMemory.load(tmp_path, fitted.document(), items=4, behaviours=2)
    assert loaded.document() == fitted.document()
    for found, expected in zip(loaded.bonus(np.array([3]), CLICK), fitted.bonus(np.array([3]), CLICK), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert isinstance(loaded.neighbours, SessionNeighbours)


@pytest.mark.parametrize(
    "document",
    [
        {},
        None,
        [],
        {"weights": [1, 1]},
        {"floor": 0.1},
        {"weights": [1], "floor": 0.1},
        {"weights": [1, 1, 1], "floor": 0.1},
        {"weights": 1, "floor": 0.1},
        {"weights": [1, -0.1], "floor": 0.1},
        {"weights": [1, float("nan")], "floor": 0.1},
        {"weights": [1, float("inf")], "floor": 0.1},
        {"weights": [1, "much"], "floor": 0.1},
        {"weights": [1, None], "floor": 0.1},
        {"weights": [1, 10**400], "floor": 0.1},
        {"weights": [1, 1], "floor": 0},
        {"weights": [1, 1], "floor": -1},
        {"weights": [1, 1], "floor": float("nan")},
        {"weights": [1, 1], "floor": float("inf")},
        {"weights": [1, 1], "floor": "low"},
    ],
    ids=str,
)
def test_a_blend_that_is_none_is_refused(document):
    with pytest.raises(ValueError, match=r"^blend must give 2 weights of at least 0 and a floor above 0, got"):
        Blend.from_document(document, behaviours=2)


def test_a_blend_is_read_as_it_was_written():
    blend = Blend((0.0, 2.5), 0.003)
    assert Blend.from_document(asdict(blend), behaviours=2) == blend
