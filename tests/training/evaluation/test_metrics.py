"""The metrics document by hand on a tiny scorer."""

import numpy as np
import pytest

from tests.training.evaluation.tiny import ITEMS, LastItemPlusOne, cases_of
from tillside.ranking import MISSED
from training.evaluation.metrics import popularity_deciles, report
from training.evaluation.ranking import Ranked, rank


def test_the_report_by_hand():
    cases = cases_of()
    ranked = {"tiny": rank(LastItemPlusOne(), cases, items=ITEMS)}
    document = report(ranked, cases, items=ITEMS, behaviours=["click", "cart", "purchase"], seed=0)
    assert (document["cases"], document["sessions"]) == (5, 3)
    assert document["unseen_target_share"] == pytest.approx(1 / 5)
    tiny = document["systems"]["tiny"]
    everything = tiny["all"]
    assert everything["cases"] == 5
    assert everything["recall@20"]["value"] == pytest.approx(4 / 5)
    assert everything["mrr@20"]["value"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 0 + 1 / 2) / 5)
    # ranks 1, 2, 3, missed, 2: 1 + 2 / log2(3) + 1 / log2(4)
    assert everything["ndcg@5"]["value"] == pytest.approx((1 + 2 / np.log2(3) + 1 / 2) / 5)
    assert everything["recall@20"]["low"] <= 4 / 5 <= everything["recall@20"]["high"]
    assert list(tiny["by_behaviour"]) == ["click", "cart", "purchase"]
    assert tiny["by_behaviour"]["purchase"]["cases"] == 2
    assert tiny["by_behaviour"]["purchase"]["mrr@20"]["value"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert {band: values["cases"] for band, values in tiny["by_prefix_length"].items()} == {"1": 3, "2": 1, "3-4": 1}
    assert tiny["coverage@20"] == 1.0


def test_cases_whose_target_is_new_are_reported_apart():
    cases = cases_of([[0, 1, 2], [1, 2]])  # targets 1, 2 and 2, each right behind its prefix
    ranked = {"tiny": Ranked(np.array([1, 4, 2]))}
    document = report(ranked, cases, items=ITEMS, behaviours=["click"], seed=0, counts_N=np.array([3, 1, 0, 0, 0]))
    assert document["new_target_share"] == pytest.approx(2 / 3)
    tiny = document["systems"]["tiny"]
    assert (tiny["seen_items"]["cases"], tiny["seen_items"]["mrr@20"]["value"]) == (1, 1.0)
    assert tiny["new_items"]["cases"] == 2
    assert tiny["new_items"]["mrr@20"]["value"] == pytest.approx((1 / 4 + 1 / 2) / 2)
    known = report(ranked, cases, items=ITEMS, behaviours=["click"], seed=0, counts_N=np.ones(5, int))
    assert "new_items" not in known["systems"]["tiny"]


def test_deciles_of_popularity_by_hand():
    """20 items, two to a decile; equals follow each other in catalogue order; the last item cannot be ranked."""
    counts_N = np.array([*range(20), 99])
    assert popularity_deciles(counts_N, items=20).tolist() == [d for d in range(10, 0, -1) for _ in range(2)]
    assert popularity_deciles(np.array([1, 5, 1, 1]), items=4).tolist() == [
        3,
        1,
        6,
        8,
    ]  # 1 + 10 * place // 4


def test_popularity_and_the_curve_by_hand():
    # targets 1, 2, 7 and 3; of 4 items in order of popularity 0 .. 3 the deciles are 1, 3, 6, 8; 7 cannot be ranked
    cases = cases_of([[0, 1, 2, 7], [0, 3]])
    shown_V = np.array([6, 2, 0, 0])
    ranked = {
        "tiny": Ranked(np.array([1, 4, MISSED, 60]), shown_V=shown_V),
        "short": Ranked(np.array([1, 4, 9, 9]), depth=10),
    }
    counts_N = np.array([4, 3, 2, 1, 0, 0, 0, 0])
    document = report(ranked, cases, items=ITEMS, behaviours=["click"], seed=0, counts_N=counts_N)
    shares = {band: share for band, share in document["targets_by_popularity"].items() if share}
    assert shares == {"3": 1 / 4, "6": 1 / 4, "8": 1 / 4}
    tiny = document["systems"]["tiny"]
    assert {band: values["cases"] for band, values in tiny["by_popularity"].items()} == {"3": 1, "6": 1, "8": 1}
    assert [tiny["by_popularity"][band]["recall@5"]["value"] for band in ("3", "6", "8")] == [1, 1, 0]
    assert {b: share for b, share in tiny["shown_by_popularity"].items() if share} == {"1": 6 / 8, "3": 2 / 8}
    assert tiny["coverage@20"] == 2 / 4
    # one of four at rank 1, two up to rank 4, three up to rank 60
    expected = {"1": 1 / 4, "3": 1 / 4, "5": 1 / 2, "20": 1 / 2, "50": 1 / 2, "75": 3 / 4, "100": 3 / 4}
    assert {k: tiny["recall_curve"][k] for k in expected} == expected
    # 1 at rank 1, 1/4 up to rank 4, 1/60 up to rank 60; a target at rank 4 has an NDCG of 1 / log2(5)
    expected = {"1": 1 / 4, "3": 1 / 4, "5": 5 / 16, "50": 5 / 16, "75": (1 + 1 / 4 + 1 / 60) / 4}
    assert {k: tiny["mrr_curve"][k] for k in expected} == pytest.approx(expected)
    expected = {"1": 1 / 4, "5": (1 + 1 / np.log2(5)) / 4, "75": (1 + 1 / np.log2(5) + 1 / np.log2(61)) / 4}
    assert {k: tiny["ndcg_curve"][k] for k in expected} == pytest.approx(expected)
    short = document["systems"]["short"]
    for metric in ("recall", "mrr", "ndcg"):
        assert list(short[f"{metric}_curve"]) == ["1", "2", "3", "5", "10"]  # nothing is known beyond the tenth place
    assert "coverage@20" not in short
    assert "shown_by_popularity" not in short


def test_bands_share_out_all_cases():
    cases = cases_of([list(range(3)) * 5] * 2)
    ranked = {"tiny": rank(LastItemPlusOne(), cases, items=ITEMS)}
    bands = report(ranked, cases, items=ITEMS, behaviours=["click"], seed=0)["systems"]["tiny"]["by_prefix_length"]
    # 14 cases each: prefixes of 1; 2; 3, 4; 5 .. 9; 10 .. 14
    assert {band: values["cases"] for band, values in bands.items()} == {"1": 2, "2": 2, "3-4": 4, "5-9": 10, "10+": 10}
