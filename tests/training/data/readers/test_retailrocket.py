"""The Retailrocket folder on a few lines: events, item properties, category tree."""

from pathlib import Path

from tests.logs import read_log, write_log
from training.data.readers.retailrocket import RetailrocketConfig, category_paths


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


def test_the_latest_category_is_the_latest_by_time_wherever_it_stands(tmp_path: Path) -> None:
    write_log(tmp_path / "events.csv", "timestamp,visitorid,event,itemid,transactionid", "5,1,view,10,")
    header = "timestamp,itemid,property,value"
    write_log(tmp_path / "item_properties_part1.csv", header, "3000,10,categoryid,7", "2000,10,categoryid,6")
    write_log(tmp_path / "item_properties_part2.csv", header, "1,9,790,x", "1,9,790,x", "1000,10,categoryid,5")
    log = read_log(RetailrocketConfig(path=str(tmp_path)), tmp_path / "scratch")
    assert log.items == {"10": {"category": "7"}}


def test_category_paths_cut_a_circle() -> None:
    assert category_paths({"a": "b", "b": "a", "c": None}) == {"a": "b.a", "b": "a.b", "c": "c"}
