"""Ranks and metrics by hand, then their properties, then against plain references."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillside.ranking import (
    MISSED,
    area_under_roc,
    bootstrap_means,
    calibration_error,
    case_metrics,
    mrr_at,
    ndcg_at,
    ranks_of_targets,
    recall_at,
    reliability,
    top_k,
)

SCORES = st.lists(st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=12)


def row(*scores: float) -> np.ndarray:
    return np.array([scores], np.float32)


def test_the_best_item_has_rank_1():
    scores_BV = np.array([[3, 1, 2], [3, 1, 2], [3, 1, 2]], np.float32)
    assert ranks_of_targets(scores_BV, np.array([0, 1, 2])).tolist() == [1, 3, 2]


def test_ties_count_against_the_target():
    # 5 is above, two others are level: they all stand before the target, 1 + 1 + 2 = 4
    assert ranks_of_targets(row(2, 5, 2, 2, 1), np.array([0])).tolist() == [4]
    assert ranks_of_targets(row(0, 0, 0), np.array([1])).tolist() == [3]


def test_a_target_outside_the_catalogue_is_missed_and_counts_as_a_miss():
    ranks_B = ranks_of_targets(np.zeros((3, 4)), np.array([4, -1, 10**9]))
    assert ranks_B.tolist() == [MISSED] * 3
    assert recall_at(ranks_B, 20).tolist() == mrr_at(ranks_B, 20).tolist() == ndcg_at(ranks_B, 20).tolist() == [0] * 3


def test_a_model_that_answers_not_a_number_is_ranked_last_not_first():
    assert ranks_of_targets(np.full((1, 5), np.nan), np.array([2])).tolist() == [5]
    # only another item is broken: it stands before the target
    assert ranks_of_targets(row(1, math.nan, 0), np.array([0])).tolist() == [2]


@settings(deadline=None)
@given(SCORES, st.data())
def test_a_rank_is_the_place_in_a_list_sorted_against_the_target(scores, data):
    target = data.draw(st.integers(0, len(scores) - 1))
    against = sorted(range(len(scores)), key=lambda item: (-scores[item], item == target))
    assert ranks_of_targets(row(*scores), np.array([target]))[0] == against.index(target) + 1


@settings(deadline=None)
@given(st.lists(SCORES.map(lambda scores: (scores * 12)[:12]), min_size=1, max_size=4), st.integers(0, 15))
def test_top_k_is_a_stable_sort_cut_off(rows, k):
    scores_BV = np.array(rows)
    expected = [sorted(range(12), key=lambda item: (-scores[item], item))[:k] for scores in rows]
    assert top_k(scores_BV, k).tolist() == expected


def test_top_k_breaks_ties_by_catalogue_order_also_where_the_list_is_cut():
    assert top_k(row(1, 2, 1, 2, 1), 3).tolist() == [[1, 3, 0]]


@pytest.mark.parametrize("items", [1, 63, 64, 1000, 4097])
def test_top_k_of_a_large_catalogue_is_a_stable_sort_cut_off(items):
    """Blocks of items whose maxima bound what is sorted: with ties, with no numbers, and with none that is left out."""
    rng = np.random.default_rng(items)
    scores_BV = rng.integers(0, [[3], [50], [100_000], [1]], (4, items)).astype(np.float32)
    scores_BV[2, rng.random(items) < 0.3] = np.nan
    scores_BV[3, : items // 2] = np.nan
    scores_BV[1, rng.random(items) < 0.3] = -np.inf
    for k in (1, 2, 20):
        expected = np.argsort(-scores_BV, axis=1, kind="stable")[:, :k]
        np.testing.assert_array_equal(top_k(scores_BV, k), expected)


def test_recall_mrr_and_ndcg_by_hand():
    ranks_B = np.array([1, 2, 5, 6, MISSED])
    assert recall_at(ranks_B, 5).tolist() == [1, 1, 1, 0, 0]
    assert mrr_at(ranks_B, 5).tolist() == [1, 1 / 2, 1 / 5, 0, 0]
    # 1 / log2(1 + rank): log2(2) = 1, log2(3), log2(6)
    np.testing.assert_allclose(ndcg_at(ranks_B, 5), [1, 1 / math.log2(3), 1 / math.log2(6), 0, 0])


def test_every_metric_has_its_name_and_cutoff():
    metrics = case_metrics(np.array([7]))
    assert list(metrics) == [f"{kind}@{k}" for kind in ("recall", "mrr", "ndcg") for k in (5, 10, 20)]
    assert metrics["recall@5"][0] == 0
    assert metrics["recall@10"][0] == 1
    assert metrics["ndcg@10"][0] == pytest.approx(1 / 3)  # log2(8) = 3


def test_a_bootstrap_interval_holds_its_mean_and_one_value_has_no_width():
    rng = np.random.default_rng(0)
    values_MB = np.stack([rng.random(300), np.ones(300)])
    first, second = bootstrap_means(values_MB, rng.integers(0, 60, 300), rng=rng)
    assert first.value == pytest.approx(values_MB[0].mean())
    assert first.low < first.value < first.high
    assert (second.low, second.value, second.high) == (1, 1, 1)


def test_a_bootstrap_of_single_case_sessions_is_the_textbook_interval():
    # 400 draws of a coin: standard error sqrt(0.5 * 0.5 / 400) = 0.025, 95 % interval +- 1.96 * 0.025 = 0.049
    values_MB = np.tile([0.0, 1.0], 200)[None]
    (interval,) = bootstrap_means(values_MB, np.arange(400), rng=np.random.default_rng(0), resamples=2000)
    assert interval.low == pytest.approx(0.451, abs=0.006)
    assert interval.high == pytest.approx(0.549, abs=0.006)


def test_alike_cases_of_one_session_do_not_narrow_the_interval():
    # 40 sessions of 10 equal cases say no more than 40 cases do: sqrt(10) = 3.2 times the width of 400
    values_MB = np.repeat(np.tile([0.0, 1.0], 20), 10)[None]
    widths = []
    for sessions_B in (np.repeat(np.arange(40), 10), np.arange(400)):
        (interval,) = bootstrap_means(values_MB, sessions_B, rng=np.random.default_rng(1), resamples=1000)
        widths.append(interval.high - interval.low)
    assert widths[0] / widths[1] == pytest.approx(math.sqrt(10), rel=0.2)


def test_session_numbers_may_be_anything_and_no_cases_give_no_number():
    values_MB = np.array([[0.0, 1.0, 1.0]])
    answers = [
        bootstrap_means(values_MB, np.array(sessions), rng=np.random.default_rng(0))
        for sessions in ([0, 0, 1], [-7, -7, 10**12])
    ]
    assert answers[0] == answers[1]
    (nothing,) = bootstrap_means(np.zeros((1, 0)), np.zeros(0, int), rng=np.random.default_rng(0))
    assert math.isnan(nothing.value)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=1, max_size=20))
def test_auc_is_the_share_of_pairs_in_the_right_order(cases):
    scores_B, labels_B = np.array([c[0] for c in cases]), np.array([c[1] for c in cases])
    pairs = list(itertools.product(scores_B[labels_B], scores_B[~labels_B]))
    found = area_under_roc(scores_B, labels_B)
    if pairs:
        assert found == pytest.approx(sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs))
    else:
        assert math.isnan(found)


def test_reliability_bins_are_equally_filled_from_low_to_high():
    probabilities_B = np.array([0.9, 0.1, 0.8, 0.3, 0.2])
    labels_B = np.array([True, False, False, True, False])
    # sorted 0.1 0.2 0.3 | 0.8 0.9 with labels 0 0 1 | 0 1
    low, high = reliability(probabilities_B, labels_B, bins=2)
    assert low == pytest.approx((0.2, 1 / 3, 3))
    assert high == pytest.approx((0.85, 0.5, 2))
    # (3 * |0.2 - 1/3| + 2 * |0.85 - 0.5|) / 5 = (0.4 + 0.7) / 5
    assert calibration_error([low, high]) == pytest.approx(0.22)


def test_fewer_cases_than_bins_and_none_at_all():
    assert len(reliability(np.array([0.5, 0.1]), np.array([True, False]))) == 2
    assert reliability(np.zeros(0), np.zeros(0, bool)) == []
    assert math.isnan(calibration_error([]))
