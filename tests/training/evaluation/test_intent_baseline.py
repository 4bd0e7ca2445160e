"""Hand-made session features by hand, and that boosting on them learns what the features show."""

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_dataset, make_sessions, random_rows
from tests.models import SPEC
from tillside.dataset import Dataset
from tillside.ranking import area_under_roc
from training.evaluation.intent_baseline import boosted_intent, session_features
from training.inputs.moments import moments_of


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


def test_what_is_learned_from_does_not_tell_by_the_counts_whether_it_buys():
    """Five sessions, one to a fold: item 0 is bought once, by the first, which sees none of it; the others see it once,
    and each sees five events of it, scaled by 5/4."""
    rows = [[0, (0, "purchase")], [0], [0], [0], [(0, "cart"), 1, 1]]
    sessions = make_sessions(rows)
    catalogue = make_catalogue(sessions, trained=4)
    usual = 1 / catalogue.counts_NB.sum() * 50
    found_EF = session_features(sessions, catalogue, behaviours=3, counted=5)
    met = found_EF[:, 29]
    assert np.expm1(met[[0, 1, 2]]) == pytest.approx([4 * 5 / 4, 4 * 5 / 4, 5 * 5 / 4])
    bought = found_EF[:, 33]
    assert bought[[0, 2]] == pytest.approx([usual / 55, (1.25 + usual) / (6.25 + 50)])
    served_EF = session_features(sessions, catalogue, behaviours=3)
    assert np.expm1(served_EF[0, 29]) == pytest.approx(6)


def test_without_a_clock_or_events_nothing_fails():
    assert np.isnan(features([[0, 1]], clock=False)[:, 19:25]).all()
    assert len(features([])) == 0


BUYS = [[0, (1, "cart"), 2, (1, "purchase")], [0, 1, 2, 3]]


def log(tmp_path, rows, **given) -> Dataset:
    half = len(rows) // 2
    return make_dataset(tmp_path / "d", train=rows[:half], test=rows[half:], trained=4, **given)


def boosted(dataset: Dataset, *, refitted: bool = False):
    moments = moments_of(dataset, "test", spec=SPEC)
    return boosted_intent(dataset, moments, refitted=refitted, seed=0), moments


def test_boosting_learns_what_the_features_show(tmp_path):
    """Who carts the second thing buys in the end, always; who does not never does; nobody buys after the end."""
    boosted_M, moments = boosted(log(tmp_path, [BUYS[n % 2] for n in range(800)]))
    assert len(boosted_M) == len(moments) == 1600
    late_M = moments.lengths_M >= 2
    assert area_under_roc(boosted_M[late_M], moments.goal_later_M[late_M]) == 1
    assert np.ptp(boosted_M[~late_M]) < 1e-9  # after the first click all look alike
    assert boosted_M[moments.lengths_M == 4].max() < 0.05


def test_a_log_without_a_clock_and_prices_can_be_learned_from(tmp_path):
    dataset = log(tmp_path, [BUYS[n % 2] for n in range(200)], clock=False)
    dataset.catalogue.prices_N[:] = np.nan
    boosted_M, moments = boosted(dataset)
    late_M = moments.lengths_M >= 2
    assert area_under_roc(boosted_M[late_M], moments.goal_later_M[late_M]) == 1


def test_nothing_is_learned_from_one_kind_of_session(tmp_path):
    assert boosted(log(tmp_path, [[0, 1, 2]] * 8))[0] is None


def test_it_learns_from_the_validation_part_where_the_model_beside_it_has(tmp_path):
    """In the training part nobody buys, in the validation part everybody does."""
    given = {"train": [[0, 1]] * 100, "validation": [[0, (1, "purchase")]] * 100, "test": [[0, 1]] * 4, "trained": 2}
    dataset = make_dataset(tmp_path / "d", **given)
    assert boosted(dataset)[0] is None
    boosted_M, moments = boosted(dataset, refitted=True)
    assert boosted_M[moments.lengths_M == 1] == pytest.approx([0.5] * 4, abs=0.02)
