"""The blend by hand, and that a few hundred items blended in the server give what blending the catalogue would."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.datasets import make_catalogue, make_sessions
from tillside.ranking import top_k
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import MOST_ALIKE, Blend, SessionMemory, best_items, blended_top

CLICK, PURCHASE = 0, 1
BLEND = Blend((0.5, 0.0), 0.1, ((0.0,), (-1.0, 2.0, 0.25)))
DOCUMENT = {"neighbourhood": asdict(Neighbourhood(age_decay=0.0)), "blend": asdict(BLEND)}


def memory_of(*rows: list[int], blend: Blend = BLEND) -> SessionMemory:
    return SessionMemory.fit(make_sessions(rows), items=6, document=DOCUMENT | {"blend": asdict(blend)}, behaviours=2)


def bonuses(memory: SessionMemory, session: list[int], ask: int) -> dict[int, float]:
    """What each candidate gets, in the candidates' order."""
    items_C, bonus_C = memory.bonus(np.array(session), ask)
    assert (items_C.dtype, bonus_C.dtype) == (np.int64, np.float32)
    assert items_C.tolist() == sorted(set(items_C.tolist()))
    return dict(zip(items_C.tolist(), bonus_C.tolist(), strict=True))


def test_the_neighbours_share_by_hand():
    # one past session holds 3, and 3 and 1 have half of its votes: log(1 + 0.5 / 0.1) / 2
    found = bonuses(memory_of([3, 1], [2, 0]), [3], CLICK)
    assert found == pytest.approx({1: np.log(6) / 2, 3: np.log(6) / 2}, rel=1e-6)


def remembering(*rows: list[int], alike: tuple[float, float], cold: int = 3) -> SessionMemory:
    """Items 0 to 2 are trained and then come the cold ones; the cold ones are what 1 is."""
    blend = Blend((0.5, 0.0), 0.1, ((0.0,), (-1.0, 2.0)), alike)
    sessions, tokens = make_sessions(rows), [["kind=x"], ["kind=y"], ["kind=z"], *[["kind=y"]] * cold]
    catalogue = make_catalogue(sessions, trained=3, newcomers=cold, tokens=tokens)
    document = DOCUMENT | {"blend": asdict(blend)}
    return SessionMemory.fit(sessions, items=3 + cold, document=document, behaviours=2, catalogue=catalogue)


def test_the_votes_of_past_sessions_and_of_likeness_add_up():
    memory = remembering([0, 1], [0, 4], alike=(0.2, 0.8))  # of the cold items 4 has a past
    found = bonuses(memory, [0, 1], CLICK)
    assert memory.new_R.tolist() == [False, False, False, True, False, True]
    # of all walks those from 1, which was last, end at one of the four of its kind, those from 0 at 0
    last = 1 / (1 + np.exp(-1 / 1.5))
    assert found[3] == found[5] == pytest.approx(np.log1p(0.8 * last / 4 / 0.1) / 2, rel=1e-6)
    past = dict(zip(*(each.tolist() for each in memory.neighbours.evidence(np.array([0, 1]))), strict=True))
    for item, share in ((0, 1 - last), (1, last / 4), (4, last / 4)):
        assert found[item] == pytest.approx(np.log1p((past[item] + 0.2 * share) / 0.1) / 2, rel=1e-6)
    newcomers = memory.likeness.newcomers(np.array([8, 9]), [["kind=z"], ["kind=y"]])
    assert memory.bonus_of(newcomers, np.array([0, 1]), CLICK).tolist() == pytest.approx([0, found[3]])


def test_without_weight_or_factors_likeness_says_nothing():
    assert bonuses(remembering([0, 1], alike=(0.2, 0.2)), [1], PURCHASE) == {1: -1.0}
    assert set(bonuses(remembering([0, 1], alike=(0.0, 0.0)), [1], CLICK)) == {0, 1}
    assert set(bonuses(remembering([0, 1], alike=(0.0, 0.2)), [1], CLICK)) == {0, 1, 3, 4, 5}
    assert set(bonuses(remembering([0, 1], [3, 4, 5], alike=(0.0, 0.2)), [1], CLICK)) == {0, 1}  # none is new


