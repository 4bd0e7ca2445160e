"""Printed commands survive the shell's grammar and Hydra's."""

import shlex
import shutil
import sys
from enum import Enum
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

import training.train  # noqa: F401  its schema
from training.cli.command import compose_typed, without_files
from training.cli.command_lines import command_line, interpreter, module_line, override


def test_what_needs_no_quotes_has_none():
    line = command_line("export", {"run": "1f2e", "out": Path("a/b-c_d.e"), "dataset": None})
    assert line == f"{interpreter()} -m training.export run=1f2e out=a/b-c_d.e"


def test_values_that_are_no_text_are_typed_as_hydra_reads_them():
    kind = Enum("kind", ["click"])
    typed = [override("key", value) for value in (3, True, 0.5, kind.click, ["a", "b"])]
    assert typed == ["key=3", "key=true", "key=0.5", "key=click", "key=[a,b]"]


def test_a_number_in_letters_stays_text():
    """A run id such as 123e45 would be read as a float, and null as nothing."""
    assert [override("run", text) for text in ("123e45", "null", "1f2e")] == ['run="123e45"', 'run="null"', "run=1f2e"]


@example("my shop's runs")
@example("[a]{b: c},d=e")
@example("${x}\\${y}\\'z\\\\")
@example(" a ")
@settings(max_examples=20)
@given(
    st.text(st.sampled_from("ab1 .'\"\\${}[](),:=~#*?!&|;<>é\t"), min_size=1, max_size=8).filter(
        lambda name: name != "???"
    )
)
def test_whatever_a_folder_is_called_the_pasted_setting_names_it(name):
    (pasted,) = shlex.split(shlex.quote(override("tracking.runs", name)))
    assert compose_typed("train", [pasted]).tracking.runs == name


def test_a_policy_is_a_path_that_hydra_never_sees():
    line = command_line("evaluate", {"policy": "my shop's/policy [1].yaml"})
    _, files = without_files(shlex.split(line)[3:])
    assert files == {"policy": "my shop's/policy [1].yaml"}


def test_a_module_gets_its_arguments_as_they_are():
    line = module_line("serving", "--bundle", "it's [here]")
    assert shlex.split(line)[1:] == ["-m", "serving", "--bundle", "it's [here]"]


def test_a_folder_with_a_room_of_its_own_does_not_run_that(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "training").mkdir()
    assert shlex.split(module_line("training.send"))[1:] == ["-P", "-m", "training.send"]
    assert shlex.split(module_line("serving"))[1:] == ["-m", "serving"]


def test_python_is_named_so_that_the_shell_finds_this_one(monkeypatch, tmp_path):
    try:
        for found, typed in (
            (sys.executable, "python"),
            ("/elsewhere/bin/python", sys.executable),
            (None, sys.executable),
        ):
            monkeypatch.setattr(shutil, "which", lambda name, found=found: found)
            monkeypatch.chdir(tmp_path)
            interpreter.cache_clear()
            assert interpreter() == typed
        monkeypatch.chdir(Path(sys.executable).parents[1])
        interpreter.cache_clear()
        assert interpreter() == f"bin/{Path(sys.executable).name}"
    finally:
        interpreter.cache_clear()
