"""The Diginetica folder on a few lines, with times and prices worked out by hand."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.diginetica import DigineticaConfig


def test_diginetica_counts_time_from_the_day_and_prices_from_logarithms(tmp_path: Path) -> None:
    write_log(
        tmp_path / "train-item-views.csv",
        "sessionId;userId;itemId;timeframe;eventdate",
        "1;NA;81766;526309;2016-05-09",
        "1;12;31331;1031018;2016-05-09",
    )
    write_log(
        tmp_path / "train-purchases.csv.gz",
        "sessionId;userId;timeframe;eventdate;ordernumber;itemId",
        "1;12;1100000;2016-05-09;16421;31331",
    )
    write_log(tmp_path / "product-categories.csv", "itemId;categoryId", "31331;1096", "5;7")
    write_log(tmp_path / "products.csv", "itemId;pricelog2;product.name.tokens", "31331;10;4875,776", "81766;3;1")
    log = read_log(DigineticaConfig(path=str(tmp_path)), tmp_path / "scratch")
    day = 1_462_752_000_000  # 2016-05-09 is day 16,930
    assert log.column("timestamp") == [day + 526_309, day + 1_031_018, day + 1_100_000]
    assert log.column("behaviour") == [0, 0, 1]
    assert log.column("user_id") == [None, "12", "12"]
    # 2 ** 10 and 2 ** 3
    assert log.items == {
        "31331": {"category": "1096", "price": 1024.0},
        "5": {"category": "7", "price": None},
        "81766": {"category": None, "price": 8.0},
    }
