"""What a server keeps of each change: sizes at a tenth of the way and at the end, over the changes between."""

import json
from types import SimpleNamespace

import pytest

from benchmarks import growing


def test_growth_is_what_each_change_left_behind_once_the_first_ones_are_done(monkeypatch):
    """20 changes: 100 MB and 30 files after the first 2, 118 and 48 at the end: 1 MB and 1 file of each of 18."""
    done: list[int] = []
    sizes = {2: (100.0, 30), 20: (118.0, 48)}
    monkeypatch.setattr(growing, "resident_mb", lambda pid: sizes[len(done)][0])
    monkeypatch.setattr(growing, "open_files", lambda pid: sizes[len(done)][1])
    server = SimpleNamespace(process=SimpleNamespace(pid=1))
    assert growing.growth(server, done.append, times=20) == (pytest.approx(1.0), pytest.approx(1.0))
    assert done == list(range(20))


def test_rows_of_the_same_systems_are_replaced_and_all_others_kept(tmp_path):
    def row(system: str, value: float) -> dict:
        return {"log": "synthetic", "system": system, "metric": "mb_per_put", "value": value}

    growing.publish([row("put-100k", 5.0), row("other", 1.0)], folder=tmp_path)
    growing.publish([row("put-100k", 0.0)], folder=tmp_path)
    document = json.loads((tmp_path / "robustness.json").read_text())
    assert {each["system"]: each["value"] for each in document["rows"]} == {"put-100k": 0.0, "other": 1.0}
    assert document["notes"].count(growing.NOTES) == 1
