"""A process of the product runs the product's module, not one of the same name that lies where the user works."""

import subprocess
import sys
from pathlib import Path

import pytest

import serving
import training
from tillside.cli.modules import module_command, refuse_stranger, rooms


def test_the_rooms_are_where_they_are_imported_from() -> None:
    assert Path(training.__file__).resolve().parents[1] == rooms()
    assert Path(serving.__file__).resolve().parents[1] == rooms()


def test_the_working_folder_is_left_out_unless_the_rooms_lie_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert module_command("serving", "--port", "0") == [sys.executable, "-P", "-m", "serving", "--port", "0"]
    monkeypatch.chdir(rooms())
    assert module_command("serving") == [sys.executable, "-m", "serving"]


def test_a_strangers_room_on_the_module_path_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """PYTHONPATH comes before everything that is installed, and no flag changes that."""
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/__init__.py").write_text("raise SystemExit('the stranger ran')", encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from tillside.cli.main import main; main(['serve'])"
    ended = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: serving is {tmp_path}/serving here, not tillside's own {rooms()}/serving: "
        "take the folder of the first out of PYTHONPATH\n"
    )


def test_a_room_that_was_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The container's image has no training room."""
    monkeypatch.setattr("tillside.cli.modules.rooms", lambda: tmp_path)
    with pytest.raises(ValueError, match=f"training.train is not part of the installation in {tmp_path}"):
        refuse_stranger("training.train")


def test_the_own_rooms_are_let_through() -> None:
    refuse_stranger("training.train")
    refuse_stranger("serving")
