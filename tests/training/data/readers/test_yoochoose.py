"""The Yoochoose folder on a few lines: clicks and buys."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.yoochoose import YoochooseConfig


def test_yoochoose_joins_clicks_and_buys(tmp_path: Path) -> None:
    write_log(
        tmp_path / "yoochoose-clicks.dat",
        "1,2014-04-07T10:51:09.277Z,214536502,0",
        "1,2014-04-07T10:54:09.868Z,214536500,S",
    )
    write_log(
        tmp_path / "yoochoose-buys.dat.gz",
        "1,2014-04-07T10:55:00.000Z,214536500,1046,2",
        "1,2014-04-07T10:55:00.000Z,214536502,0,0",
    )
    log = read_log(YoochooseConfig(path=str(tmp_path)), tmp_path / "scratch")
    assert log.column("behaviour") == [0, 0, 1, 1]
    # 2014-04-07 is day 16,167: 16167 * 86400 s + 10 h 51 min 9.277 s = 1396867869.277 s
    assert log.column("timestamp")[0] == 1396867869277
    assert log.column("price") == [None, None, 1046.0, None]
    assert log.column("quantity") == [None, None, 2.0, None]
    assert log.column("category") == [None, "S", None, None]
