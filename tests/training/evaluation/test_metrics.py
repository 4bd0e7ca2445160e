"""Cases, ranks and the report, by hand on a tiny scorer; model and baselines go through the same code."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from tests.datasets import make_dataset, make_sessions, random_rows
from tests.models import SPEC, make_model, make_trained
from tillside.encoding import EncodingSpec
from tillside.ranking import MISSED, ranks_of_targets
from tillside.recommenders import CoVisitation, Popularity
from training.evaluate import EvaluateConfig
from training.evaluation.baselines import Baseline
from training.evaluation.case_ranks import cases_digest
from training.evaluation.metrics import popularity_deciles, report
from training.evaluation.question_matrix import asked_matrix
from training.evaluation.ranking import Ranked, rank
from training.evaluation.run import METRICS_FILE, cases_to_judge, evaluate_baselines, evaluate_run, headline
from training.evaluation.scorers import ModelScorer
from training.evaluation.tables import metrics_table
from training.inputs.cases import look_ahead_cases, make_cases, together

ITEMS = 4
DEFAULT_SPEC = EncodingSpec()
ROWS = [[0, (1, "cart"), (0, "purchase"), 2], [3], [2, 7], [], [7, (1, "purchase")], []]
"""Item 7 is unseen in training."""


def cases_of(rows=ROWS, *, rule="every", items=ITEMS, limit=None, spec=DEFAULT_SPEC):
    return make_cases(make_sessions(rows), rule=rule, spec=spec, items=items, goal=2, limit=limit)


@dataclass
class LastItemPlusOne:
    """Puts the item after the last one first; an empty row gets item 0."""

    calls: int = 0

    def score(self, batch, ask_B):
        self.calls += 1
        scores_BV = np.tile(-np.arange(ITEMS, dtype=np.float32), (len(ask_B), 1))
        for row, length in enumerate(batch.lengths_B):
            if length:
                scores_BV[row, (batch.items_BL[row, length - 1] + 1) % ITEMS] = 1
        return scores_BV


def test_every_event_after_the_first_is_a_case():
    cases = cases_of()
    assert cases.events_C.tolist() == [1, 2, 3, 6, 8]
    assert cases.sessions_C.tolist() == [0, 0, 0, 2, 4]
    assert cases.targets_C.tolist() == [1, 0, 2, 7, 1]
    assert cases.asked_C.tolist() == [1, 2, 0, 0, 2]
    assert cases.prefix_lengths_C.tolist() == [1, 2, 3, 1, 1]
    # the purchase is event 2 of the first session, and the target itself in the last
    assert cases.goal_later_C.tolist() == [True, True, False, False, True]


def test_the_last_event_of_a_session_of_two_or_more_is_a_case():
    cases = cases_of(rule="last")
    assert cases.events_C.tolist() == [3, 6, 8]
    assert cases.prefix_lengths_C.tolist() == [3, 1, 1]


def test_a_case_shows_what_came_before_and_nothing_else():
    cases = cases_of()
    batch = cases.batch(np.array([2, 0, 4]))
    assert batch.items_BL.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert batch.behaviours_BL.tolist() == [[0, 1, 2], [0, 0, 0], [0, 0, 0]]
    assert batch.lengths_B.tolist() == [3, 1, 0]  # item 7 is not known, so nothing is left


def test_a_limit_takes_whole_sessions_spread_over_the_part():
    rows = [[0, 1, 2]] * 50
    cases = cases_of(rows, limit=20)
    # 100 cases for a limit of 20: every fifth session
    assert np.unique(cases.sessions_C).tolist() == list(range(0, 50, 5))
    assert len(cases) == 20
    assert len(cases_of(rows, limit=100)) == len(cases_of(rows)) == 100


def test_a_part_without_sessions_has_no_cases():
    assert len(cases_of([])) == 0
    assert len(cases_of([[1]])) == 0


def test_cases_of_two_kinds_together_stand_in_the_order_of_their_events():
    rows = [[0, 1, (2, "cart")], [1, (0, "cart"), (3, "purchase")]]
    cases = cases_of(rows)
    both = together(cases, look_ahead_cases(make_sessions(rows), cases, goal=2))
    assert both.events_C.tolist() == [1, 1, 2, 4, 4, 5]
    assert both.targets_C.tolist() == [1, 2, 2, 0, 3, 3]
    assert both.asked_C.tolist() == [0, 1, 1, 1, 2, 2]
    assert both.prefix_lengths_C.tolist() == [1, 1, 2, 1, 1, 2]


def test_look_ahead_cases_ask_for_the_next_cart_or_purchase_beyond_the_very_next_event():
    rows = [[0, 1, (1, "cart"), 2, (7, "purchase")], [3, (2, "purchase")], [2], [0, 1, (3, "cart")]]
    part = make_sessions(rows)
    cases = cases_of(rows)
    ahead = look_ahead_cases(part, cases, goal=2)
    # before 1: cart of 1, purchase of 7; before the cart and before 2: the purchase; before the last 1: the cart of 3
    asked = list(zip(ahead.events_C, ahead.asked_C, ahead.targets_C, ahead.prefix_lengths_C, strict=True))
    assert asked == [(1, 1, 1, 1), (9, 1, 3, 1), (1, 2, 7, 1), (2, 2, 7, 2), (3, 2, 7, 3)]
    assert ahead.goal_later_C.tolist() == [True, False, True, True, True]
    assert ahead.batch(np.array([4])).items_BL.tolist() == [[0, 1, 1]]
    assert len(look_ahead_cases(part, cases_of(rows, rule="last"), goal=2)) == 0
    assert len(look_ahead_cases(part, cases, goal=0)) == 0


@dataclass
class ByQuestion:
    """Puts first the item whose number is the behaviour asked for."""

    def score(self, batch, ask_B):
        return -np.abs(np.arange(ITEMS) - ask_B[:, None]).astype(np.float32)


def test_the_matrix_of_questions_by_hand():
    # clicks on 0 and purchases of 2: the right question puts them first; asked for a cart both 0 and 2 tie behind 1,
    # rank 3; asked for a purchase 0 comes last, behind 2 and the level 1 and 3, rank 4
    cases = cases_of([[3, 0, (2, "purchase")], [3, 0]])
    matrix = asked_matrix(ByQuestion(), cases, items=ITEMS, behaviours=["click", "cart", "purchase"], seed=0)
    assert list(matrix) == ["click", "purchase"]
    assert matrix["click"]["cases"] == 2
    assert [matrix["click"][asked]["mrr@20"]["value"] for asked in ("click", "cart", "purchase")] == [1, 1 / 3, 1 / 4]
    assert matrix["purchase"]["purchase"]["mrr@20"] == {"value": 1, "low": 1, "high": 1}
    assert matrix["purchase"]["cart"]["lost"]["mrr@20"]["value"] == pytest.approx(2 / 3)
    assert matrix["purchase"]["cart"]["lost"]["recall@20"]["value"] == 0
    assert "lost" not in matrix["purchase"]["purchase"]


def test_a_matrix_of_many_cases_takes_some_of_each_behaviour(monkeypatch):
    monkeypatch.setattr("training.evaluation.question_matrix.CASES", 4)
    cases = cases_of([[0, 1, (2, "cart")]] * 9)
    matrix = asked_matrix(ByQuestion(), cases, items=ITEMS, behaviours=["click", "cart"], seed=0)
    assert [matrix[name]["cases"] for name in ("click", "cart")] == [3, 3]  # every third of 9


def test_ranks_by_hand_with_unseen_targets_as_misses():
    ranked = rank(LastItemPlusOne(), cases_of(), items=ITEMS)
    # after 0 comes 1: rank 1. After 1 comes 2: then 0, rank 2. After 0 comes 1: then 0, then 2: rank 3.
    # 7 is unseen: missed. Nothing known: 0, then 1: rank 2.
    assert ranked.ranks_C.tolist() == [1, 2, 3, MISSED, 2]
    assert ranked.shown_V.tolist() == [5, 5, 5, 5]  # the best 20 of 4 items are all of them, in each of 5 cases
    assert ranked.intent_C is None


def test_chunks_change_nothing(monkeypatch):
    cases = cases_of(random_rows(40, items=6))
    whole, scorer = rank(LastItemPlusOne(), cases, items=ITEMS), LastItemPlusOne()
    monkeypatch.setattr("training.evaluation.ranking.CHUNK_SCORES", 3 * ITEMS)
    assert np.array_equal(rank(scorer, cases, items=ITEMS).ranks_C, whole.ranks_C)
    assert scorer.calls == -(-len(cases) // 3)


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
    short = document["systems"]["short"]
    assert list(short["recall_curve"]) == ["1", "2", "3", "5", "10"]  # nothing is known beyond the tenth place
    assert "coverage@20" not in short
    assert "shown_by_popularity" not in short


def test_bands_share_out_all_cases():
    cases = cases_of([list(range(3)) * 5] * 2)
    ranked = {"tiny": rank(LastItemPlusOne(), cases, items=ITEMS)}
    bands = report(ranked, cases, items=ITEMS, behaviours=["click"], seed=0)["systems"]["tiny"]["by_prefix_length"]
    # 14 cases each: prefixes of 1; 2; 3, 4; 5 .. 9; 10 .. 14
    assert {band: values["cases"] for band, values in bands.items()} == {"1": 2, "2": 2, "3-4": 4, "5-9": 10, "10+": 10}


def test_the_model_is_asked_for_each_cases_behaviour_and_popularity_answers_where_nothing_is_known():
    model = make_model(items=ITEMS)
    popular = Popularity(np.array([[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3]], np.float32))
    cases = cases_of(spec=SPEC)
    scores_BV, intent_B = ModelScorer.of(model, popular).score_and_intent(cases.batch(np.arange(5)), cases.asked_C)
    assert scores_BV[4].tolist() == [2, 1, 4, 3]  # asked for a purchase
    assert np.isnan(intent_B).tolist() == [False] * 4 + [True]
    for case in range(4):
        batch = cases.batch(np.array([case]))
        alone_BV, _ = ModelScorer.of(model, popular).score_and_intent(batch, cases.asked_C[case : case + 1])
        np.testing.assert_allclose(scores_BV[case], alone_BV[0], atol=2e-5)
        others_BV, _ = ModelScorer.of(model, popular).score_and_intent(batch, (cases.asked_C[case : case + 1] + 1) % 3)
        assert np.abs(others_BV - alone_BV).max() > 1e-3


@pytest.mark.parametrize("rule", ["every", "last"])
def test_a_run_is_evaluated_beside_its_baselines(tmp_path, rule):
    train, test = random_rows(40, items=5, seed=1), random_rows(20, items=6, seed=2)
    dataset = make_dataset(tmp_path / "d", train=train, test=test, trained=5, newcomers=1, test_cases=rule)
    metrics = evaluate_run(make_trained(dataset), dataset, folder=tmp_path / "out", seed=0)
    assert json.loads((tmp_path / "out" / METRICS_FILE).read_text()) == json.loads(json.dumps(metrics))
    assert list(metrics["systems"]) == ["tillside", "covisitation", "popularity"]
    assert metrics["cases"] == (20 if rule == "last" else sum(len(row) - 1 for row in test))
    cases = make_cases(dataset.part("test"), rule=rule, spec=SPEC, items=5, goal=2)
    test_digest = cases_digest(dataset, cases_to_judge(dataset, SPEC))
    assert metrics["dataset"] == {"name": "d", "digest": dataset.digest, "test_digest": test_digest}
    assert metrics["unseen_target_share"] == pytest.approx((cases.targets_C == 5).mean())
    scores_BV = CoVisitation.fit(dataset.part("train"), items=5).score(
        cases.batch(np.arange(len(cases))), cases.asked_C
    )
    recall = (ranks_of_targets(scores_BV, cases.targets_C) <= 5).mean()
    assert metrics["systems"]["covisitation"]["all"]["recall@5"]["value"] == pytest.approx(recall)
    flat = headline(metrics)
    assert flat["test/recall@20"] == metrics["systems"]["tillside"]["all"]["recall@20"]["value"]
    assert flat["test/covisitation/recall@5"] == pytest.approx(recall)
    assert flat["test/click/mrr@20"] == metrics["systems"]["tillside"]["by_behaviour"]["click"]["mrr@20"]["value"]
    assert flat["test/intent_auc"] == metrics["intent"]["auc"]
    asked_for = metrics["asked"]["next"]["cart"]
    assert flat["test/cart/asked_click/mrr@20"] == asked_for["click"]["mrr@20"]["value"]
    assert asked_for["cart"]["mrr@20"] == metrics["systems"]["tillside"]["by_behaviour"]["cart"]["mrr@20"]
    assert flat["test/boosting/intent_auc"] == metrics["intent"]["boosting"]["auc"]
    if rule == "every":
        ahead = look_ahead_cases(dataset.part("test"), cases, goal=2)
        later = metrics["systems"]["popularity"]["look_ahead"]["purchase"]
        assert later["cases"] == (ahead.asked_C == 2).sum()
        assert flat["test/popularity/look_ahead/purchase/mrr@20"] == later["mrr@20"]["value"]
    metrics_table(metrics, title="a table of it can be printed")
    assert all(np.isfinite(value) for value in flat.values())


def test_baselines_are_judged_alone_on_the_same_cases(tmp_path):
    train, test = random_rows(40, items=5, seed=1), random_rows(20, items=6, seed=2)
    dataset = make_dataset(tmp_path / "d", train=train, test=test, trained=5, newcomers=1)
    beside = evaluate_run(make_trained(dataset), dataset, folder=None, seed=0, baselines=list(Baseline))
    alone = evaluate_baselines(dataset, list(Baseline), folder=tmp_path / "out", seed=0)
    assert json.loads((tmp_path / "out" / METRICS_FILE).read_text()) == json.loads(json.dumps(alone))
    assert list(alone["systems"]) == list(alone["fit_s"]) == [baseline.value for baseline in Baseline]
    assert list(beside["systems"]) == ["tillside", *alone["systems"]]
    assert {name: beside["systems"][name] for name in alone["systems"]} == alone["systems"]
    recalls = {name: system["all"]["recall@5"]["value"] for name, system in alone["systems"].items()}
    assert len({system["all"]["mrr@20"]["value"] for system in alone["systems"].values()}) == len(Baseline), recalls
    assert (alone["cases"], alone["dataset"]) == (beside["cases"], beside["dataset"])


def test_what_to_judge_must_be_said():
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig()
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig(dataset="d", baselines=[])
    with pytest.raises(ValueError, match="run must be given"):
        EvaluateConfig(dataset="d", bundle="b")
    with pytest.raises(ValueError, match="baselines names one twice: item_knn, item_knn"):
        EvaluateConfig(run="r", baselines=[Baseline.item_knn, Baseline.item_knn])
    assert EvaluateConfig(dataset="d").baselines == [Baseline.covisitation, Baseline.popularity]


def test_a_test_part_without_cases_is_refused(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[1]], trained=2)
    with pytest.raises(ValueError, match="the test part has no cases; prepare with a larger share for it"):
        evaluate_run(make_trained(dataset), dataset, folder=None, seed=0)
