"""The command ``evaluate``: what it is told to judge, and a recorded run under a policy file, whose policy.json lies in
the run's folder and whose figures are logged.
"""

import json
from pathlib import Path

import pytest

from tests.datasets import make_dataset, random_rows
from tests.models import make_trained
from training.model.checkpoint import MODEL_FILE, save_model
from training.settings.evaluate import Baseline, EvaluateConfig
from training.settings.tracking import TrackingConfig
from training.stages.evaluate import evaluate_placements
from training.tracking.tracker import Tracker

POLICY = """
placements:
  checkout: {sources: {model: 1, popular: 0.5}, anchors: [cart], rules: {bans: [{name: b, item: i0}]}}
"""


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


def test_a_run_is_judged_under_a_policy_and_remembers_it(tmp_path: Path) -> None:
    train, test = random_rows(30, items=8, seed=1), random_rows(20, items=8, longest=12, seed=2)
    dataset = make_dataset(tmp_path / "d", train=train, test=test, trained=8)
    tracking = TrackingConfig(runs=str(tmp_path / "runs"))
    tracker = Tracker.start(tracking)
    folder = tmp_path / "runs" / tracker.run_id
    folder.mkdir()
    save_model(folder / MODEL_FILE, make_trained(dataset), dataset)
    tracker.artifact(folder / MODEL_FILE)
    tracker.end()
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")

    config = EvaluateConfig(run=tracker.run_id, policy=str(tmp_path / "policy.yaml"), k=2, tracking=tracking)
    evaluate_placements(config, None)
    document = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
    assert (document["run"], document["k"], document["part"]) == (tracker.run_id, 2, "test")
    assert len(document["policy"]["version"]) == 12
    systems = document["placements"]["checkout"]["systems"]
    assert systems["policy"]["rule_violations"] == systems["popular"]["rule_violations"] == 0
    assert systems["model-unruled"]["rule_violations"] > 0

    run = tracker.client.get_run(tracker.run_id)
    rate = systems["policy"]["attach_rate@2"]["value"]
    assert run.data.metrics["policy/checkout/policy/attach_rate_at_2"] == pytest.approx(rate)
    assert run.info.status == "FINISHED"
    kept = [file.path for file in tracker.client.list_artifacts(tracker.run_id)]
    assert "policy.json" in kept


def test_what_belongs_to_a_policy_must_fit() -> None:
    with pytest.raises(ValueError, match="policy is judged with the model of a run: run must be given, and no bundle"):
        EvaluateConfig(dataset="d", policy="p")
    with pytest.raises(ValueError, match="run must be given, and no bundle"):
        EvaluateConfig(run="r", bundle="b", policy="p")
    with pytest.raises(ValueError, match="relations and items_feed are for a policy"):
        EvaluateConfig(run="r", items_feed="f")
    with pytest.raises(
        ValueError, match="feedback judges a policy: policy and bundle must be given, and neither run nor"
    ):
        EvaluateConfig(feedback="f", policy="p")
    with pytest.raises(ValueError, match="and neither run nor dataset"):
        EvaluateConfig(feedback="f", policy="p", bundle="b", run="r")
    with pytest.raises(ValueError, match="relations are the bundle's where feedback judges"):
        EvaluateConfig(feedback="f", policy="p", bundle="b", relations="r")
    with pytest.raises(ValueError, match="least_effective must be at least 1, got 0"):
        EvaluateConfig(feedback="f", policy="p", bundle="b", least_effective=0)
    with pytest.raises(ValueError, match="measured is of a feedback folder: feedback must be given"):
        EvaluateConfig(run="r", policy="p", measured="m")
    with pytest.raises(ValueError, match="k must be from 1 to 100, got 0"):
        EvaluateConfig(run="r", policy="p", k=0)
