"""What a run in MLflow holds of a report."""

import mlflow

from tests.feedback_logs import settings
from tests.feedback_reports import hand_made
from training.feedback.recording import by_day, figures, record, summary
from training.settings.tracking import TrackingConfig


def test_metrics_are_the_figures_over_all_and_each_arms_lift():
    found = figures(hand_made())
    assert (found["click_rate"], found["click_rate/low"], found["answers"]) == (0.1, 0.05, 1234)
    [lift] = [name for name in found if name.startswith("lift/") and name.endswith("per_shopper")]
    assert (found[lift], set(lift) & set("<>=()")) == (1.0, set())


def test_days_are_steps_and_a_day_without_answers_is_none():
    assert by_day(hand_made()) == {"daily/click_rate": {0: 0.1, 2: 0.3}}


def test_the_description_tells_the_lift_and_is_no_markup():
    assert "brings +100.0% (+50.0% to +150.0%) revenue per shopper beside holdout" in summary(hand_made())
    assert "<img" not in summary(hand_made())


def test_a_run_is_recorded_with_page_and_tables(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = settings(tmp_path, tracking=TrackingConfig(runs=str(tmp_path / "runs")))
    made, page = hand_made(), tmp_path / "out" / "effects.html"
    made.save(tmp_path / "out")
    page.write_text("page", encoding="utf-8")
    tracker = record(made, config, tmp_path / "out", page)
    client = mlflow.MlflowClient(tracker.uri)
    run = client.get_run(tracker.run_id)
    assert (run.info.status, run.data.metrics["click_rate"]) == ("FINISHED", 0.1)
    assert run.data.params["attribution.purchase_days"] == "7.0"
    assert {each.path for each in client.list_artifacts(tracker.run_id)} == {"effects", "effects.html"}
    assert len(client.list_artifacts(tracker.run_id, "effects")) == len(made.tables)
