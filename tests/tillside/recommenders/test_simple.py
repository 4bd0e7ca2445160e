"""Recommenders without training, by hand."""

import numpy as np
import pytest

from tests.datasets import make_sessions
from tillside.encoding.live import encode_session
from tillside.encoding.sessions import cut_before, encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import (
    CoVisitation,
    ItemKnn,
    Popularity,
    SequentialRules,
    SessionPopularity,
    popular_events,
    popularity,
    recent_events,
)
from tillside.recommenders.simple import FILL, HALF_LIFE


def batch_of(*items: int, known: int = 4):
    clicks, times = np.zeros(len(items), int), np.arange(len(items))
    return encode_session(np.array(items, int), clicks, times, spec=EncodingSpec(), known_items=known)


def test_popularity_counts_the_behaviour_asked_for_and_breaks_ties_by_all_events():
    # totals 4, 5, 5; the tie-break is total / (5 + 1)
    counts_NB = np.array([[4, 0, 0], [2, 2, 1], [4, 1, 0]])
    expected = [[4 + 4 / 6, 2 + 5 / 6, 4 + 5 / 6], [4 / 6, 2 + 5 / 6, 1 + 5 / 6], [4 / 6, 1 + 5 / 6, 5 / 6]]
    np.testing.assert_allclose(popularity(counts_NB), expected, rtol=1e-6)


def test_popularity_of_a_shop_without_events():
    assert popularity(np.zeros((2, 3), int)).tolist() == [[0, 0]] * 3
    assert popularity(np.zeros((0, 3), int)).shape == (3, 0)


def test_older_events_count_less():
    half_life = int(HALF_LIFE * 1000)  # the events span 1,000 ms
    sessions = make_sessions(
        [
            [(0, "click", 0), (1, "click", 1000 - half_life)],
            [(2, "purchase", 1000 - 2 * half_life), (1, "click", 1000)],
        ]
    )
    recent_NB = recent_events(sessions, items=4, behaviours=3)
    first = 0.5 ** (1 / HALF_LIFE)  # the very first event: nearly forgotten
    expected = [[first, 0, 0], [1 + 1 / 2, 0, 0], [0, 0, 1 / 4], [0, 0, 0]]
    assert recent_NB == pytest.approx(np.array(expected), abs=1e-7)
    assert recent_NB.dtype == np.float32


@pytest.mark.parametrize("rows", [[], [[(0, "click", 5), (1, "click", 5)]]])
def test_without_time_passing_nothing_is_recent(rows):
    assert recent_events(make_sessions(rows), items=2, behaviours=3) is None


def test_without_a_clock_nothing_is_recent():
    assert recent_events(make_sessions([[0, 1]], clock=False), items=2, behaviours=3) is None


def test_popularity_without_a_clock_counts_all_events_alike():
    sessions = make_sessions([[0, (1, "purchase")], [1, 1]], clock=False)
    assert popular_events(sessions, items=3, behaviours=3).tolist() == [[1, 0, 0], [2, 0, 1], [0, 0, 0]]


def test_popularity_answers_each_row_for_its_own_behaviour_whatever_the_session():
    scores = np.array([[1, 2], [3, 4]], np.float32)
    assert Popularity(scores).score(batch_of(), np.array([1, 0, 1])).tolist() == [[3, 4], [1, 2], [3, 4]]


def fit(rows, *, window: int = 10, items: int = 4) -> np.ndarray:
    """Pair counts [items, items]."""
    model = CoVisitation.fit(make_sessions(rows), items=items, window=window)
    pairs_NN = np.zeros((items, items))
    for item in range(items):
        near = slice(model.pairs.offsets[item], model.pairs.offsets[item + 1])
        pairs_NN[item, model.pairs.neighbours[near]] += model.pairs.weights[near]
    return pairs_NN


def test_pairs_of_a_session_are_counted_both_ways_and_never_across_sessions():
    # session 1 pairs: 0-1, 1-2, 0-2; session 2: 1-2
    assert fit([[0, 1, 2], [2, 1]]).tolist() == [[0, 1, 1, 0], [1, 0, 2, 0], [1, 2, 0, 0], [0, 0, 0, 0]]


def test_pairs_further_apart_than_the_window_are_not_counted():
    assert fit([[0, 1, 2]], window=1).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_an_item_is_never_its_own_neighbour_and_unknown_items_are_left_out():
    assert fit([[0, 0, 7, -1, 1]]).tolist() == [[0, 2, 0, 0], [2, 0, 0, 0], [0] * 4, [0] * 4]


def test_scores_are_the_last_items_neighbours_and_then_popularity():
    model = CoVisitation.fit(make_sessions([[0, 1, 2], [2, 1], [3]]), items=4)
    # events 1, 2, 2, 1: the tie-break is events / (2 + 1)
    tie_break = np.array([1, 2, 2, 1]) / 3
    np.testing.assert_allclose(
        model.score(batch_of(0, 1), np.array([0]))[0], tie_break + np.array([1, 0, 2, 0]), rtol=1e-6
    )
    np.testing.assert_allclose(model.score(batch_of(), np.array([0]))[0], tie_break, rtol=1e-6)
    assert model.score(batch_of(1), np.array([2])).tolist() == model.score(batch_of(1), np.array([0])).tolist()


