"""The demo goes the whole way: every stage as its own process, a real server, answers a shopkeeper can read."""

import sys
from pathlib import Path

import mlflow
import pytest

from tillside.bundle import open_bundle
from training import demo, evaluate, promote

pytestmark = pytest.mark.slow


def test_the_demo_ends_with_answers_metrics_and_the_line_that_opens_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "SHOP", ("sessions=800", "items=120", "shoppers=300", "days=20"))
    monkeypatch.setattr(demo, "TRAINING", (*demo.TRAINING, "trainer.max_epochs=1", "model=small"))
    monkeypatch.setattr(demo, "VISITORS", 60)
    demo.main([])
    output = capfd.readouterr().out
    for stage in ("simulate", "prepare", "relate", "train", "export", "measure"):
        assert f"-m training.{stage} " in output
    assert "To be short, the demo trains with trainer.max_epochs=4 " in output
    assert output.count("registered as simulated-shop version 1") == 1
    assert "What the shop would show" in output
    assert "buys: " in output
    offers = output[output.index("What its checkout would offer") :]
    assert "intent 0." in offers
    assert "Picked for you" in offers or "Goes well with" in offers
    assert "near " in output or "again: " in output
    for system in ("tillside", "covisitation", "popularity"):
        assert f"│ {system}" in output
    assert f"-m mlflow server --backend-store-uri sqlite:///{tmp_path}" in output
    assert "experiments/1/runs?workflowType=machine_learning&viewStateShareKey=tillside-best" in output
    assert "What the recommendations brought" in (tmp_path / "demo/effects/effects.html").read_text(encoding="utf-8")
    assert output.count("holdout") > 0
    (run,) = mlflow.MlflowClient(f"sqlite:///{tmp_path}/demo/runs/mlflow.db").search_runs(["1"])
    version = open_bundle(tmp_path / "demo/bundle").version
    assert run.data.tags["bundle.version"] == version
    assert f"- bundle `{version}`" in run.data.tags["mlflow.note.content"]

    # The stages that the demo leaves out; like those it runs, they write where they are told and nowhere else.
    for stage, setting in ((evaluate, "bundle=demo/bundle"), (promote, "latency_ms=10000")):
        typed = [stage.__name__, f"run={run.info.run_id}", "tracking.runs=demo/runs", setting]
        monkeypatch.setattr(sys, "argv", typed)
        stage.main()
    said = capfd.readouterr().out
    assert "simulated-shop: test part" in said
    assert "models:/simulated-shop@champion is this version" in said
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert {path.name for path in (tmp_path / "demo").iterdir()} >= {"bundle", "dataset", "runs", "shop"}


def test_a_stage_that_fails_ends_the_demo_with_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        demo.main(["data=rees46", "data.path=nowhere.csv"])
    assert caught.value.code == 2
    assert "nowhere.csv" in capfd.readouterr().err
    assert not (tmp_path / "demo/dataset").exists()
