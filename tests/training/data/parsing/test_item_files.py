"""Item files: the last valid row of an item holds."""

from pathlib import Path

from tests.logs import EVENTS_HEADER, click_log, read_log, write_log
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
    assert read.items == {"i": {"category": "a.c", "price": 4.0, "tags": ["x", "y"]}}
    assert [(name, line) for name, line, _ in read.rejected] == [("items.jsonl", 3), ("items.jsonl", 4)]
