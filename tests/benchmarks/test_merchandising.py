"""Logs that a shopkeeper would judge placements on: made by commands that exist, a shop by rules of its own."""

from pathlib import Path

import pytest

from benchmarks import policy
from benchmarks.merchandising import RETAIL, SHOPS, make_log
from benchmarks.stages import Cost
from training import prepare, relate, simulate, train
from training.cli.command import check_overrides

COMMANDS = (simulate, prepare, relate, train)
"""Imported, so that their configs are known."""


@pytest.mark.parametrize("log", [*SHOPS, RETAIL])
def test_a_log_is_made_by_commands_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str) -> None:
    ran: dict[str, tuple[str, ...]] = {}

    def stage(module: str, *arguments: str) -> Cost:
        check_overrides(module.partition(".")[2], list(arguments))
        ran[module] = arguments
        return Cost(1.0, 1.0, 1.0)

    monkeypatch.setattr(policy, "run_stage", stage)
    make_log(log, tmp_path, data=tmp_path)
    names = [command.__name__ for command in COMMANDS]
    assert list(ran) == (names if log in SHOPS else names[1:])
    assert any(each.startswith("rules=") for each in ran["training.relate"]) == (log in SHOPS)
    assert "export=false" in ran["training.train"]
    assert (f"name={log}" in ran["training.prepare"]) == (log in SHOPS)
