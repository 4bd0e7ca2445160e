"""The file of items."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.feedback.items import read_items


def test_what_the_file_has_not_is_null_and_an_id_stands_once(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,cost\n007,1.5\n8,\n007,9\n,3\n", encoding="utf-8")
    assert read_items(tmp_path / "items.csv").to_pylist() == [
        {"item_id": "007", "name": None, "category": None, "full_item_id": None, "cost": 1.5},
        {"item_id": "8", "name": None, "category": None, "full_item_id": None, "cost": None},
    ]


def test_parquet_is_read_too(tmp_path):
    pq.write_table(pa.table({"item_id": [1], "category": ["cases"]}), tmp_path / "items.parquet")
    assert read_items(tmp_path / "items.parquet").to_pylist()[0]["item_id"] == "1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sku\n1\n", "has no column 'item_id'; it has: sku"),
        ("item_id,cost\n1,cheap\n", "cost must be a number"),
        ("item_id,cost\n1,-3\n", "cost must be at least 0, got -3"),
        ("", "cannot be read"),
    ],
)
def test_a_file_of_items_that_is_none_is_refused_in_a_sentence(tmp_path, text, sentence):
    (tmp_path / "items.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        read_items(tmp_path / "items.csv")


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"items: .*nothing\.csv cannot be read"):
        read_items(tmp_path / "nothing.csv")
