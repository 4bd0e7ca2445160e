"""Rejected rows are listed with file, line, reason and text, and too many of them stop the run."""

from pathlib import Path

import ibis
import numpy as np
import pytest

from tests.logs import click_run, events_log, write_log
from tillside.events import Behaviours
from training.data.columns import CLEARED, FILE, RECORD, REJECT, SKIP
from training.data.engine import QueryEngine, open_engine
from training.data.parsing.canonical import Log
from training.data.parsing.source_file import SourceFile
from training.data.preparation.rejects import Rejects, collect_rejects, good_events
from training.stages.prepare import prepare


def test_few_bad_rows_are_listed_with_file_line_reason_and_text(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("s", 0, ["a"] * 98)])
    path.write_text(path.read_text() + "s,b,click,soon\nonly,two\n")
    dataset = prepare(click_run(path, max_reject_share=0.02))
    assert dataset.about["counts"]["rejected"] == {"malformed row": 1, "unparsable timestamp": 1}
    assert (dataset.path / "rejects.csv").read_text() == (
        f'file,line,reason,text\n{path},100,unparsable timestamp,"s,b,click,soon"\n'
        f'{path},101,malformed row,"only,two"\n'
    )


def log_of(engine: QueryEngine, folder: Path) -> Log:
    """Ten events of which record 2 is rejected and record 3 skipped, and a file of 1,000 item rows, two malformed."""
    events = engine.given({FILE: np.zeros(10, np.int8), RECORD: np.arange(10)})
    bad = ibis.ifelse(events[RECORD] == 2, ibis.literal("missing item_id"), ibis.null("string"))
    left_out = ibis.ifelse(events[RECORD] == 3, ibis.literal("return"), ibis.null("string"))
    events = engine.keep(events.mutate(**{REJECT: bad, SKIP: left_out, CLEARED: ibis.null("string")}))
    log = write_log(folder / "log.csv", "head", *(f"row {number}" for number in range(10)))
    items = write_log(folder / "items.csv", *(f"item {number}" for number in range(1000)))
    sources = [
        SourceFile(log, log, 1, None, rows=10, first_line=2),
        SourceFile(items, items, 1, None, rows=998, malformed=[(7, "malformed row"), (5, "malformed row")]),
    ]
    return Log(events, Behaviours(("click",)), sources)


def collected(tmp_path: Path, *, limit: float) -> Rejects:
    (tmp_path / "scratch").mkdir()
    with open_engine(tmp_path / "scratch") as engine:
        log = log_of(engine, tmp_path)
        return collect_rejects(engine, log, max_reject_share=limit)


def test_rows_are_counted_by_reason_and_listed_by_file_and_line(tmp_path: Path) -> None:
    rejects = collected(tmp_path, limit=0.1)
    assert rejects.rows == 10  # item rows are no events
    assert (rejects.reasons, rejects.skipped) == ({"malformed row": 2, "missing item_id": 1}, {"return": 1})
    listed = [(source.path.name, line, reason) for source, line, reason in rejects.lines]
    assert listed == [  # record 2 stands in line 4
        ("log.csv", 4, "missing item_id"), ("items.csv", 5, "malformed row"), ("items.csv", 7, "malformed row")
    ]  # fmt: skip
    rejects.write(tmp_path / "rejects.csv")
    rows = (tmp_path / "rejects.csv").read_text().splitlines()
    assert [row.rpartition(",")[2] for row in rows] == ["text", "row 2", "item 4", "item 6"]


def test_a_bad_file_cannot_hide_behind_a_long_good_one(tmp_path: Path) -> None:
    """3 of all 1,010 rows are 0.3 %, but 1 of the 10 events is 10 %."""
    sentence = r"log\.csv: 1 of 10 rows are bad \(10\.00%, .* is 5\.00%\), .*missing item_id .*line 4: 'row 2'"
    with pytest.raises(ValueError, match=sentence):
        collected(tmp_path, limit=0.05)


def test_a_log_without_an_event_is_refused(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine:
        log = log_of(engine, tmp_path)
        empty = Log(engine.keep(log.events.limit(0)), log.behaviours, log.sources[:1])
        with pytest.raises(ValueError, match=r"log\.csv: the log holds no events"):
            collect_rejects(engine, empty, max_reject_share=1.0)


def test_good_events_are_neither_rejected_nor_skipped(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine:
        log = log_of(engine, tmp_path)
        kept = good_events(Log(log.events.mutate(number=log.events[RECORD]), log.behaviours, log.sources))
        assert engine.arrays(kept.order_by("number"), ["number"])["number"].tolist() == [0, 1, 4, 5, 6, 7, 8, 9]
        assert kept.columns == ("number",)
