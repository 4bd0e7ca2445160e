"""Each publisher's format on a few lines, with times and prices worked out by hand."""

from pathlib import Path

import pytest

from tests.logs import REES46_HEADER, SHARED, read_log, rees46_line, write_log
from training.data.readers.diginetica import DigineticaConfig
from training.data.readers.online_retail import OnlineRetailConfig
from training.data.readers.otto import OttoConfig
from training.data.readers.rees46 import Rees46Config
from training.data.readers.retailrocket import RetailrocketConfig, category_paths
from training.data.readers.sequences import SequencesConfig
from training.data.readers.sessions_split import SessionsSplitConfig
from training.data.readers.yoochoose import YoochooseConfig

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


def test_retailrocket_takes_the_latest_category_as_a_path(tmp_path: Path) -> None:
    write_log(
        tmp_path / "events.csv",
        "timestamp,visitorid,event,itemid,transactionid",
        "1433221332117,257597,view,355908,",
        "1433224214164,257597,addtocart,10,",
        "1433224214165,257597,transaction,10,4000",
    )
    header = "timestamp,itemid,property,value"
    write_log(
        tmp_path / "item_properties_part1.csv",
        header,
        "1435460400000,10,categoryid,7",
        "1435460400000,10,790,n552.000",
        "1435460400000,355908,categoryid,99",
    )
    write_log(tmp_path / "item_properties_part2.csv.gz", header, "1433041200000,10,categoryid,5")
    write_log(tmp_path / "category_tree.csv", "categoryid,parentid", "7,3", "3,1", "1,")
    log = read_log(RetailrocketConfig(path=str(tmp_path)), tmp_path / "scratch")
    assert log.column("behaviour") == [0, 1, 2]
    assert log.column("timestamp") == [1433221332117, 1433224214164, 1433224214165]
    assert log.column("user_id") == ["257597"] * 3
    # Part 2 is older than part 1; 99 is not in the tree and stays as it is.
    assert log.items == {"10": {"category": "1.3.7"}, "355908": {"category": "99"}}


def test_category_paths_cut_a_circle() -> None:
    assert category_paths({"a": "b", "b": "a", "c": None}) == {"a": "b.a", "b": "a.b", "c": "c"}


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


def test_otto_unfolds_lines_and_takes_seconds_or_milliseconds(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "train.jsonl.gz",
        '{"session":0,"events":[{"aid":15,"ts":1659304800025,"type":"clicks"},{"aid":16,"ts":1659304900,"type":"carts"}]}',
        '{"session":1,"events":"none"}',
        '{"session":2,"events":[{"aid":17,"ts":1659304800030,"type":"orders"},{"ts":1659304800030,"type":"clicks"},'
        '{"aid":17,"ts":1659304800030,"type":"likes"}]}',
        '{"session":3,',
        '{"session":4,"events":[]}',
        '{"session":5,"events":[{"aid":18,"ts":1659304800031,"type":"clicks"}]}',
    )
    log = read_log(OttoConfig(path=str(path)), tmp_path / "scratch")
    assert log.column("item_id") == ["15", "16", "17", "18"]
    assert log.column("session_id") == ["0", "0", "2", "5"]
    assert log.column("behaviour") == [0, 1, 2, 0]
    assert log.column("timestamp") == [1659304800025, 1659304900000, 1659304800030, 1659304800031]
    assert log.rejected == [
        ("train.jsonl.gz", 2, "malformed row"),
        ("train.jsonl.gz", 3, "missing item_id"),
        ("train.jsonl.gz", 3, "unknown behaviour"),
        ("train.jsonl.gz", 4, "malformed row"),
    ]


def test_otto_keeps_the_order_inside_a_line(tmp_path: Path) -> None:
    events = ",".join(f'{{"aid":{number},"ts":1659304800,"type":"clicks"}}' for number in range(300))
    path = write_log(tmp_path / "train.jsonl", *[f'{{"session":{s},"events":[{events}]}}' for s in range(20)])
    log = read_log(OttoConfig(path=str(path)), tmp_path / "scratch")
    assert log.column("item_id") == [str(number) for number in range(300)] * 20


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
    assert log.column("item_id") == ["85123A", "DCGS0003"]
    assert log.column("quantity") == [6.0, 1.0]
    assert log.column("user_id") == ["17850", None]
    assert log.skipped == {"return": 2, "not a product": 1}
    assert log.rejected == [("retail.csv", 6, "quantity is not a whole number of at least 0")]


def test_sessions_split_makes_a_case_of_each_test_line(tmp_path: Path) -> None:
    train = write_log(tmp_path / "train.txt.gz", "1 2", "3 4  5", "", "6\t7", "8 9")
    test = write_log(tmp_path / "test.txt", "1 2\t3", "4\t5", "4 5", "\t6", "7\t")
    log = read_log(SessionsSplitConfig(train=str(train), test=str(test)), tmp_path / "scratch")
    assert log.column("item_id") == ["1", "2", "3", "4", "5", "8", "9", "1", "2", "3", "4", "5"]
    assert log.column("__part") == [0] * 7 + [2] * 5
    assert set(log.column("timestamp")) == {-1}
    assert len(set(log.column("session_id"))) == 5
    assert [(name, line) for name, line, _ in log.rejected] == [
        ("train.txt.gz", 4),
        ("test.txt", 3),
        ("test.txt", 4),
        ("test.txt", 5),
    ]


def test_sequences_are_a_user_and_then_items(tmp_path: Path) -> None:
    path = write_log(tmp_path / "sequences.txt.gz", "u1 a b a", "u2", "u3  c ", "u4\tc", "", "u1 b c")
    attributes = write_log(tmp_path / "attributes.json", '{"a": [3, 1], "b": [], "z": ["x"]}')
    log = read_log(SequencesConfig(path=str(path), attributes=str(attributes)), tmp_path / "scratch")
    assert log.column("item_id") == ["a", "b", "a", "c", "b", "c"]
    assert log.column("user_id") == ["u1", "u1", "u1", "u3", "u1", "u1"]
    assert [len(set(log.column("session_id")[a:b])) for a, b in ((0, 3), (3, 6), (0, 6))] == [1, 2, 3]
    assert set(log.column("timestamp")) == {-1}
    assert log.items == {"a": {"attribute": ["3", "1"]}, "b": {"attribute": []}, "z": {"attribute": ["x"]}}
    assert log.rejected == [("sequences.txt.gz", 2, "malformed row"), ("sequences.txt.gz", 4, "malformed row")]


@pytest.mark.parametrize("content", ["a 1", "[1]", "{}", '{"a": 1}'])
def test_an_attribute_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path, attributes = write_log(tmp_path / "s.txt", "u a b"), write_log(tmp_path / "a.json", content)
    with pytest.raises(ValueError, match=r"data\.attributes: .*a\.json"):
        read_log(SequencesConfig(path=str(path), attributes=str(attributes)), tmp_path / "scratch")


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
