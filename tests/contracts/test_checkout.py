"""The checkout stays as it is whatever the tests do, and no file of it names a folder of the machine it was made on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import CACHES, OUTPUTS, ROOT, changes, entries_of

MACHINE = re.compile(rb"/(work|tmp|root|home|Users)/")
"""Folders that differ from machine to machine. Tests that need such a path as an input make one up elsewhere."""


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")


def test_what_is_new_changed_or_gone_is_told_though_git_ignores_it(tmp_path: Path) -> None:
    lay(tmp_path, "README.md", "src/a.py", "old.txt", ".gitignore")
    (tmp_path / ".gitignore").write_text("*\n", encoding="utf-8")
    before = entries_of(tmp_path)
    assert changes(before, entries_of(tmp_path)) == []
    lay(tmp_path, "mlflow.db", "src/deep/b.npy", "bundle/manifest.json")
    (tmp_path / "src/a.py").write_text("longer than it was", encoding="utf-8")
    (tmp_path / "old.txt").unlink()
    (tmp_path / "mlruns").mkdir()
    assert changes(before, entries_of(tmp_path)) == [
        "new: bundle/",
        "new: mlflow.db",
        "new: mlruns/",
        "new: src/deep/",
        "new: src/deep/b.npy",
        "changed: src/a.py",
        "gone: old.txt",
    ]


def test_caches_environments_and_what_goes_on_in_output_folders_are_not_told(tmp_path: Path) -> None:
    lay(tmp_path, "runs/latest/model.pt", "venv-of-mine/pyvenv.cfg", "src/a.py")
    before = entries_of(tmp_path)
    lay(tmp_path, "runs/mlflow.db", "venv-of-mine/bin/python", "src/__pycache__/a.pyc", ".pytest_cache/v/x")
    assert changes(before, entries_of(tmp_path)) == []
    lay(tmp_path, "src/runs/mlflow.db")  # an output folder by name, but not by place
    assert changes(before, entries_of(tmp_path)) == ["new: src/runs/", "new: src/runs/mlflow.db"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("open('mlflow.db', 'w').close()", "new: mlflow.db"),
        ("__import__('os').environ['MLFLOW_TRACKING_URI'] = 'sqlite:///a.db'", "leaves the next ones"),
        ("assert 'MLFLOW_REGISTRY_URI' not in __import__('os').environ", ""),
    ],
)
def test_a_run_that_leaves_something_fails(body: str, told: str, tmp_path: Path) -> None:
    """A suite of one test, under the fixtures of this one, in a checkout of its own."""
    lay(tmp_path, "conftest.py", "test_it.py")
    (tmp_path / "conftest.py").write_text(
        "from pathlib import Path\n"
        "from tests import checkout\n"
        "from tests.conftest import clean_checkout, no_store_for_the_next_test, no_store_of_the_user\n"
        "checkout.ROOT = Path(__file__).parent\n",
        encoding="utf-8",
    )
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {body}\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_REGISTRY_URI": "http://registry:5000"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_it.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == (1 if told else 0), run.stdout + run.stderr
    assert told in run.stdout


def test_git_ignores_the_folders_that_the_commands_write_and_the_caches() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f"/{name}/" for name in OUTPUTS} <= set(ignored)
    assert {f"{name}/" for name in CACHES - {".git"}} <= set(ignored)


def test_no_file_of_the_repository_names_a_folder_of_a_machine() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("an exported tree: only git tells which files are the repository's")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name]
    assert len(files) > 400
    found = [
        f"{path.relative_to(ROOT)}: {line[:200]!r}"
        for path in files
        if path.is_file() and MACHINE.search(content := path.read_bytes())
        for line in content.splitlines()
        if MACHINE.search(line)
    ]
    assert found == []


def test_the_pattern_finds_what_it_should() -> None:
    assert MACHINE.search(b"--data /" + b"work/shared")
    assert MACHINE.search(b"file:///" + b"tmp/x")
    assert not MACHINE.search(b"--work runs/benchmarks, configs/train.yaml, GET /v1/recommend")