def test_only_the_items_for_which_likeness_says_most_get_its_votes():
    memory = remembering([0, 1], alike=(0.2, 0.1), cold=MOST_ALIKE + 40)
    found = bonuses(memory, [1], CLICK)
    assert found[1] > found[0] > 0
    assert sum(item > 2 for item in found) == MOST_ALIKE - 1  # and 1, whose votes count twice as much


def test_a_weight_of_0_still_gives_the_repeats():
    # 3 was the latest, 0 the one before it; what the neighbours name is not even asked for
    found = bonuses(memory_of([3, 1], [2, 0]), [0, 3], PURCHASE)
    assert found == {0: 2.0, 3: -1.0}


def test_an_item_seen_twice_counts_from_where_it_was_seen_last():
    # from the end: 5 is 0 events back, 2 is 1 (and not 3), 4 is 2
    assert bonuses(memory_of(), [2, 4, 2, 5], PURCHASE) == {2: 2.0, 4: 0.25, 5: -1.0}
    # the latest item stood before as well: 2 is 0 back, 4 is 1
    assert bonuses(memory_of(), [2, 4, 2], PURCHASE) == {2: -1.0, 4: 2.0}


def test_an_item_seen_before_the_row_of_repeats_gets_its_last_number():
    # 5, 4, 3, 2 are 0 to 3 events back, and the row has three numbers; 1 and 0 are older still
    expected = {5: -1.0, 4: 2.0, 3: 0.25, 2: 0.25, 1: 0.25, 0: 0.25}
    assert bonuses(memory_of(), [0, 1, 2, 3, 4, 5], PURCHASE) == expected


def test_evidence_and_repeats_add_up_and_each_behaviour_has_its_own():
    blend = Blend((0.5, 1.0), 0.1, ((-2.0, 3.0), (0.0, 1.0)))
    memory = memory_of([3, 1], [2, 0], blend=blend)
    # 4 was in no past session, so 3 and 1 have half of the votes each: log(6); 3 was last, 4 the one before
    logged = np.log(6)
    assert bonuses(memory, [4, 3], CLICK) == pytest.approx({1: logged / 2, 3: logged / 2 - 2, 4: 3.0}, rel=1e-6)
    assert bonuses(memory, [4, 3], PURCHASE) == pytest.approx({1: logged, 3: logged, 4: 1.0}, rel=1e-6)


def test_what_earlier_sessions_hold_is_pulled_by_how_often_and_not_what_the_session_holds():
    memory = memory_of(blend=replace(BLEND, earlier=(2.0, 0.0)))
    items_C, bonus_C = memory.bonus(np.array([4, 2]), CLICK, np.array([1, 2, 1, 5]))
    # 1 was met twice, 5 once, and 2 is in the session
    assert items_C.tolist() == [1, 2, 4, 5]
    assert bonus_C.tolist() == pytest.approx([2 * np.log(3), 0, 0, 2 * np.log(2)])
    assert memory.bonus(np.array([4, 2]), PURCHASE, np.array([1, 5]))[0].tolist() == [2, 4]
    # a session that holds nothing yet
    items_C, bonus_C = memory.bonus(np.zeros(0, np.int64), CLICK, np.array([3]))
    assert (items_C.tolist(), bonus_C.tolist()) == ([3], pytest.approx([2 * np.log(2)]))


def test_as_many_more_items_are_searched_as_earlier_sessions_may_sink():
    items_ND, wanted = np.array([[9], [8], [7], [6]], np.float32), []

    def search(count: int) -> tuple[np.ndarray, np.ndarray]:
        wanted.append(count)
        return items_ND[:count, 0], np.arange(count)

    given = {"session_L": np.array([3]), "ask": CLICK, "query_D": np.ones(1, np.float32), "items_ND": items_ND, "k": 1}
    for pull, best in ((-9.0, 2), (9.0, 1)):
        memory = SessionMemory.fit(
            make_sessions([]),
            items=4,
            document=DOCUMENT | {"blend": asdict(replace(BLEND, earlier=(pull, 0.0)))},
            behaviours=2,
        )
        assert best_items(search, memory, past_H=np.array([0, 1]), **given)[1].tolist() == [0 if pull > 0 else best]
    assert wanted == [4, 2]


