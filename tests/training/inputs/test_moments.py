"""Moments: after every event, the last and the only one too, with what the server would know and what came later."""

from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset, make_sessions, make_visits
from tests.models import SPEC
from tillside.dataset import Whole
from tillside.encoding.live import encode_session
from tillside.encoding.spec import EncodingSpec
from training.inputs.moments import make_moments, moments_of, moments_to_learn, moments_without_items, why_not_asked

ASKED = {"spec": SPEC, "items": 4, "goal": 2}


def test_every_event_is_a_moment_the_last_and_the_only_one_too():
    moments = make_moments(make_sessions([[0, (1, "purchase"), 2], [3], [(2, "cart"), (2, "purchase")]]), **ASKED)
    assert moments.events_M.tolist() == [0, 1, 2, 3, 4, 5]
    assert moments.sessions_M.tolist() == [0, 0, 0, 1, 2, 2]
    assert moments.lengths_M.tolist() == [1, 2, 3, 1, 1, 2]
    assert moments.behaviours_M.tolist() == [0, 2, 0, 0, 1, 2]
    # after a purchase the session has to buy once more
    assert moments.goal_later_M.tolist() == [True, False, False, False, True, False]


def test_an_unknown_item_is_a_moment_at_which_the_rest_is_known_and_its_purchase_counts():
    moments = make_moments(make_sessions([[9, 0, 9, (8, "purchase"), 1], [7], [9, 3]]), **ASKED)
    # before item 0 the server knows nothing, and of the second session never anything
    assert moments.events_M.tolist() == [1, 2, 3, 4, 7]
    assert moments.lengths_M.tolist() == [2, 3, 4, 5, 2]
    assert moments.goal_later_M.tolist() == [True, True, False, False, False]
    batch = moments.batch(np.arange(5))
    assert batch.lengths_B.tolist() == [1, 1, 1, 2, 1]
    assert batch.items_BL.tolist() == [[0, 0], [0, 0], [0, 0], [0, 1], [3, 0]]
    counts_BC, latest_B = batch.counted(3)  # how long a session is, and what was bought, is known whatever the item
    assert counts_BC.tolist() == [[2, 0, 0], [3, 0, 0], [3, 0, 1], [4, 0, 1], [2, 0, 0]]
    assert latest_B.tolist() == [0, 0, 2, 0, 0]


def test_moments_at_which_nothing_is_known_are_of_their_own_kind():
    sessions = make_sessions([[9, 0, 9, (8, "purchase"), 1], [7], [9, 3]])
    none, every = (make_moments(sessions, **ASKED, known=known) for known in (False, None))
    assert none.events_M.tolist() == [0, 5, 6]
    assert none.goal_later_M.tolist() == [True, False, False]
    assert not none.known_M.any()
    counts_BC, latest_B = none.batch(np.arange(3)).counted(3)
    assert (counts_BC.tolist(), latest_B.tolist()) == ([[1, 0, 0]] * 3, [0, 0, 0])
    assert every.events_M.tolist() == list(range(8))
    assert np.flatnonzero(~every.known_M).tolist() == [0, 5, 6]


@pytest.mark.parametrize("history", [0, 3])
def test_what_is_read_is_what_the_server_encodes(history):
    spec = EncodingSpec(max_length=4, history=history)
    rng = np.random.default_rng(0)
    visits = [
        (int(rng.integers(3)), 9, [(int(rng.integers(6)), "click") for _ in range(rng.integers(1, 7))])
        for _ in range(12)
    ]
    sessions = make_visits(visits)
    moments = make_moments(sessions, spec=spec, items=5, goal=2)
    assert len(moments) > 20
    offsets, past = sessions.offsets, {}
    served = {}
    for number, (user, _, _) in enumerate(visits):
        for event in range(offsets[number], offsets[number + 1]):
            events = [*(past.get(user, []) if history else []), *range(offsets[number], event + 1)]
            earlier = len(past.get(user, [])) if history else 0
            columns = (np.asarray(column)[events] for column in (sessions.items, sessions.behaviours, sessions.times))
            served[event] = encode_session(*columns, spec=spec, known_items=5, earlier=earlier)
        past.setdefault(user, []).extend(range(offsets[number], offsets[number + 1]))
    assert moments.events_M.tolist() == [event for event, batch in served.items() if batch.lengths_B[0]]
    for place, event in enumerate(moments.events_M.tolist()):
        own, expected = moments.batch(np.array([place])), served[event]
        for name in ("items_BL", "behaviours_BL", "gaps_BL", "lengths_B", "own_B"):
            np.testing.assert_array_equal(getattr(own, name), getattr(expected, name))
        assert [each.tolist() for each in own.counted(1)] == [each.tolist() for each in expected.counted(1)]


