"""Where results come from: the commit of a checkout, whether it was changed since, and nothing outside one."""

import subprocess
from pathlib import Path

import pytest

from training.tracking import git
from training.tracking.git import git_state


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the module believes to lie in; no repository around it counts."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(git, "__file__", str(tmp_path / "git.py"))
    return tmp_path


def typed(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", *names, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(room: Path) -> None:
    typed(room, "init", "-q")
    (room / "note").write_text("one")
    typed(room, "add", "note")
    typed(room, "commit", "-q", "-m", "first")
    commit = typed(room, "rev-parse", "HEAD")
    assert git_state() == {"commit": commit, "state": "clean"}
    (room / "note").write_text("two")
    assert git_state() == {"commit": commit, "state": "dirty"}


def test_outside_a_checkout_and_without_git_there_is_nothing_to_tell(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_state() == {}
    monkeypatch.setenv("PATH", str(room))
    assert git_state() == {}
