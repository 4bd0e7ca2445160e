"""The canonical event table: which rows are rejected, which are skipped, and in what order they stand."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.events import EventsConfig


def test_prices_and_behaviours_that_are_rejected_or_left_out(tmp_path: Path) -> None:
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
    assert log.column("price") == [1.0, None, 0.0]
    assert log.skipped == {"behaviour left out: hover": 1}
    bad_price = "price is not a number of at least 0"
    assert [(line, reason) for _, line, reason in log.rejected] == [
        *((line, bad_price) for line in (4, 5, 6, 7)),
        (10, "unknown behaviour"),
        (11, "unknown behaviour"),
        (12, "missing item_id"),
    ]
