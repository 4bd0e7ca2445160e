"""The ``events`` reader: formats, mappings and settings that do not fit."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.logs import EVENTS_HEADER, read_log, write_log
from training.data.readers.events import EventColumns, EventsConfig


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.parquet"])
def test_every_format_gives_the_same_events(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "jsonl" in name:
        write_log(
            path,
            '{"sku": 7, "kind": "view", "when": 1569888000, "who": "u", "cost": 1.5}',
            '{"sku": "8", "kind": "order", "when": "1569888001", "who": "u"}',
        )
    elif "parquet" in name:
        columns = {"sku": ["7", "8"], "kind": ["view", "order"], "when": pa.array([1569888000, 1569888001], pa.int64())}
        pq.write_table(pa.table(columns | {"who": ["u", "u"], "cost": [1.5, None]}), path)
    else:
        tab = "\t" if "tsv" in name else ","
        rows = ["sku,kind,when,who,cost", "7,view,1569888000,u,1.5", "8,order,1569888001,u,"]
        write_log(path, *(row.replace(",", tab) for row in rows))
    config = EventsConfig(
        path=str(path),
        columns=EventColumns(user_id="who", item_id="sku", behaviour="kind", timestamp="when", price="cost"),
        behaviour_map={"view": "click", "order": "purchase"},
    )
    assert read_log(config, tmp_path / "scratch").events == [
        {"user_id": "u", "item_id": "7", "behaviour": 0, "timestamp": 1569888000000, "price": 1.5},
        {"user_id": "u", "item_id": "8", "behaviour": 2, "timestamp": 1569888001000, "price": None},
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": EventColumns(item_id="sku")}, "data.columns.item_id: .* has no column 'sku'; it has: session_id"),
        ({"attributes": ["colour"]}, "has no column 'colour'; it has: session_id, item_id"),
        ({"behaviours": ["click", "click"]}, "behaviours must be distinct"),
        ({"behaviour_map": {"view": "look"}}, "behaviour_map.view is 'look'; allowed: click, cart, purchase"),
        ({"timestamp_format": "unix"}, "timestamp_format must be auto, iso, epoch_s, epoch_ms"),
        ({"delimiter": ";;"}, "data.delimiter must be one character"),
        ({"items": "no/such.csv"}, "data.items: there is no file no/such.csv"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,i,click,1")
    with pytest.raises(ValueError, match=message):
        read_log(EventsConfig(path=str(path), **changes), tmp_path / "scratch")  # type: ignore[arg-type]
