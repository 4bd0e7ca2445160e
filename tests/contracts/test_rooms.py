"""Imports flow one way: training -> tillside <- serving."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_room_imports_what_it_must_not_know():
    lint_imports = Path(sys.executable).parent / "lint-imports"
    ended = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Contracts: 5 kept, 0 broken." in ended.stdout
