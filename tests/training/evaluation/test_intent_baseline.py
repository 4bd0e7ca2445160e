"""Hand-made session features by hand, and that boosting on them learns what the features show."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_dataset, make_sessions, random_rows
from tests.models import SPEC
from tillside.dataset import Dataset
from tillside.ranking import area_under_roc
from training.evaluation.intent_baseline import boosted_intent, session_features
from training.inputs.cases import make_cases


def features(rows, *, clock: bool = True, items: int = 4):
    sessions = make_sessions(rows, clock=clock)
    return session_features(sessions, make_catalogue(sessions, trained=items), behaviours=3)


def test_features_by_hand():
    second = 1000
    rows = [[(0, "click", 0), (1, "click", 2 * second), (1, "cart", 5 * second), (0, "click", 6 * second)], [3]]
    found_EF = features(rows)
    length, clicks, carts, purchases = found_EF[:, :4].T
    assert length.tolist() == [1, 2, 3, 4, 1]
    assert clicks.tolist() == [1, 2, 2, 3, 1]
    assert carts.tolist() == [0, 0, 1, 1, 0]
    assert purchases.tolist() == [0] * 5
    assert found_EF[3, 4:7].tolist() == [3 / 4, 1 / 4, 0]  # shares
    assert found_EF[3, 7:10].tolist() == [2, 1, 0]  # distinct items clicked, carted, bought
    np.testing.assert_array_equal(found_EF[3, 10:13], [0, 1, np.nan])  # events since the last click, cart, purchase
    assert found_EF[3, 13:16].tolist() == [2, 2, True]  # distinct items, repeats, the last item was seen before
    assert found_EF[3, 16:19].tolist() == [0, 1, 0]  # behaviours, last first
    assert found_EF[3, 19:23].tolist() == [1 * second, 3 * second, 6 * second, 1.5 * second]  # gaps, elapsed, pace
    # prices 1, 3 2/3, 6 1/3, 9: the last item's, the mean of 1, 3 2/3, 3 2/3, 1, their ratio, the highest
    assert found_EF[3, 25:29] == pytest.approx([1, 7 / 3, 3 / 7, 11 / 3])


def test_a_prefix_has_the_same_features_whatever_follows_and_whoever_else_is_there():
    rows = random_rows(20, items=4, seed=5)
    sessions = make_sessions(rows)
    catalogue = make_catalogue(sessions, trained=4)
    whole_EF = session_features(sessions, catalogue, behaviours=3)
    offset = 0
    for row in rows:
        for length in range(1, len(row) + 1):
            alone_EF = session_features(make_sessions([row[:length]]), catalogue, behaviours=3)
            np.testing.assert_allclose(alone_EF[-1], whole_EF[offset + length - 1])
        offset += len(row)


def test_without_a_clock_or_events_nothing_fails():
    assert np.isnan(features([[0, 1]], clock=False)[:, 19:25]).all()
    assert len(features([])) == 0


def log(tmp_path, rows) -> Dataset:
    half = len(rows) // 2
    return make_dataset(tmp_path / "d", train=rows[:half], test=rows[half:], trained=4)


def test_boosting_learns_what_the_features_show(tmp_path):
    """Who carts the second thing buys in the end, always; who does not never does."""
    buys = [[0, (1, "cart"), 2, (1, "purchase")], [0, 1, 2, 3]]
    dataset = log(tmp_path, [buys[n % 2] for n in range(800)])
    cases = make_cases(dataset.part("test"), rule="every", spec=SPEC, items=4, goal=2)
    boosted_C = boosted_intent(dataset, cases, seed=0)
    assert len(boosted_C) == len(cases) == 1200
    late_C = cases.prefix_lengths_C >= 2
    assert area_under_roc(boosted_C[late_C], cases.goal_later_C[late_C]) == 1
    assert np.ptp(boosted_C[~late_C]) < 1e-9  # after the first click all look alike


def test_a_log_without_a_clock_and_prices_can_be_learned_from(tmp_path):
    buys = [[0, (1, "cart"), 2, (1, "purchase")], [0, 1, 2, 3]]
    rows = [buys[n % 2] for n in range(200)]
    dataset = make_dataset(tmp_path / "d", train=rows[:100], test=rows[100:], trained=4, clock=False)
    dataset.catalogue.prices_N[:] = np.nan
    cases = make_cases(dataset.part("test"), rule="every", spec=SPEC, items=4, goal=2)
    boosted_C = boosted_intent(dataset, cases, seed=0)
    late_C = cases.prefix_lengths_C >= 2
    assert area_under_roc(boosted_C[late_C], cases.goal_later_C[late_C]) == 1


def test_nothing_is_learned_from_one_kind_of_session(tmp_path):
    dataset = log(tmp_path, [[0, 1, 2]] * 8)
    assert (
        boosted_intent(dataset, make_cases(dataset.part("test"), rule="every", spec=SPEC, items=4, goal=2), seed=0)
        is None
    )
