"""A publisher's folder: its files with or without .gz, and a sentence where one is missing."""

from pathlib import Path

import pytest

from tests.logs import write_log
from tillside.events import ITEM_ID, TIMESTAMP, Behaviours
from training.data.columns import FILE, RECORD, REJECT
from training.data.engine import QueryEngine
from training.data.parsing.canonical import RawEvents
from training.data.parsing.publisher_files import open_member, open_member_if_there, read_events
from training.data.parsing.text_tables import delimited


def test_a_file_is_found_packed_or_not_and_the_plain_one_goes_first(engine: QueryEngine, tmp_path: Path) -> None:
    write_log(tmp_path / "shop" / "events.csv.gz", "packed")
    folder = str(tmp_path / "shop")
    assert open_member(engine, folder, "events.csv").plain.read_text() == "packed\n"
    plain = write_log(tmp_path / "shop" / "events.csv", "plain")
    assert open_member(engine, folder, "events.csv").path == plain
    assert open_member_if_there(engine, folder, "items.csv") is None


def test_what_is_missing_is_named_with_what_is_there(engine: QueryEngine, tmp_path: Path) -> None:
    log = write_log(tmp_path / "shop" / "clicks.csv", "x")
    with pytest.raises(ValueError, match=r"shop has no events\.csv or events\.csv\.gz; it holds clicks\.csv$"):
        open_member(engine, str(log.parent), "events.csv")
    with pytest.raises(ValueError, match=r"clicks\.csv is a file, the publisher's folder is needed"):
        open_member_if_there(engine, str(log), "events.csv")
    with pytest.raises(ValueError, match=r"nowhere does not exist \(the one that holds events\.csv\)"):
        open_member_if_there(engine, str(tmp_path / "nowhere"), "events.csv")


def test_a_file_is_scanned_into_canonical_events_row_for_row(engine: QueryEngine, tmp_path: Path) -> None:
    source = open_member(engine, str(write_log(tmp_path / "shop" / "e.csv", "s,i,t", "a,x,5", "b,y,?").parent), "e.csv")
    events = read_events(
        engine,
        delimited(engine, source),
        lambda table: RawEvents(session_id=table.s, item_id=table.i, timestamp=table.t, timestamp_format="epoch_s"),
        file=3,
        behaviours=Behaviours(("click",)),
        behaviour_map={},
    )
    rows = engine.rows(events.order_by(RECORD))
    assert [(row[FILE], row[RECORD], row[ITEM_ID], row[TIMESTAMP]) for row in rows] == [
        (3, 0, "x", 5000),
        (3, 1, "y", None),
    ]
    assert [row[REJECT] for row in rows] == [None, "unparsable timestamp"]
