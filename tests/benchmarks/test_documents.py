"""What schemathesis found, from its report."""

import json
import subprocess
from types import SimpleNamespace

from benchmarks import documents

REPORT = {
    "test_cases": {"generated": 300, "unique_failures": 2, "with_failures": 7},
    "operations": {"errored": 1},
    "errors": [],
}


def test_findings_are_unique_failures_and_what_could_not_be_tried():
    assert documents.findings_of(REPORT) == (3, 300)
    assert documents.findings_of({**REPORT, "errors": ["the schema could not be read"]}) == (4, 300)


def test_seeds_follow_each_other_until_there_are_enough_cases(monkeypatch, tmp_path):
    """300 cases a seed: 700 take three, with three findings each."""
    seeds: list[str] = []

    def run(command, **_):
        seeds.append(command[command.index("--seed") + 1])
        assert command[command.index("--checks") + 1] == "all"
        assert "Authorization: Bearer secret" in command
        path = command[command.index("--report-json-path") + 1]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(REPORT, file)
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(documents, "say", lambda line: None)
    found = documents.tried("st", "http://x", cases=700, log=tmp_path / "log", token="secret")
    assert (seeds, found) == (["1", "2", "3"], {"findings": 9, "cases": 900})
