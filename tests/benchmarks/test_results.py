"""Result files: no path of the machine that measured, a row a line, figures of six digits, both files agreeing."""

import json
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.results import RESULTS, ROOT, as_json, markdown, portable_command, read_rows, write_results

DOCUMENTS = sorted(RESULTS.glob("*.json"))


def row(value: float, **more: object) -> dict[str, object]:
    return {"log": "shop", "system": "ours", "metric": "recall@20", "value": value} | more


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["rees46", "--data", "/somewhere/data", "--work", "/else/where"], "rees46 --data DATA --work WORK"),
        (["--data=/somewhere/data"], "--data=DATA"),
        (["--data", "../shared/data"], "--data DATA"),
        (["--finished", "/a/one", "/a/two", "--seconds", "9"], "--finished FINISHED FINISHED --seconds 9"),
        (["--items-feed", "/a/feed.csv", "--memory"], "--items-feed ITEMS_FEED --memory"),
        (["/a/log.csv"], "PATH"),
        (["--train", "model.dim=32", "dataset=/a/dataset"], "--train model.dim=32 dataset=DATASET"),
        (["--store", "sqlite:////a/mlflow.db"], "--store STORE"),
        (["--url", "http://box:8080/v1"], "--url URL"),
        (["--work", str(ROOT / "runs/benchmarks")], "--work runs/benchmarks"),
        (["--work", "runs/benchmarks", "--rate", "0.5"], "--work runs/benchmarks --rate 0.5"),
        (["--offset", "-1"], "--offset -1"),
    ],
)
def test_a_command_is_told_without_paths_of_the_machine(
    typed: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert portable_command("quality", typed) == f"python -m benchmarks.quality {told}"


def test_the_writer_lets_no_path_of_the_machine_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the command, in the notes and in a row's own texts."""
    monkeypatch.setattr(sys, "argv", ["/a/benchmarks/quality.py", "--work", str(tmp_path / "work")])
    made = Path(tempfile.gettempdir()) / "made-up"
    notes = f"Of {ROOT}/configs/train.yaml, in {made}/log; see ({Path.home()}/notes)."
    write_results("x", [row(0.5, told=f"{made}")], title="X", notes=notes, folder=tmp_path)
    document = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert document["command"] == "python -m benchmarks.quality --work WORK"
    assert document["notes"] == "Of configs/train.yaml, in TMP; see (HOME)."
    assert document["rows"] == [row(0.5, told="TMP")]


def test_a_row_is_a_line_and_the_json_the_same(tmp_path: Path) -> None:
    rows = [row(0.5), row(0.25, system="theirs", by={"cart": 1})]
    write_results("x", rows, title="X", notes="How.", folder=tmp_path)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith("  ")] == rows
    assert json.loads(text)["rows"] == rows
    assert list(json.loads(text)) == ["name", "title", "command", "date", "machine", "commit", "notes", "rows"]
    assert json.loads(as_json({"name": "empty", "rows": []})) == {"name": "empty", "rows": []}


def test_figures_keep_six_digits_and_counts_all(tmp_path: Path) -> None:
    exact = [0.123456789, -0.000123456789, 98.7654321, 1_234_567.89, 12_345_678, 0.0]
    kept = [0.123457, -0.000123457, 98.7654, 1_234_568.0, 12_345_678, 0.0]
    rows = [row(value, low=value, high=value) for value in exact]
    write_results("x", rows, title="X", notes="How.", folder=tmp_path)
    found = [(each["value"], each["low"], each["high"]) for each in read_rows(tmp_path / "x.json")]
    assert found == [(value, value, value) for value in kept]


def test_a_bound_is_told_as_one() -> None:
    rows = [row(1800.0, bound=">"), row(0.25, metric="ratio", bound="<")]
    origin = {"command": "c", "date": "d", "machine": "m", "commit": "abc"}
    shown = markdown({"title": "X", "notes": "", "rows": rows} | origin)
    assert "| ours | more than 1,800 | less than 0.2500 |" in shown


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_stored_files_are_as_the_writer_writes_them(path: Path) -> None:
    """So that measuring anew changes no line of a figure that stayed."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == as_json(document)
    assert path.with_suffix(".md").read_text(encoding="utf-8") == markdown(document)
    figures = [value for each in document["rows"] for value in each.values() if isinstance(value, float)]
    assert [value for value in figures if value != float(f"{value:.6g}") and not value.is_integer()] == []


def test_there_are_stored_files() -> None:
    assert len(DOCUMENTS) >= 15
