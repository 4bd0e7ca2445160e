"""Hooks before a commit: they run the tools of the checkout's own environment, and what make check runs."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
REPOSITORIES = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
CHECK = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_nothing_is_fetched():
    assert [repository["repo"] for repository in REPOSITORIES] == ["local"]
    assert {hook["language"] for repository in REPOSITORIES for hook in repository["hooks"]} == {"system"}


def test_each_hook_is_a_step_of_make_check():
    assert CHECK
    for hook in REPOSITORIES[0]["hooks"]:
        tool = hook["entry"].removeprefix(".venv/bin/").replace(" --force-exclude", "")
        assert f"$(BIN)/{tool}" in CHECK.group(1), hook["id"]
