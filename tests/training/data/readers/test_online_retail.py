"""The Online Retail log on a few lines: returns and postage are no purchases."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.online_retail import OnlineRetailConfig


def test_online_retail_skips_returns_and_what_is_no_product(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "retail.csv",
        "invoice,stock_code,quantity,invoice_date,unit_price,customer_id,country",
        "536365,85123a,6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
        "536365,POST,1,2010-12-01 08:26:00,18.00,17850,United Kingdom",
        "C536379,85123A,-1,2010-12-01 09:41:00,2.55,14527,United Kingdom",
        "536380,22632,-2,2010-12-01 09:41:00,2.55,,United Kingdom",
        "536381,22632,x,2010-12-01 09:41:00,2.55,,United Kingdom",
        "536381,DCGS0003,1,2010-12-01 09:41:00,2.55,,United Kingdom",
    )
    log = read_log(OnlineRetailConfig(path=str(path)), tmp_path / "scratch")
    assert log.column("item_id") == ["85123A", "22632", "DCGS0003"]
    assert log.column("quantity") == [6.0, None, 1.0]
    assert log.column("user_id") == ["17850", None, None]
    assert log.skipped == {"return": 2, "not a product": 1}
    assert log.cleared == {"quantity is not a whole number of at least 0": 1}
    assert log.rejected == []
