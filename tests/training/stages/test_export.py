"""The command ``export`` hands the run's model, its metrics and what was asked for to the writer of bundles."""

import json
import sys
from types import SimpleNamespace

import pytest

from training import export as command
from training.cli.command_lines import interpreter
from training.stages import export


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What the command asks of others, which here make nothing."""
    (tmp_path / "metrics.json").write_text(json.dumps({"systems": {}}))
    seen = {}

    def export_run(trained, dataset, out, **given):
        seen["export"] = (trained, dataset, str(out), given)
        return {"max_difference": 1.5e-6}

    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "dataset.json").write_text("{}")
    (tmp_path / "shop.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "find_run", lambda tracking, run: run)
    monkeypatch.setattr(export, "open_run", lambda run, tracking, dataset: (f"model of {run}", dataset))
    monkeypatch.setattr(export, "fetch_artifact", lambda tracking, run, name, into: tmp_path / name)
    monkeypatch.setattr(export, "export_run", export_run)
    monkeypatch.setattr(export.bundle, "open_bundle", lambda path: SimpleNamespace(version="0123456789ab"))
    return seen


def run(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["export", *arguments])
    command.main()


def test_what_was_asked_for_is_exported_and_told(asked, monkeypatch, capsys):
    told = ["run=r1", "out=there", "dataset=d", "policy=shop.yaml", "relations=related", "tracking.register=false"]
    run(monkeypatch, *told)
    trained, dataset, out, given = asked["export"]
    assert (trained, dataset, out) == ("model of r1", "d", "there")
    assert (given["run_id"], given["metrics"]) == ("r1", {"systems": {}})
    assert (str(given["policy"]), str(given["relations"])) == ("shop.yaml", "related")
    assert capsys.readouterr().out.splitlines() == [
        "export: run r1 -> there",
        "bundle 0123456789ab is in there; torch and onnxruntime differ by at most 1.5e-06",
        f"serve it:  {interpreter()} -m serving --bundle there",
    ]


@pytest.mark.parametrize(
    ("given", "missing"),
    [("out=there", "run must be given, as run=RUN_ID"), ("run=r1", "out must be given, as out=DIR")],
)
def test_run_and_out_must_be_given(asked, monkeypatch, capsys, given, missing):
    with pytest.raises(SystemExit):
        run(monkeypatch, given)
    assert missing in capsys.readouterr().err
    assert not asked