def test_a_limit_takes_whole_sessions_spread_over_the_part():
    moments = make_moments(make_sessions([[0, 1]] * 50), limit=20, **ASKED)
    assert np.unique(moments.sessions_M).tolist() == list(range(0, 50, 5))
    assert len(moments) == 20


def test_nothing_is_asked_of_nothing():
    assert len(make_moments(make_sessions([]), **ASKED)) == 0


def test_the_sessions_as_they_happened_are_taken_where_the_data_set_has_them(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], validation=[[1, 0]], test=[[0, 0]], trained=2)
    assert len(moments_of(dataset, "train", "test", spec=SPEC)) == 6
    whole = Whole(
        make_sessions([[0, 1], [1], [0], [1, 0], [0, 0]]), {"train": (0, 2), "validation": (2, 4), "test": (4, 5)}
    )
    with_all = replace(dataset, stored_whole=whole)
    assert len(moments_of(with_all, "train", spec=SPEC)) == 3
    assert len(moments_of(with_all, "train", "validation", spec=SPEC)) == 6
    assert moments_of(with_all, "validation", spec=SPEC).lengths_M.tolist() == [1, 1, 2]


def test_why_a_log_cannot_be_asked(tmp_path):
    def reason(name, **given):
        return why_not_asked(make_dataset(tmp_path / name, trained=3, **given))

    buys, looks = [0, (1, "purchase")], [0, 1, 2]
    assert reason("a", train=[buys, looks]) == ""
    assert reason("b", train=[looks]) == "no training session holds a purchase"
    assert reason("c", train=[[(0, "purchase"), 1]]) == "no training session holds a purchase after its first event"
    cut = reason("d", train=[buys], validation=[buys], test=[buys], validation_cases="last", test_cases="last")
    assert cut == "the split cuts sessions before they end, so whether a purchase follows cannot be known"


def test_a_session_is_learned_from_as_by_a_model_that_has_not_seen_it(tmp_path):
    """With a support of 2, item 2 is trained by its own session alone, item 1 by two, item 0 by three."""
    rows = [[2, 0, 2], [1, 0], [0, 1], [1, 2]]
    dataset = make_dataset(
        tmp_path / "d", train=[*rows[:3], [1]], validation=rows[3:], trained=3, config={"min_item_support": 2}
    )
    moments = moments_to_learn(dataset, "train", spec=SPEC)
    assert moments.events_M.tolist() == [1, 2, 3, 4, 5, 6, 7]  # before item 0, the first session holds nothing known
    assert moments.lengths_M.tolist() == [2, 3, 1, 2, 1, 2, 1]
    assert moments.batch(np.array([1])).items_BL.tolist() == [[0]]
    # validation was not counted: there item 2 is known by the training part
    later = moments_to_learn(dataset, "validation", spec=SPEC)
    assert later.events_M.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert later.batch(np.array([8])).items_BL.tolist() == [[1, 2]]


def test_what_counts_as_unknown_there_is_still_counted_item_by_item(tmp_path):
    """Items 0 and 1 are known by the first session alone; its second look at 1 is a repeat, the one at 0 is none."""
    rows = [[2, 0, 1, 1], [2], [2]]
    spec = replace(SPEC, collapse_repeats=True)
    dataset = make_dataset(tmp_path / "d", train=rows, trained=3, config={"min_item_support": 2})
    moments = moments_to_learn(dataset, "train", spec=spec)
    counts_BC, _ = moments.batch(np.arange(4)).counted(3)
    assert counts_BC[:, 0].tolist() == [1, 2, 3, 3]


def test_what_would_be_unknown_without_the_session_is_learned_from_where_nothing_is_known(tmp_path):
    """With a support of 2, items 2 and 3 are trained by one session each; 3 would still be ranked by what it has in
    common with 0, 2 by nothing. Item 4 is too rare for a vector."""
    rows = [[2, (2, "purchase"), 0], [3, 3], [0, 1, 4], [4, (4, "purchase"), 1, 0], [1, 1, 0]]
    tokens = [["brand=a"], [], ["brand=b"], ["brand=a"]]
    dataset = make_dataset(
        tmp_path / "d", train=rows, trained=4, newcomers=1, tokens=tokens, config={"min_item_support": 2}
    )
    moments = moments_without_items(dataset, spec=SPEC)
    assert moments.events_M.tolist() == [0, 1, 8, 9]
    assert moments.goal_later_M.tolist() == [True, False, True, False]
