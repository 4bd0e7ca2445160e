"""The canonical event table: which rows are rejected, which are skipped, and in what order they stand."""

from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest

from tests.logs import read_log, write_log
from tillside.events import BEHAVIOUR, ITEM_ID, TIME_UNKNOWN, TIMESTAMP, Behaviours
from training.data.columns import FILE, ORDER, POSITION, RECORD, REJECT, SKIP
from training.data.engine import open_engine
from training.data.parsing.canonical import RawEvents, canonical, in_order, publisher_behaviours
from training.data.readers.events import EventsConfig
from training.data.readers.otto import OttoConfig


def test_bad_prices_are_left_out_and_bad_behaviours_rejected(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "log.csv",
        "session_id,item_id,behaviour,timestamp,price",
        *(f"s,i,view,1,{price}" for price in ("1", "", "-1", "nan", "inf", "x", "0")),
        "s,i,hover,1,1",
        "s,i,like,1,1",
        "s,i,,1,1",
        "s, ,view,1,1",
    )
    config = EventsConfig(path=str(path), behaviour_map={"view": "click", "hover": None})
    log = read_log(config, tmp_path / "scratch")
    assert log.column("price") == [1.0, None, None, None, None, None, 0.0]
    assert log.cleared == {"price is not a number of at least 0": 3}  # -1, inf and x; nan is a word for nothing
    assert log.skipped == {"behaviour left out: hover": 1}
    assert [(line, reason) for _, line, reason in log.rejected] == [
        (10, "unknown behaviour"),
        (11, "unknown behaviour"),
        (12, "missing item_id"),
    ]


def test_what_is_skipped_is_not_rejected_and_of_two_faults_the_first_is_told(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine:
        given = {
            "session": ["s", "s", "", "s"], "item": ["", "i", "", "i"], "kind": ["view", "hover", "view", "view"],
            "returned": [True, False, False, False],
        }  # fmt: skip
        table = engine.keep(ibis.memtable(pa.table(given)).mutate(**{RECORD: ibis.row_number()}))
        raw = RawEvents(
            session_id=table.session,
            item_id=table.item,
            behaviour=table.kind,
            timestamp=None,
            skip=[(table.returned, "return")],
        )
        shaped = canonical(table, raw, file=1, behaviours=Behaviours(("click",)), behaviour_map={"view": "click"})
        rows = engine.rows(shaped.order_by(RECORD))
    assert [row[SKIP] for row in rows] == ["return", None, None, None]
    assert [row[REJECT] for row in rows] == [None, "unknown behaviour", "missing session_id", None]
    assert [(row[FILE], row[TIMESTAMP]) for row in rows] == [(1, TIME_UNKNOWN)] * 4
    assert (rows[3][BEHAVIOUR], rows[3][ITEM_ID]) == (0, "i")


def test_order_is_by_file_then_record_then_position(tmp_path: Path) -> None:
    """With room for 2**34 records and 2**22 events in one."""
    records, positions = np.array([2**34 - 1, 1, 0, 0]), np.array([2**22 - 1, 0, 2**22 - 1, 2])
    with open_engine(tmp_path) as engine:
        files = [
            engine.given({FILE: np.zeros(4, np.int8), RECORD: records, POSITION: positions}),
            engine.given({FILE: np.ones(1, np.int8), RECORD: np.array([0])}),
        ]
        rows = engine.rows(in_order(*files))
        assert POSITION not in rows[0]
        ordered = engine.rows(in_order(*(file.mutate(was=file[POSITION]) for file in files[:1])).order_by(ORDER))
    assert [(row[RECORD], row["was"]) for row in ordered] == sorted(zip(records, positions, strict=True))
    last = max(rows, key=lambda row: row[ORDER])
    assert (last[FILE], len({row[ORDER] for row in rows})) == (1, 5)


def test_a_publisher_s_log_has_the_behaviours_that_it_has() -> None:
    config = OttoConfig(path="x", behaviours=["purchase", "click"])
    assert publisher_behaviours(config, allowed=("click", "purchase")).names == ("purchase", "click")
    with pytest.raises(ValueError, match=r"data\.behaviours: a otto log has no 'purchase'; allowed: click$"):
        publisher_behaviours(config, allowed=("click",))
