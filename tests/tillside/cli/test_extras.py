"""A room whose extra is not installed says so in a sentence; the table of modules follows pyproject.toml."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tillside.cli.extras import MODULES, missing, require

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OF_ANOTHER = {"ibis-framework": {"duckdb"}}
"""Modules of what a requirement brings by an extra of its own."""
HIDDEN = """
import importlib.util, runpy, sys
whole = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == {absent!r} else whole(name, package)
sys.argv = ["-m"]
runpy.run_module({module!r}, None, "__main__")
"""


@pytest.mark.parametrize("extra", MODULES)
def test_the_modules_are_those_of_the_distributions_that_the_extra_names(extra: str) -> None:
    """Each distribution has a module in the table, and each module in the table is of one of them."""
    wanted = [re.split(r"[\[><=~ ]", each)[0].lower() for each in PROJECT["optional-dependencies"][extra]]
    providers = {
        module: {each.lower().replace("_", "-") for each in by} for module, by in packages_distributions().items()
    }
    brought = {
        name: {module for module, by in providers.items() if name in by} | OF_ANOTHER.get(name, set())
        for name in wanted
    }
    named = set(MODULES[extra])
    assert [name for name, modules in brought.items() if not modules & named] == []
    assert named - set().union(*brought.values()) == set()


def test_nothing_is_said_where_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert missing("train") == missing("serve") == []
    require("train", asked="tillside train")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("absent", "listed"),
    [
        (["faiss"], "faiss is not installed here"),
        (["faiss", "uvloop"], "faiss and uvloop are not installed here"),
        (["onnxruntime", "faiss", "starlette", "uvloop"], "onnxruntime, faiss and 2 more are not installed here"),
    ],
)
def test_the_sentence_names_the_extra_and_the_way_to_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], absent: list[str], listed: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in absent else object())
    assert missing("serve") == absent
    with pytest.raises(SystemExit) as caught:
        require("serve", asked="tillside serve")
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        f"error: tillside serve needs the extra 'serve' ({listed}): {sys.executable} -m pip install 'tillside[serve]'\n"
    )


@pytest.mark.parametrize(
    ("module", "extra", "absent"), [("training.train", "train", "torch"), ("serving", "serve", "uvicorn")]
)
def test_the_module_forms_say_it_too(module: str, extra: str, absent: str) -> None:
    """``python -m``, with a module hidden as if it had not been installed."""
    ended = subprocess.run(
        [sys.executable, "-c", HIDDEN.format(absent=absent, module=module)], capture_output=True, text=True
    )
    assert ended.returncode == 2
    start = f"error: python -m {module.partition('.')[0]} needs the extra '{extra}' ({absent} is not installed here): "
    assert ended.stderr.startswith(start)
    assert ended.stderr.count("\n") == 1
