"""Every command starts fast: asked for help, or mistyped, it answers before the libraries that its work needs."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import training

COMMANDS = sorted(path.stem for path in Path(training.__file__).parent.glob("[a-z]*.py") if path.stem != "api")
HEAVY = ["torch", "pytorch_lightning", "mlflow", "pandas", "sklearn", "optuna", "matplotlib", "onnx", "faiss"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_loaded_without_the_libraries_of_its_work(name):
    """Each takes a second or more to import, which a mistyped key should not cost."""
    code = f"import sys, training.{name}; print(*(each for each in {HEAVY} if each in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


RUN = "7" * 32
"""A full id, which is not looked up."""
MINIMAL = {
    "simulate": ["out=shop"],
    "prepare": ["data.path=log.csv", "out=dataset"],
    "relate": ["dataset=dataset"],
    "train": ["dataset=dataset"],
    "evaluate": [f"run={RUN}"],
    "export": [f"run={RUN}", "out=bundle"],
    "promote": [f"run={RUN}"],
    "retrain": ["from=models:/shop@champion", "data.path=log.csv"],
    "backtest": ["data.path=log.csv"],
    "weigh": [f"run={RUN}", "policy=shop.yaml"],
    "policy": ["preview", "policy=shop.yaml", f"run={RUN}"],
    "experiment": ["read", "experiments=example", "measured=out"],
    "send": [f"run={RUN}"],
    "measure": ["feedback=dataset", "out=effects"],
}
"""What must be typed; the demo takes the settings of prepare and has none of its own."""


def test_every_command_but_the_demo_has_settings_of_its_own():
    assert {*MINIMAL, "demo"} == set(COMMANDS)


@pytest.mark.parametrize("name", MINIMAL)
def test_a_command_hands_its_settings_to_the_stage_of_its_name(name, monkeypatch, tmp_path):
    command, stage = (importlib.import_module(f"training.{room}{name}") for room in ("", "stages."))
    given = []
    monkeypatch.setattr(stage, "run", lambda config, *_: given.append(config))
    monkeypatch.setattr(sys, "argv", [f"training.{name}", *MINIMAL[name]])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "dataset.json").touch()
    (tmp_path / "shop.yaml").touch()
    command.main()
    [config] = given
    settings = importlib.import_module(f"training.settings.{name}")
    assert type(config) is getattr(settings, f"{name.title()}Config")


@pytest.mark.parametrize("name", ["train", "relate", "evaluate", "export", "weigh"])
def test_a_data_set_that_is_not_there_is_said_before_the_libraries_are_loaded(name, monkeypatch, tmp_path, capsys):
    """A typo costs no seconds, and what lies beside it is named."""
    command, stage = (importlib.import_module(f"training.{room}{name}") for room in ("", "stages."))
    monkeypatch.setattr(stage, "run", lambda *_: pytest.fail("the stage was reached"))
    typed = [each for each in MINIMAL[name] if not each.startswith("dataset=")]
    monkeypatch.setattr(sys, "argv", [f"training.{name}", *typed, "dataset=shp"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dataset.json").touch()
    (tmp_path / "shop.yaml").touch()
    with pytest.raises(SystemExit) as caught:
        command.main()
    output = capsys.readouterr()
    assert (caught.value.code, output.out) == (2, "")
    assert output.err == (
        "error: shp is not a prepared data set (it has no dataset.json); make one with python -m training.prepare; "
        "here lie: dataset=shop\n"
    )
