"""Item files: the last valid row of an item holds."""

from pathlib import Path

import numpy as np

from tests.logs import EVENTS_HEADER, click_log, read_log, write_log
from tillside.events import ITEM_ID
from training.data.columns import FILE, RECORD
from training.data.engine import open_engine
from training.data.parsing.item_files import last_of_each
from training.data.readers.events import ItemColumns


def test_item_file_gives_attributes_and_the_last_row_of_an_item_holds(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,i,click,1")
    items = write_log(
        tmp_path / "items.jsonl",
        '{"sku": "i", "family": "a.b", "price": "3", "tags": ["old"]}',
        '{"sku": "i", "family": "a.c", "price": "4", "tags": ["x", "y"]}',
        '{"sku": "j", "price": "-4"}',
        '{"family": "a.c"}',
    )
    config = click_log(log, items=str(items), item_columns=ItemColumns(item_id="sku", category="family"))
    read = read_log(config, tmp_path / "scratch")
    assert read.items == {
        "i": {"category": "a.c", "price": 4.0, "tags": ["x", "y"]},
        "j": {"category": None, "price": None, "tags": None},
    }
    assert read.cleared == {"price is not a number of at least 0": 1}
    assert [(name, line) for name, line, _ in read.rejected] == [("items.jsonl", 4)]


def test_of_good_prices_nothing_is_said_to_be_left_out(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,i,click,1")
    items = write_log(tmp_path / "items.jsonl", '{"item_id": "i", "price": "3"}')
    assert read_log(click_log(log, items=str(items)), tmp_path / "scratch").cleared == {}


def test_the_last_row_is_the_last_by_every_column_given(tmp_path: Path) -> None:
    """Three rows of item 7: the second file's is the last, although its record comes first."""
    with open_engine(tmp_path) as engine:
        columns = {ITEM_ID: [7, 7, 7, 8], FILE: [0, 1, 0, 0], RECORD: [5, 1, 9, 0], "price": [1, 2, 3, 4]}
        table = engine.given({name: np.array(values) for name, values in columns.items()})
        by_both = engine.rows(last_of_each(table, by=(FILE, RECORD)).order_by(ITEM_ID))
        by_record = engine.rows(last_of_each(table).drop(FILE).order_by(ITEM_ID))
    assert by_both == [{ITEM_ID: 7, "price": 2}, {ITEM_ID: 8, "price": 4}]
    assert by_record == [{ITEM_ID: 7, "price": 3}, {ITEM_ID: 8, "price": 4}]
