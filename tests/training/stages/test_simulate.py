"""``training.simulate``: the same bytes for the same seed, corners of the config, and what the command says."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tillside.events import SESSION_ID
from training.settings.simulate import SimulateConfig
from training.simulate import main
from training.stages.simulate import simulate

SMALL = SimulateConfig(items=300, sessions=3000, shoppers=800, days=30)


def digest(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(replace(SMALL, out=str(tmp_path / name), seed=seed))
    first, again, other = (digest(tmp_path / name) for name in "abc")
    assert first == again
    assert set(first) == set(other)
    assert all(first[name] != other[name] for name in ("events.parquet", "items.parquet", "truth/intent.parquet"))


@pytest.mark.parametrize(
    "changes",
    [
        {"items": 100, "sessions": 1, "shoppers": 1, "days": 1},
        {"noise": 1.0, "attach": 1.0, "revisit": 1.0, "follow_up": 1.0, "anonymous": 0.0, "scenes": 1.0},
        {"noise": 0.0, "attach": 0.0, "revisit": 0.0, "follow_up": 0.0, "anonymous": 1.0, "scenes": 0.0},
        {"new_items": 1.0, "out_of_stock": 1.0, "days": 400, "start": "2024-02-29", "seed": 2**63 - 1},
    ],
)
def test_corners_of_the_config_run(tmp_path: Path, changes: dict[str, int | float | str]) -> None:
    config = replace(SMALL, sessions=400, out=str(tmp_path / "out"))
    summary = simulate(replace(config, **changes))  # type: ignore[arg-type]
    log = pd.read_parquet(tmp_path / "out" / "events.parquet")
    assert len(log) == summary["events"] >= summary["sessions"] == log[SESSION_ID].nunique()


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("items", 0, "from 100 to"),
        ("sessions", -1, "from 1 to"),
        ("shoppers", 0, "from 1 to"),
        ("days", 0, "from 1 to"),
        ("seed", -1, "from 0 to"),
        ("noise", 1.5, "from 0 to 1"),
        ("attach", float("nan"), "from 0 to 1"),
        ("start", "yesterday", "such as 2026-01-01"),
    ],
)
def test_a_senseless_setting_is_named_with_what_is_allowed(
    tmp_path: Path, name: str, value: int | float | str, allowed: str
) -> None:
    config = replace(SMALL, out=str(tmp_path / "out"), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{name} must be .*{allowed}.*got '?{value}"):
        simulate(config)
    assert not list(tmp_path.iterdir())


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds other files and no truth/shop\.json"):
        simulate(replace(SMALL, out=str(tmp_path)))
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_command_says_what_to_type_next(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.simulate", f"out={tmp_path}/shop", "items=100"]
    done = subprocess.run([*command, "sessions=50"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"python -m training.prepare data=events data.path={tmp_path}/shop/events.parquet" in done.stdout


def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulate", f"out={tmp_path}/shop", "items=100", "sessions=-1"])
    with pytest.raises(SystemExit) as wrong:
        main()
    assert wrong.value.code == 2
    assert capsys.readouterr().err == "error: sessions must be a whole number from 1 to 100000000, got -1\n"
