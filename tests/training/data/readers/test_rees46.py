"""The REES46 log on a few lines, with times worked out by hand."""

from pathlib import Path

import pytest

from tests.logs import REES46_HEADER, SHARED, read_log, rees46_line, write_log
from training.data.readers.rees46 import Rees46Config

OCTOBER = 1_569_888_000_000
"""2019-10-01 UTC: 18,170 days of 86,400,000 ms."""


def test_rees46_maps_behaviours_and_falls_back_to_the_category_number(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "2019-Oct.csv.gz",
        REES46_HEADER,
        "2019-10-01 00:00:00 UTC,view,44,2103,,shiseido,35.79,541,aa",
        "2019-10-01 00:00:01 UTC,cart,44,2103,a.b,,35.79,541,aa",
        "2019-10-01 00:01:00 UTC,purchase,39,2053,a.b.c,aqua,33.20,554,bb",
        "2019-10-01 00:01:01 UTC,remove_from_cart,39,2053,a.b.c,aqua,33.20,554,bb",
        "2019-10-01 00:01:02 UTC,view,39,2053,a.b.c,aqua,33.20,554,",
    )
    log = read_log(Rees46Config(path=str(path)), tmp_path / "scratch")
    assert log.column("timestamp") == [OCTOBER, OCTOBER + 1000, OCTOBER + 60_000]
    assert log.column("behaviour") == [0, 1, 2]
    assert log.column("session_id") == ["aa", "aa", "bb"]
    assert log.column("user_id") == ["541", "541", "554"]
    assert log.column("category") == ["2103", "a.b", "a.b.c"]
    assert log.column("brand") == ["shiseido", None, "aqua"]
    assert log.column("price") == [35.79, 35.79, 33.20]
    assert log.skipped == {"behaviour left out: remove_from_cart": 1}
    assert log.rejected == [("2019-Oct.csv.gz", 6, "missing session_id")]


def test_a_behaviour_that_is_not_asked_for_is_skipped_and_one_that_is_not_there_refused(tmp_path: Path) -> None:
    path = write_log(tmp_path / "o.csv", REES46_HEADER, rees46_line("a", "1"), rees46_line("a", "1", behaviour="cart"))
    log = read_log(Rees46Config(path=str(path), behaviours=["cart"]), tmp_path / "scratch")
    assert (log.column("behaviour"), log.skipped) == ([0], {"behaviour left out: view": 1})
    with pytest.raises(ValueError, match="no 'like'; allowed: click, cart, purchase"):
        read_log(Rees46Config(path=str(path), behaviours=["like"]), tmp_path / "other")


def test_rees46_real_file(tmp_path: Path) -> None:
    path = SHARED / "rees46_2019oct_head" / "events.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    log = read_log(Rees46Config(path=str(path)), tmp_path / "scratch")
    behaviours = log.column("behaviour")
    assert [behaviours.count(code) for code in range(3)] == [17_055, 165, 214]
    assert len(set(log.column("session_id"))) == 5_066
    assert len(set(log.column("user_id"))) == 4_504
    assert len(set(log.column("item_id"))) == 6_493
    assert log.rejected == []