def test_all_items_of_the_session_are_candidates_even_without_neighbours():
    assert bonuses(memory_of(), [4, 2], CLICK) == {2: 0.0, 4: 0.0}


def test_a_candidate_from_outside_comes_in_and_one_inside_moves_up():
    # the model: 9, 8, 7, 0 for items 0 to 3, and its best two are 0 and 1
    items_ND, query_D = np.array([[9], [8], [7], [0]], np.float32), np.ones(1, np.float32)
    best = np.array([9, 8], np.float32), np.array([0, 1])
    given = {"query_D": query_D, "items_ND": items_ND, "items_C": np.array([1, 2, 3]), "k": 2}
    scores_K, items_K = blended_top(*best, bonus_C=np.array([0.5, 2.5, 1], np.float32), **given)
    assert (items_K.tolist(), scores_K.tolist()) == ([2, 0], [9.5, 9])
    # 1 has 10; 0, 2 and 3 are level with 9, and 0 is first
    scores_K, items_K = blended_top(*best, bonus_C=np.array([2, 2, 9], np.float32), **given)
    assert (items_K.tolist(), scores_K.tolist()) == ([1, 0], [10, 9])


def test_an_item_that_loses_makes_way_for_the_next_of_a_longer_list():
    # 0 falls to 4, below 1 and 2; the model's best two alone would not have known 2
    items_ND, query_D = np.array([[9], [8], [7], [0]], np.float32), np.ones(1, np.float32)
    best = np.array([9, 8, 7], np.float32), np.array([0, 1, 2])
    losing = {"items_C": np.array([0]), "bonus_C": np.array([-5], np.float32)}
    scores_K, items_K = blended_top(*best, query_D=query_D, items_ND=items_ND, k=2, **losing)
    assert (items_K.tolist(), scores_K.tolist()) == ([1, 2], [8, 7])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_best_of_the_few_are_the_best_of_the_whole_catalogue(data):
    """Small whole numbers and quarters, so that every sum is exact and ties are many."""
    items = data.draw(st.integers(1, 30))
    k = data.draw(st.integers(1, items))
    number = st.integers(-3, 3)
    items_ND = np.array(data.draw(st.lists(st.tuples(number, number), min_size=items, max_size=items)), np.float32)
    query_D = np.array(data.draw(st.tuples(number, number)), np.float32)
    # items of the session may lose, other candidates only gain
    losing = data.draw(st.sets(st.integers(0, items - 1), min_size=1, max_size=6))
    gaining = data.draw(st.sets(st.integers(0, items - 1))) - losing
    quarters = {item: data.draw(st.integers(-16, 16)) for item in sorted(losing)}
    quarters |= {item: data.draw(st.integers(0, 16)) for item in sorted(gaining)}
    items_C = np.array(sorted(quarters), np.int64)
    bonus_C = np.array([quarters[item] for item in sorted(quarters)], np.float32) / 4
    scores_N = items_ND @ query_D
    model_K = top_k(scores_N[None], k + len(losing))[0]
    scores_K, items_K = blended_top(
        scores_N[model_K], model_K, query_D=query_D, items_ND=items_ND, items_C=items_C, bonus_C=bonus_C, k=k
    )
    blended_N = scores_N.copy()
    blended_N[items_C] += bonus_C
    expected_K = top_k(blended_N[None], k)[0]
    assert items_K.tolist() == expected_K.tolist()
    assert scores_K.tolist() == blended_N[expected_K].tolist()