@pytest.mark.parametrize("rows", [[], [[0]], [[0, 0]], [[9, 9]]])
def test_a_log_without_pairs_gives_popularity(rows):
    model = CoVisitation.fit(make_sessions(rows), items=4)
    assert model.score(batch_of(0), np.array([0])).shape == (1, 4)
    assert fit(rows).sum() == 0


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_a_plain_double_loop(seed):
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 6, rng.integers(1, 9)).tolist() for _ in range(30)]
    expected = np.zeros((6, 6))
    for row in rows:
        for place, left in enumerate(row):
            for right in row[place + 1 : place + 4]:
                if left != right:
                    expected[left, right] += 1
                    expected[right, left] += 1
    np.testing.assert_array_equal(fit(rows, window=3, items=6), expected)


def test_session_popularity_counts_then_takes_the_latest_and_fills_up_with_popularity():
    by_behaviour = np.array([[4, 1, 3, 0], [0, 0, 0, 9]], np.float32)
    model = SessionPopularity(by_behaviour)
    # 1 twice, last at place 2 of 3; 2 once, at place 3; a fraction is place / (length + 1).
    # 0 and 3: popularity / (4 + 1).
    np.testing.assert_allclose(
        model.score(batch_of(1, 1, 2), np.array([0]))[0], [4 / 5, 2 + 2 / 4, 1 + 3 / 4, 0], rtol=1e-6
    )
    np.testing.assert_allclose(model.score(batch_of(), np.array([1]))[0], [0, 0, 0, 9 / 10], rtol=1e-6)
    assert by_behaviour.tolist() == [[4, 1, 3, 0], [0, 0, 0, 9]]


def test_session_popularity_answers_each_row_by_its_own_items():
    spec, rows = EncodingSpec(), make_sessions([[0, 1], [2, 2, 0]])
    encoded = encode_sessions(rows.items, rows.behaviours, rows.times, rows.offsets, spec=spec, known_items=4)
    batch = cut_before(encoded, np.array([1, 4]), spec=spec)  # after 0; after 2 2
    scores = SessionPopularity(np.array([[1, 0, 0, 3]], np.float32)).score(batch, np.array([0, 0]))
    # popularity / (3 + 1); width 2: places count 1 / 3 and 2 / 3
    np.testing.assert_allclose(scores, [[1 + 1 / 3, 0, 0, 3 / 4], [1 / 4, 0, 2 + 2 / 3, 3 / 4]], rtol=1e-6)


def test_sequential_rules_lead_from_the_last_item_to_later_ones_by_distance():
    model = SequentialRules.fit(make_sessions([[0, 1, 2], [1, 2, 1]]), items=4)
    # After 1: 2 at distance 1 twice, 1 at distance 2; never 0. Events 1, 3, 2, 0 over 3 + 1 fill up.
    fill = FILL * np.array([1, 3, 2, 0]) / 4
    np.testing.assert_allclose(
        model.score(batch_of(0, 1), np.array([0]))[0], fill + np.array([0, 1 / 2, 2, 0]), rtol=1e-6
    )
    np.testing.assert_allclose(model.score(batch_of(3), np.array([0]))[0], fill, rtol=1e-6)
    np.testing.assert_allclose(model.score(batch_of(), np.array([0]))[0], fill, rtol=1e-6)


def test_sequential_rules_end_after_their_steps():
    model = SequentialRules.fit(make_sessions([[0, 1, 2]]), items=3, steps=1)
    assert model.score(batch_of(0, known=3), np.array([0]))[0].round(2).tolist() == [0, 1, 0]


def test_item_knn_is_the_cosine_of_sessions_with_the_earlier_items_halved():
    rows = [[0, 1, 1], [0, 1, 2], [0], [2, 3]]
    model = ItemKnn.fit(make_sessions(rows), items=4, damping=0)
    # Sessions with 0, 1, 2, 3: 3, 2, 2, 1. Together: 0-1 2, 0-2 1, 1-2 1, 2-3 1.
    to_1 = np.array([2 / np.sqrt(3 * 2), 0, 1 / np.sqrt(2 * 2), 0])
    to_2 = np.array([1 / np.sqrt(3 * 2), 1 / np.sqrt(2 * 2), 0, 1 / np.sqrt(2 * 1)])
    score = model.score(batch_of(1, 2), np.array([0]))[0]
    np.testing.assert_allclose(score, to_2 + to_1 / 2, atol=1e-6)
    damped = ItemKnn.fit(make_sessions(rows), items=4, damping=20).score(batch_of(3), np.array([0]))[0]
    np.testing.assert_allclose(damped, [0, 0, 1 / np.sqrt(22 * 21), 0], atol=1e-6)


def test_item_knn_keeps_the_nearest_and_fills_up_with_popularity():
    model = ItemKnn.fit(make_sessions([[0, 1], [0, 1], [0, 2], [2, 2, 2]]), items=4, neighbours=1)
    score = model.score(batch_of(0), np.array([0]))[0]
    # 1 shares two sessions with 0, 2 but one; 2 has five events, 0 three.
    assert np.argsort(-score).tolist() == [1, 2, 0, 3]
    assert score[2] < 1e-7


@pytest.mark.parametrize("fit_model", [CoVisitation.fit, SequentialRules.fit, ItemKnn.fit])
@pytest.mark.parametrize("rows", [[], [[0]], [[9, 9]]])
def test_logs_without_pairs_and_sessions_without_items_are_answered(fit_model, rows):
    model = fit_model(make_sessions(rows), items=4)
    assert np.isfinite(model.score(batch_of(), np.array([0]))).all()
    assert model.score(batch_of(0, 3), np.array([0])).shape == (1, 4)
