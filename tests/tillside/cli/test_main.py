"""The command ``tillside``: it knows its commands, answers at once, and runs what ``python -m`` would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tillside import __version__
from tillside.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[3]
HEAVY = {"torch", "numpy", "hydra", "mlflow", "onnxruntime", "yaml", "msgspec", "training", "serving"}
LIGHT = """
import sys
from tillside.cli.main import main
try:
    main({})
except SystemExit as end:
    print(end.code)
print(*sys.modules)
"""


@pytest.fixture(autouse=True)
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command changes of this process is taken back."""
    monkeypatch.setattr(sys, "argv", ["tillside"])
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.delitem(sys.modules, "serving.__main__", raising=False)  # imported by another test, never by a user


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence on stderr."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_every_command_of_training_and_those_of_serving_are_there() -> None:
    """All modules of training but its Python API, which has no command line."""
    training = {path.stem for path in (ROOT / "training").glob("*.py")} - {"__init__", "api"}
    assert {name: command.module for name, command in COMMANDS.items()} == {
        **{name: f"training.{name}" for name in training},
        "serve": "serving",
        "collect": "serving.collector",
        "bench": "serving.bench",
    }


def test_help_lists_every_command_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    said = capsys.readouterr().out
    assert re.findall(r"^  (\w+)  ", said, re.MULTILINE) == list(COMMANDS)
    assert refused(capsys) == said  # nothing was typed


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"tillside {__version__}\n"


@pytest.mark.parametrize(("typed", "meant"), [("trian", "train"), ("training.prepare", "prepare"), ("server", "serve")])
def test_a_mistyped_command_is_answered_with_what_was_meant(
    capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    said = refused(capsys, typed, "dataset=shop")
    assert said.startswith(f"error: '{typed}' is no command of tillside; did you mean {meant}? There are: demo, ")
    assert said.count("\n") == 1


def test_a_word_like_no_command_is_answered_with_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "xyzzy") == f"error: 'xyzzy' is no command of tillside. There are: {', '.join(COMMANDS)}\n"


@pytest.mark.parametrize("typed", [["--help"], ["--version"], ["trian"]])
def test_nothing_heavy_is_imported_to_say_what_there_is(typed: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-c", LIGHT.format(typed)], capture_output=True, text=True, check=True)
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert "tillside.cli.main" in loaded
    assert HEAVY & loaded == set()


def test_a_command_gets_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--bundle: expected one argument" in refused(capsys, "serve", "--port", "1", "--bundle")


def test_help_and_a_command_is_the_help_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["help", "serve"])
    assert caught.value.code == 0
    assert "--grace-seconds" in capsys.readouterr().out


def test_an_extra_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tillside.cli.extras.missing", lambda extra: [f"a module of {extra}"])
    said = refused(capsys, "train", "--help")
    assert said.startswith("error: tillside train needs the extra 'train' (a module of train is not installed here): ")
    assert said.endswith("-m pip install 'tillside[train]'\n")