@settings(max_examples=100, deadline=None)
@given(
    session=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    past=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), max_size=5),
    repeats=st.lists(st.integers(-12, 12), min_size=1, max_size=5),
    scores=st.lists(st.integers(-6, 6), min_size=6, max_size=6),
    k=st.integers(1, 6),
)
def test_a_session_answered_from_few_items_is_answered_as_from_all(session, past, repeats, scores, k):
    """As server and evaluator do it: the model's best k and as many more as the session has events."""
    blend = Blend((0.5, 0.0), 0.1, (tuple(bonus / 4 for bonus in repeats),) * 2)
    items_C, bonus_C = memory_of(*past, blend=blend).bonus(np.array(session), CLICK)
    scores_N = np.array(scores, np.float32)
    model_K = top_k(scores_N[None], k + len(session))[0]
    vectors = {"query_D": np.ones(1, np.float32), "items_ND": scores_N[:, None]}
    scores_K, items_K = blended_top(
        scores_N[model_K], model_K, items_C=items_C, bonus_C=bonus_C, k=min(k, len(scores_N)), **vectors
    )
    blended_N = scores_N.copy()
    blended_N[items_C] += bonus_C
    expected_K = top_k(blended_N[None], k)[0]
    assert items_K.tolist() == expected_K.tolist()
    assert scores_K.tolist() == blended_N[expected_K].tolist()


def test_a_memory_is_fitted_and_loaded_as_its_document_says(tmp_path):
    fitted = memory_of([3, 1], [2, 0])
    assert fitted.blend == BLEND
    assert fitted.document() == DOCUMENT
    fitted.neighbours.save(tmp_path)
    loaded = SessionMemory.load(tmp_path, fitted.document(), items=6, behaviours=2)
    assert loaded.document() == fitted.document()
    for ask in (CLICK, PURCHASE):
        assert bonuses(loaded, [0, 3], ask) == bonuses(fitted, [0, 3], ask)
    assert isinstance(loaded.neighbours, SessionNeighbours)


SOUND = {"weights": [1, 1], "floor": 0.1, "repeats": [[0, -1], [2]]}


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in SOUND.items() if name != key}


@pytest.mark.parametrize(
    "document",
    [
        {},
        None,
        [],
        *map(without, SOUND),
        *(
            SOUND | {"weights": bad}
            for bad in (
                [1],
                [1, 1, 1],
                1,
                [1, -0.1],
                [1, float("nan")],
                [1, float("inf")],
                [1, 1e6],
                [1, "much"],
                [1, None],
                [1, 10**400],
            )
        ),
        *(SOUND | {"alike": [1, bad]} for bad in (-0.1, float("nan"), float("inf"), 1e6, "much", None)),
        *(SOUND | {"alike": bad} for bad in ([], [1], [1, 1, 1], 1, None)),
        *(SOUND | {"earlier": bad} for bad in ([1], [1, 1, 1], 1, None, [1, None], [1, float("nan")], [-1e6, 0])),
        *(SOUND | {"floor": bad} for bad in (0, -1, float("nan"), float("inf"), 1e6, "low", None)),
        *(
            SOUND | {"repeats": bad}
            for bad in (
                [],
                [[0]],
                [[0]] * 3,
                [[0], []],
                [0, 0],
                0,
                None,
                [[0], None],
                [[0], [None]],
                [[0], ["again"]],
                [[0], [float("nan")]],
                [[0], [float("inf")]],
                [[0], [0, -float("inf")]],
                [[0], [1e6]],
                [[0], [-1e6]],
                [[0], [10**400]],
                [[0], [[0]]],
            )
        ),
    ],
    ids=str,
)
def test_a_blend_that_is_none_is_refused(document):
    sentence = (
        "^blend must give 2 weights of at least 0, a floor above 0, 2 rows of repeats and 2 factors of alike of at "
        "least 0"
    )
    with pytest.raises(ValueError, match=sentence):
        Blend.from_document(document, behaviours=2)


def test_a_blend_is_read_as_it_was_written():
    blend = Blend((0.0, 2.5), 0.003, ((-8.0,), (0.5, 0.0)))
    assert Blend.from_document(asdict(blend), behaviours=2) == blend
    shown = replace(blend, alike=(0.3, 2.0))
    assert Blend.from_document(asdict(shown), behaviours=2) == shown
    returning = replace(blend, earlier=(0.5, -1.0))
    assert Blend.from_document(asdict(returning), behaviours=2) == returning
    assert Blend.from_document(SOUND, behaviours=2) == Blend((1.0, 1.0), 0.1, ((0.0, -1.0), (2.0,)))
