"""The demo's words and files, without a stage or a server; tests/contracts/test_demo.py goes the whole way."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.datasets import make_catalogue, make_sessions
from training import demo

CATALOGUE = make_catalogue(make_sessions([]), trained=12)
"""Items ``i0`` to ``i11``, called "item 0" to "item 11"; prices run evenly from 1 to 9."""


def test_a_flag_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "run", lambda *arguments: pytest.fail("a stage ran"))
    with pytest.raises(SystemExit) as ended:
        demo.main(["data=rees46", "--multirun"])
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err == "error: the demo takes settings of training.prepare and no flags, got --multirun\n"
    )


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_asked_for_help_it_tells_what_it_does(
    flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "run", lambda *arguments: pytest.fail("a stage ran"))
    demo.main([flag])
    assert "python -m training.demo data=rees46" in capsys.readouterr().out


def test_of_twelve_items_the_tenth_is_sold_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed's first line is its time, now."""
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo.time, "time", lambda: 1_700_000_000.25)
    opened: Any = SimpleNamespace(catalogue=CATALOGUE)
    head, *lines = map(json.loads, demo.write_feed(opened).read_text().splitlines())
    assert head == {"time_ms": 1_700_000_000_250}
    assert [line["item_id"] for line in lines] == CATALOGUE.item_ids
    assert [line["stock"] for line in lines] == [9] * 9 + [0] + [9] * 2


@pytest.mark.parametrize(
    ("item_id", "because", "words"),
    [
        ("i1", "i2", "again: cart in this session"),
        ("i3", None, "popular in the shop"),
        ("i3", "i2", "near item 2"),
    ],
)
def test_why_an_item_is_offered(item_id: str, because: str | None, words: str) -> None:
    """The last thing that was done to an item counts."""
    session = [{"item_id": "i1", "behaviour": "click"}, {"item_id": "i1", "behaviour": "cart"}]
    assert demo._why({"item_id": item_id, "because": because}, session, CATALOGUE) == words


def test_an_answer_stands_beside_the_session_it_answers() -> None:
    """One step, two words on what was asked for, one item: shorter columns are filled up. The last price is 9."""
    session = [{"item_id": "i0", "behaviour": "click"}]
    answer = {
        "behaviour": "purchase",
        "purchase_intent": 0.256,
        "items": [{"item_id": "i11", "because": "i0"}],
    }
    assert demo._lines(answer, session, CATALOGUE) == [
        ["click: item 0", "purchase", "item 11", "9.00", "near item 0"],
        ["", "(buys: 26%)", "", "", ""],
        ["", "", "", "", ""],
    ]
