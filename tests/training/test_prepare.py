"""``training.prepare``: sessions, splits, selection and catalogue, on logs small enough to count by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.logs import EVENTS_HEADER, REES46_HEADER, SHARED, events_log, rees46_line, sessions_of, write_log
from tillside.dataset import PARTS, Dataset
from tillside.encoding import EncodingSpec
from training.data.preparation.sessionising import Repeats
from training.data.preparation.splits import SplitBy, SplitConfig
from training.data.readers.events import EventsConfig
from training.data.readers.online_retail import OnlineRetailConfig
from training.data.readers.rees46 import Rees46Config
from training.data.readers.sequences import SequencesConfig
from training.data.readers.sessions_split import SessionsSplitConfig
from training.inputs.datamodule import SessionData
from training.prepare import PrepareConfig, prepare

NO_SPLIT = SplitConfig(by=SplitBy.fractions, validation=0.0, test=0.0)
DAY = 86_400


def clicks(path: Path, **settings: Any) -> PrepareConfig:
    """One behaviour, everything trained, nothing held out, unless told otherwise."""
    defaults: dict[str, Any] = {"min_item_support": 1, "split": NO_SPLIT}
    return PrepareConfig(
        out=str(path.parent / "out"), data=EventsConfig(path=str(path), behaviours=["click"]), **(defaults | settings)
    )


def test_events_are_sorted_by_session_time_and_then_as_they_stand_in_the_file(tmp_path: Path) -> None:
    lines = [
        "b,1,click,50",
        "a,2,click,9",
        "b,3,click,40",
        "a,4,click,9",
        "b,5,click,40",
        "a,6,click,8",
        "c,7,click,60",
    ]
    dataset = prepare(clicks(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines), min_session_length=1))
    # a ends at 9, b at 50, c at 60.
    assert sessions_of(dataset, "train") == [["6", "2", "4"], ["3", "5", "1"], ["7"]]
    assert dataset.sessions.times.tolist() == [8_000, 9_000, 9_000, 40_000, 40_000, 50_000, 60_000]


def test_fractions_hold_out_the_sessions_that_end_last_and_keep_them_whole(tmp_path: Path) -> None:
    # Ten sessions end at 1, 11, ... 91 s, save that the long one starts first and ends at 200 s.
    sessions = [(f"s{number}", 10 * number, ["x", "y"]) for number in range(9)]
    path = events_log(tmp_path / "log.csv", sessions)
    path.write_text(path.read_text() + "long,y,click,200\nlong,x,click,0\n")
    dataset = prepare(clicks(path, split=SplitConfig(validation=0.2, test=0.2)))
    # 10 sessions: 2 test, 2 validation, 6 train.
    assert dataset.parts == {"train": (0, 6), "validation": (6, 8), "test": (8, 10)}
    assert sessions_of(dataset, "test") == [["x", "y"], ["x", "y"]]
    assert dataset.part("test").times.tolist() == [80_000, 81_000, 0, 200_000]
    ranges = dataset.about["time_ranges"]
    assert ranges["train"] == ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:51.000Z"]
    assert dataset.test_cases == "every"


def test_sessions_that_end_together_are_in_one_part(tmp_path: Path) -> None:
    ends = [1, 2, 3, 5, 5, 5, 5, 5, 9, 9]
    path = events_log(tmp_path / "log.csv", [(str(n), end - 1, ["x", "y"]) for n, end in enumerate(ends)])
    dataset = prepare(clicks(path, split=SplitConfig(validation=0.3, test=0.2)))
    # The share would cut between the fifth and the sixth session, which both end at 5: all five are validation.
    assert dataset.parts == {"train": (0, 3), "validation": (3, 8), "test": (8, 10)}


def test_days_count_back_from_the_last_event(tmp_path: Path) -> None:
    ends = [1 * DAY, 7 * DAY, 8 * DAY + 1, 9 * DAY, 10 * DAY]
    path = events_log(tmp_path / "log.csv", [(str(n), end - 1, ["x", "y"]) for n, end in enumerate(ends)])
    dataset = prepare(clicks(path, split=SplitConfig(by=SplitBy.days, validation=2, test=1)))
    # Test: after day 9. Validation: after day 7 up to and with day 9.
    assert dataset.parts == {"train": (0, 2), "validation": (2, 4), "test": (4, 5)}


def test_support_and_length_are_counted_on_the_training_part_alone_and_once(tmp_path: Path) -> None:
    path = events_log(
        tmp_path / "log.csv",
        [
            ("t1", 0, ["a", "b"]),
            ("t2", 10, ["a", "c", "b"]),
            ("t3", 20, ["d", "c", "e"]),  # of these only c is trained: too short
            ("t4", 30, ["b"]),  # too short, yet its event counts for b
            ("v1", 40, ["d", "d"]),  # d is seen often, but in training only once
            ("v2", 50, ["a"]),  # nothing to predict
            ("x1", 60, ["z", "a"]),
            ("x2", 70, ["a", "b"]),
        ],
    )
    config = clicks(path, min_item_support=2, split=SplitConfig(validation=0.25, test=0.25))
    dataset = prepare(config)
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "c", "b"]]
    assert sessions_of(dataset, "validation") == [["d", "d"]]
    assert sessions_of(dataset, "test") == [["z", "a"], ["a", "b"]]
    # Training events: b 3, a 2, c 2 (trained; a before c by id), then d 1, e 1, z 0 by id.
    catalogue = dataset.catalogue
    assert (catalogue.item_ids, catalogue.trained) == (["b", "a", "c", "d", "e", "z"], 3)
    assert catalogue.counts_NB.tolist() == [[3], [2], [2], [1], [1], [0]]
    counts = dataset.about["counts"]
    assert (counts["items"], counts["items_trained"]) == (6, 3)
    assert counts["rows"] == 2 + 3 + 3 + 1 + 2 + 1 + 2 + 2
    parts = counts["parts"]
    assert [parts[part]["sessions_dropped_short"] for part in ("train", "validation", "test")] == [2, 1, 0]
    assert parts["test"]["untrained_share"] == 1 / 4
    assert parts["validation"]["untrained_share"] == 1.0


def test_an_idle_gap_makes_sessions_of_users_and_divides_sessions_when_asked(tmp_path: Path) -> None:
    minutes = [0, 30, 61, 62]
    lines = [f"u,{number},click,{60 * minute}" for number, minute in enumerate(minutes)]
    users = write_log(tmp_path / "users.csv", EVENTS_HEADER.replace("session_id", "user_id"), *lines)
    # Pauses of 30, 31 and 1 minutes: only a longer pause than 30 divides.
    assert sessions_of(prepare(clicks(users)), "train") == [["0", "1"], ["2", "3"]]
    wide = prepare(clicks(users, session_gap_minutes=31))
    assert sessions_of(wide, "train") == [["0", "1", "2", "3"]]
    ids = write_log(tmp_path / "ids.csv", EVENTS_HEADER, *lines)
    assert sessions_of(prepare(clicks(ids)), "train") == [["0", "1", "2", "3"]]
    assert sessions_of(prepare(clicks(ids, session_gap_minutes=30)), "train") == [["0", "1"], ["2", "3"]]


def test_repeats_are_kept_or_collapsed_by_item_and_behaviour(tmp_path: Path) -> None:
    steps = ["x click 5", "x click 6", "x cart 7", "x click 8", "y click 9", "y click 9", "x click 10"]
    lines = [",".join(["s", *step.split()]) for step in steps]
    config = replace(
        clicks(write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines), repeats=Repeats.collapse),
        data=EventsConfig(path=str(tmp_path / "log.csv"), behaviours=["click", "cart"]),
    )
    dataset = prepare(config)
    assert sessions_of(dataset, "train") == [["x", "x", "x", "y", "x"]]
    assert dataset.sessions.behaviours.tolist() == [0, 1, 0, 0, 0]
    assert dataset.sessions.times.tolist() == [5_000, 7_000, 8_000, 9_000, 10_000]
    assert len(prepare(replace(config, repeats=Repeats.keep)).sessions.items) == 7


def test_a_longer_session_is_cut_and_loses_nothing(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("bot", 0, list("abcdefg")), ("s", 100, ["a", "b"])])
    dataset = prepare(clicks(path, max_session_length=3, min_session_length=1))
    assert sessions_of(dataset, "train") == [list("abc"), list("def"), ["g"], ["a", "b"]]


def test_catalogue_takes_price_and_attributes_from_the_training_events_first(tmp_path: Path) -> None:
    header = f"{EVENTS_HEADER},price,category,brand,name,colour"
    lines = [
        "t,i,click,1,10,a.b,acme,Lamp,red",
        "t,i,click,2,30,a.b,other,Lamp,red",
        "t,i,click,3,14,a.c,acme,Lamp,",
        "x,i,click,10,99,a.c,acme,Bulb,red",
        "x,j,click,11,7,,,,blue",
        "x,j,click,12,7,,,,blue",
    ]
    path = write_log(tmp_path / "log.csv", header, *lines)
    items = write_log(tmp_path / "items.csv", "item_id,price,brand,size", "j,5,zen,xl", "k,1,no,s")
    data = EventsConfig(path=str(path), behaviours=["click"], attributes=["colour"], items=str(items))
    dataset = prepare(replace(clicks(path), data=data, split=SplitConfig(validation=0, test=0.5)))
    catalogue = dataset.catalogue
    assert catalogue.item_ids == ["i", "j", "k"]  # k stands in the item file alone
    # The median of 10, 30 and 14; j has no training event, so the item file goes before the later 7.
    assert catalogue.prices_N.tolist() == [14.0, 5.0, 1.0]
    assert catalogue.names == ["Lamp", "", ""]
    # a.b stands in two training events, a.c in one; of the prices 1, 5 and 14 the middle one is the fifth decile.
    assert catalogue.tokens_of(0) == ["category=a", "category=a.b", "brand=acme", "colour=red", "price_band=9"]
    assert catalogue.tokens_of(1) == ["brand=zen", "colour=blue", "size=xl", "price_band=5"]
    assert catalogue.tokens_of(2) == ["brand=no", "size=s", "price_band=0"]
    assert (catalogue.trained, catalogue.rankable) == (1, 1)  # neither shares anything with i
    assert np.isclose(dataset.sessions.optional["prices"], [10, 30, 14, 99, 7, 7]).all()


def test_cold_items_follow_the_trained_ones_if_training_knows_an_attribute_of_theirs(tmp_path: Path) -> None:
    sessions = [("t", 1, ["a", "b"]), ("x", 9, ["z", "c", "d", "a"])]
    path = events_log(tmp_path / "log.csv", sessions)
    # c has the brand of a, e of the item file has that of b; no trained item is of brand new, nothing is known of z.
    items = write_log(tmp_path / "items.csv", "item_id,brand", "a,old", "b,other", "c,old", "d,new", "e,other")
    data = EventsConfig(path=str(path), behaviours=["click"], items=str(items))
    dataset = prepare(replace(clicks(path, split=SplitConfig(validation=0, test=0.5)), data=data))
    catalogue = dataset.catalogue
    assert catalogue.item_ids == ["a", "b", "c", "e", "d", "z"]
    assert (catalogue.trained, catalogue.rankable) == (2, 4)
    assert dataset.about["counts"]["items_rankable"] == 4
    assert catalogue.counts_NB.tolist() == [[1], [1], [0], [0], [0], [0]]
    assert sessions_of(dataset, "test") == [["z", "c", "d", "a"]]


def test_items_that_are_held_out_keep_their_test_events_alone(tmp_path: Path) -> None:
    ids = [f"i{number}" for number in range(10)]
    path = events_log(tmp_path / "log.csv", [(f"s{number}", 100 * number, ids) for number in range(10)])
    split = SplitConfig(validation=0.2, test=0.2)
    whole, config = prepare(clicks(path, split=split)), clicks(path, split=split, holdout_items=0.3)
    assert whole.catalogue.trained == 10
    dataset = prepare(config)
    held = set(dataset.catalogue.item_ids[7:])
    assert (dataset.catalogue.trained, dataset.catalogue.counts_NB[7:].sum()) == (7, 0)
    for part in ("train", "validation"):
        assert sessions_of(dataset, part) == [[item for item in ids if item not in held]] * len(dataset.part(part))
    assert dataset.parts == whole.parts
    assert sessions_of(dataset, "test") == sessions_of(whole, "test") == [ids] * 2
    drawn = {frozenset(prepare(replace(config, seed=seed)).catalogue.item_ids[7:]) for seed in (0, 1, 2, 3)}
    assert frozenset(held) in drawn
    assert len(drawn) > 1


def test_optional_columns_become_arrays(tmp_path: Path) -> None:
    header = f"{EVENTS_HEADER},user_id,price,quantity,scene_id"
    lines = ["s,a,click,1,u9,1.5,2,live", "s,b,click,2,u9,,,", "t,a,click,3,,4,1,look", "t,b,click,4,,4,1,live"]
    optional = prepare(clicks(write_log(tmp_path / "log.csv", header, *lines))).sessions.optional
    assert optional["users"].tolist() == [0, -1]
    assert optional["scenes"].tolist() == [0, -1, 1, 0]
    assert optional["quantities"].tolist() == [2, -1, 1, 1]
    assert np.array_equal(optional["prices"], np.array([1.5, np.nan, 4, 4], np.float32), equal_nan=True)
    plain = prepare(clicks(events_log(tmp_path / "plain.csv", [("s", 1, ["a", "b"])])))
    assert plain.sessions.optional == {}


def test_given_cases_all_survive_as_they_are(tmp_path: Path) -> None:
    train = write_log(tmp_path / "train.txt", *[f"{n} {n + 1}" for n in range(9)], "1 1 1")
    test = write_log(tmp_path / "test.txt", "1 2\t3", "1\t2", "77\t1")
    data = SessionsSplitConfig(train=str(train), test=str(test))
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data, split=SplitConfig(validation=0.2)))
    assert sessions_of(dataset, "train") == [[str(n), str(n + 1)] for n in range(8)]
    assert sessions_of(dataset, "validation") == [["8", "9"], ["1", "1", "1"]]
    assert sessions_of(dataset, "test") == [["1", "2", "3"], ["1", "2"], ["77", "1"]]
    assert dataset.test_cases == "last"
    assert set(dataset.sessions.times.tolist()) == {-1}
    assert dataset.about["time_ranges"] == {"train": None, "validation": None, "test": None}
    # Training shows 0 to 8; 9 and 77 only come later.
    assert dataset.catalogue.item_ids[dataset.catalogue.trained :] == ["77", "9"]


def sequences(tmp_path: Path, *lines: str, attributes: str | None = None, **settings: Any) -> PrepareConfig:
    path = write_log(tmp_path / "sequences.txt", *lines)
    given = None if attributes is None else str(write_log(tmp_path / "attributes.json", attributes))
    return PrepareConfig(out=str(tmp_path / "out"), data=SequencesConfig(path=str(path), attributes=given), **settings)


def test_leaving_one_out_makes_three_sessions_of_one(tmp_path: Path) -> None:
    lines = ["u a b c d", "v a c", "w b a e", "x d d a b a"]
    attributes = '{"a": [7, 5], "d": [5], "elsewhere": [1]}'
    dataset = prepare(sequences(tmp_path, *lines, attributes=attributes))
    # v is too short to hold anything out; w has one event left to train on, which is too few.
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "c"], ["d", "d", "a"]]
    assert sessions_of(dataset, "validation") == [["a", "b", "c"], ["b", "a"], ["d", "d", "a", "b"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"], ["b", "a", "e"], ["d", "d", "a", "b", "a"]]
    assert (dataset.validation_cases, dataset.test_cases) == ("last", "last")
    # Users in order of first appearance: u, v, x; then u, w, x twice.
    assert dataset.sessions.optional["users"].tolist() == [0, 1, 2, 0, 3, 2, 0, 3, 2]
    # Counted in training alone: a 3, b 2 (w's too), d 2, c 1; e is held out, elsewhere stands in no event.
    catalogue = dataset.catalogue
    assert (catalogue.item_ids, catalogue.trained) == (["a", "b", "d", "c", "e", "elsewhere"], 4)
    assert catalogue.counts_NB.tolist() == [[3], [2], [2], [1], [0], [0]]
    assert [catalogue.tokens_of(item) for item in range(3)] == [["attribute=7", "attribute=5"], [], ["attribute=5"]]


def test_only_the_last_event_is_validated_when_one_is_left_out(tmp_path: Path) -> None:
    dataset = prepare(sequences(tmp_path, "u a b c d", "v b a c a b"))
    data = SessionData(dataset, spec=EncodingSpec(), batch_events=64, validation_cases=100, seed=0)
    ids = dataset.catalogue.item_ids
    assert [ids[item] for item in data.validation.targets_C] == ["c", "a"]
    assert data.validation.prefix_lengths_C.tolist() == [2, 3]
    # u trains on b after a; v on a after b and c after a
    assert data.rows.targets == 3


def test_leaving_one_out_goes_by_time_where_there_is_a_clock(tmp_path: Path) -> None:
    lines = ["s,c,click,30", "s,a,click,10", "t,a,click,5", "s,d,click,40", "t,b,click,6", "s,b,click,20"]
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *lines)
    dataset = prepare(clicks(path, split=SplitConfig(by=SplitBy.leave_one_out)))
    assert sessions_of(dataset, "train") == [["a", "b"], ["a", "b"]]
    assert sessions_of(dataset, "validation") == [["a", "b", "c"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"]]
    assert dataset.part("test").times.tolist() == [10_000, 20_000, 30_000, 40_000]


def test_leaving_one_out_is_the_same_after_repeats_are_collapsed(tmp_path: Path) -> None:
    dataset = prepare(sequences(tmp_path, "u a a b b c d d", "v a a a", repeats=Repeats.collapse))
    assert sessions_of(dataset, "train") == [["a", "b"]]
    assert sessions_of(dataset, "validation") == [["a", "b", "c"]]
    assert sessions_of(dataset, "test") == [["a", "b", "c", "d"]]


def test_same_input_and_config_give_the_same_digest_and_other_config_another(tmp_path: Path) -> None:
    lines = [
        rees46_line(
            f"s{number % 40}", f"i{number % 7}", at=f"2019-10-01 00:{number % 60:02d}:00 UTC", price=str(number)
        )
        for number in range(400)
    ]
    path = write_log(tmp_path / "log.csv", REES46_HEADER, *lines)
    config = PrepareConfig(out=str(tmp_path / "one"), data=Rees46Config(path=str(path)))
    first = prepare(config)
    named = prepare(replace(config, out=str(tmp_path / "two"), name="a shop"))
    assert (named.digest, named.about["name"], first.about["name"]) == (first.digest, "a shop", "rees46")
    assert prepare(replace(config, out=str(tmp_path / "three"), max_session_length=2)).digest != first.digest
    about = json.loads((tmp_path / "one" / "dataset.json").read_text())
    assert about["config"]["min_item_support"] == 5
    assert about["config"]["split"] == {"by": "fractions", "validation": 0.05, "test": 0.1}
    assert about["sources"][0]["bytes"] == path.stat().st_size
    assert sorted(entry.name for entry in (tmp_path / "one").iterdir()) == [
        "catalogue", "dataset.json", "rejects.csv", "sessions"
    ]  # fmt: skip


def test_few_bad_rows_are_listed_with_file_line_reason_and_text(tmp_path: Path) -> None:
    path = events_log(tmp_path / "log.csv", [("s", 0, ["a"] * 98)])
    path.write_text(path.read_text() + "s,b,click,soon\nonly,two\n")
    dataset = prepare(clicks(path, max_reject_share=0.02))
    assert dataset.about["counts"]["rejected"] == {"malformed row": 1, "unparsable timestamp": 1}
    assert (dataset.path / "rejects.csv").read_text() == (
        f'file,line,reason,text\n{path},100,unparsable timestamp,"s,b,click,soon"\n'
        f'{path},101,malformed row,"only,two"\n'
    )


def prepared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def untrained_never_in_training(dataset: Dataset) -> bool:
    return bool((dataset.part("train").items < dataset.catalogue.trained).all())


def test_sessions_split_real_files(tmp_path: Path) -> None:
    folder = prepared("diginetica_gce")
    data = SessionsSplitConfig(
        train=str(folder / "train_sessions.txt.gz"), test=str(folder / "test_prefix_tab_target.txt.gz")
    )
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data))
    assert len(dataset.catalogue) == 43_097
    # 186,670 train sessions with 906,140 events, of which the last 5 % (9,333.5 rounded to 9,334) are validation.
    assert dataset.parts == {"train": (0, 177_336), "validation": (177_336, 186_670), "test": (186_670, 247_528)}
    assert int(dataset.sessions.offsets[186_670]) == 906_140
    assert untrained_never_in_training(dataset)


def test_sequences_real_files(tmp_path: Path) -> None:
    folder = prepared("amazon_beauty")
    data = SequencesConfig(path=str(folder / "sequences.txt.gz"), attributes=str(folder / "item_attributes.json.gz"))
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=data))
    # 22,363 users, 198,502 events; one and two events of each user are held out.
    assert dataset.parts == {"train": (0, 22_363), "validation": (22_363, 44_726), "test": (44_726, 67_089)}
    assert [len(dataset.part(part).items) for part in PARTS] == [198_502 - 44_726, 198_502 - 22_363, 198_502]
    assert len(dataset.catalogue) == 12_101
    assert untrained_never_in_training(dataset)


def test_online_retail_real_file(tmp_path: Path) -> None:
    path = prepared("online_retail") / "online_retail.csv.gz"
    dataset = prepare(PrepareConfig(out=str(tmp_path / "out"), data=OnlineRetailConfig(path=str(path))))
    counts = dataset.about["counts"]
    assert counts["rows"] == 541_909
    assert counts["rejected"] == {}
    # Counted with the csv module: 10,624 rows with a negative quantity or an invoice that starts with C.
    assert counts["skipped"]["return"] == 10_624
    assert untrained_never_in_training(dataset)
    ranges = dataset.about["time_ranges"]
    assert ranges["train"][0] == "2010-12-01T08:26:00.000Z"
    assert ranges["test"][1] == "2011-12-09T12:50:00.000Z"
