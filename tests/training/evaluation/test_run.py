"""A whole evaluation: a run beside its baselines, and baselines alone, give the same figures of the same cases."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_dataset, random_rows
from tests.models import SPEC, make_trained
from tillside.ranking import ranks_of_targets
from tillside.recommenders import CoVisitation, Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from training.evaluation.case_ranks import cases_digest
from training.evaluation.run import MODEL, NEIGHBOURS, cases_to_judge, evaluate_baselines, evaluate_run, headline
from training.evaluation.tables import METRICS_FILE, metrics_table
from training.inputs.cases import look_ahead_cases, make_cases
from training.model.checkpoint import TrainedModel
from training.settings.evaluate import Baseline


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


def test_a_test_part_without_cases_is_refused(tmp_path):
    dataset = make_dataset(tmp_path / "d", train=[[0, 1]], test=[[1]], trained=2)
    with pytest.raises(ValueError, match="the test part has no cases; prepare with a larger share for it"):
        evaluate_run(make_trained(dataset), dataset, folder=None, seed=0)


def test_session_knn_alone_is_judged_with_the_settings_that_suit_it_alone(tmp_path):
    """After 0 the blend's neighbourhood hears the next event alone: 0 twice, 1 and 3 once, and 2, which is wanted, is
    fourth. The one chosen for kNN alone hears whole sessions: 0 and 2 twice, and a tie ranks above, so 2 is second."""
    dataset = make_dataset(tmp_path / "d", train=[[0, 1, 2], [0, 3, 2]], test=[[0, 2]] * 3, trained=4, clock=False)
    index = SessionNeighbours.fit(dataset.part("train"), items=4, settings=Neighbourhood(reach=1e-3))
    memory = SessionMemory.of(index, Blend((1.0,) * 3, 0.01, ((0.0,),) * 3), None)
    trained = replace(make_trained(dataset, intent=False), memory=memory)

    def judged(trained: TrainedModel) -> dict[str, float]:
        found = evaluate_run(trained, dataset, folder=None, seed=0, baselines=[])["systems"]
        return {name: found[name]["all"]["mrr@20"]["value"] for name in (MODEL, NEIGHBOURS)}

    before, now = judged(trained), judged(replace(trained, alone=Neighbourhood(reach=1e9)))
    assert (before[NEIGHBOURS], now[NEIGHBOURS]) == (1 / 4, 1 / 2)  # a run made before knows the blend's alone
    assert now[MODEL] == before[MODEL]
