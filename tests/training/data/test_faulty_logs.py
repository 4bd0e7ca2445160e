"""Logs as shops export them, fault by fault: read right, or refused in a sentence; never silently wrong."""

import bz2
import gzip
import json
import lzma
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.logs import EVENTS_HEADER, NO_SPLIT, read_log, sessions_of, write_log
from tillside.dataset import Dataset, Sessions
from tillside.recommenders.simple import recent_events
from training.data.preparation.remarks import remarks
from training.data.readers.events import EventColumns, EventsConfig, ItemColumns
from training.settings.prepare import PrepareConfig
from training.stages.prepare import prepare

NOON = 1_700_000_000_000
ONE = f"{EVENTS_HEADER}\ns,café,click,{NOON}\ns,b,cart,{NOON + 1000}\n"
READ = [("café", 0, NOON), ("b", 1, NOON + 1000)]


def read(tmp_path: Path, path: object, **settings: object) -> list[dict]:
    given = str(path) if isinstance(path, Path) else path
    return read_log(EventsConfig(path=given, **settings), tmp_path / "scratch").events  # type: ignore[arg-type]


def short(events: list[dict]) -> list[tuple]:
    return [(event["item_id"], event["behaviour"], event["timestamp"]) for event in events]


def zipped(content: bytes) -> bytes:
    import io

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("month/log.csv", content)
        archive.writestr("__MACOSX/._log.csv", b"\x00")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("log.csv.gz", gzip.compress),
        ("log.csv.bz2", bz2.compress),
        ("log.csv.xz", lzma.compress),
        ("log.csv.zst", lambda content: pa.compress(content, "zstd", asbytes=True)),
        ("log.csv.zip", zipped),
        ("log.csv", lambda content: content.replace(b"\n", b"\r")),
        ("log.csv", lambda content: content.decode().encode("utf-16")),
        ("log.csv", lambda content: gzip.compress(content.decode().replace("\n", "\r").encode("utf-16"))),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "zip", "CR", "UTF-16", "all of it"],
)
def test_however_a_file_is_packed_it_is_the_same_log(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(ONE.encode()))
    assert short(read(tmp_path, tmp_path / name)) == READ


def test_an_encoding_that_is_named_is_read_and_a_wrong_one_told(tmp_path):
    (tmp_path / "log.csv").write_bytes(ONE.encode("cp1252"))
    assert short(read(tmp_path, tmp_path / "log.csv", encoding="cp1252")) == READ
    with pytest.raises(ValueError, match=r"data.encoding must be an encoding such as cp1252"):
        read(tmp_path, tmp_path / "log.csv", encoding="latin-nine")
    (tmp_path / "bad.csv").write_bytes(b"a\x81")
    with pytest.raises(ValueError, match=r"bad.csv cannot be read as cp1252"):
        read(tmp_path, tmp_path / "bad.csv", encoding="cp1252")


@pytest.mark.parametrize("given", ["folder", "folder/*.csv", ["folder/a.csv", "folder/b.csv"]], ids=str)
def test_several_files_are_one_log_whatever_their_columns(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    write_log(Path("folder/a.csv"), EVENTS_HEADER, f"s,a,click,{NOON}")
    write_log(Path("folder/b.csv"), f"price,{EVENTS_HEADER}", f"2.5,s,b,click,{NOON}")
    write_log(Path("folder/_SUCCESS"), "")
    events = read(tmp_path, given)
    assert [(event["item_id"], event["price"]) for event in events] == [("a", None), ("b", 2.5)]
    with pytest.raises(ValueError, match="no file matches"):
        read(tmp_path, "folder/*.tsv")


def test_a_folder_of_parquet_is_one_table_with_its_partitions_as_columns(tmp_path):
    for day, item in (("1", "a"), ("2", "b")):
        folder = tmp_path / "log.parquet" / f"day={day}"
        folder.mkdir(parents=True)
        columns = {"session_id": ["s"], "item_id": [item], "behaviour": ["click"], "timestamp": [NOON]}
        pq.write_table(pa.table(columns), folder / "part-0.parquet")
    (tmp_path / "log.parquet" / "_SUCCESS").touch()
    events = read(tmp_path, tmp_path / "log.parquet", attributes=["day"])
    assert [(event["item_id"], event["day"]) for event in events] == [("a", "1"), ("b", "2")]


GA4 = [
    {"event_timestamp": str(NOON * 1000), "event_name": "view_item", "user_pseudo_id": "u",
     "event_params": [{"key": "page", "value": {"string_value": "x"}},
                      {"key": "ga_session_id", "value": {"int_value": "7"}}],
     "items": [{"item_id": "a", "price": 1.5}, {"item_id": "b"}]},
    {"event_timestamp": str(NOON * 1000), "event_name": "view_item", "user_pseudo_id": "u", "items": []},
]  # fmt: skip
OF_GA4 = {
    "columns": EventColumns(
        user_id="user_pseudo_id", session_id="event_params.ga_session_id", item_id="items.item_id",
        price="items.price", behaviour="event_name", timestamp="event_timestamp",
    ),
    "behaviour_map": {"view_item": "click"},
}  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "array", "parquet"])
def test_fields_inside_values_are_read_by_path_and_lists_unrolled(tmp_path, form):
    """The second event has no item: it is skipped, and counted."""
    path = tmp_path / ("log.parquet" if form == "parquet" else "log.json")
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(GA4), path)
    else:
        path.write_text(json.dumps(GA4) if form == "array" else "\n".join(map(json.dumps, GA4)))
    found = read_log(EventsConfig(path=str(path), **OF_GA4), tmp_path / "scratch")  # type: ignore[arg-type]
    assert [(event["session_id"], event["item_id"], event["price"], event["timestamp"]) for event in found.events] == [
        ("7", "a", 1.5, NOON),
        ("7", "b", None, NOON),
    ]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("items", "items of .* is a list of objects and no plain value; name a field in it, such as items.item_id"),
        ("items.sku", "has no items.sku; items has: item_id, price"),
        ("event_params", "is a list of objects"),
    ],
)
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_a_list_is_no_item_id(tmp_path, form, column, sentence):
    path = tmp_path / f"log.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(GA4), path)
    else:
        path.write_text("\n".join(map(json.dumps, GA4)))
    columns = EventColumns(
        user_id="user_pseudo_id", item_id=column, behaviour="event_name", timestamp="event_timestamp"
    )
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path, path, columns=columns, behaviour_map={"view_item": "click"})


def test_a_key_that_comes_late_is_a_column(tmp_path):
    early = json.dumps({"session_id": "s", "item_id": "a", "behaviour": "click", "timestamp": NOON})
    late = json.dumps({"session_id": "s", "item_id": "b", "behaviour": "click", "timestamp": NOON, "price": 3})
    events = read(tmp_path, write_log(tmp_path / "log.jsonl", *[early] * 1100, late))
    assert [event["price"] for event in events[-2:]] == [None, 3.0]


@pytest.mark.parametrize(
    ("text", "price"),
    [("9.50 EUR", 9.5), ("9,50", 9.5), ("1.234,50", 1234.5), ("€ 1,234.50", 1234.5), ("1 234,5 kr", 1234.5),
     ("12", 12.0),
     ("NULL", None), ("NaN", None), ("\\N", None), ("", None), ("free", None), ("-3", None)],
)  # fmt: skip
def test_a_price_in_another_spelling_is_read_and_a_bad_one_costs_itself_alone(tmp_path, text, price):
    path = write_log(tmp_path / "log.csv", "session_id;item_id;behaviour;timestamp;price", f"s;a;click;{NOON};{text}")
    (event,) = read(tmp_path, path)
    assert (event["item_id"], event["price"]) == ("a", price)


def test_a_column_of_our_name_can_be_refused(tmp_path):
    path = write_log(tmp_path / "log.csv", f"{EVENTS_HEADER},price", f"s,a,click,{NOON},7")
    assert "price" not in read(tmp_path, path, ignore=["price"])[0]
    with pytest.raises(ValueError, match=r"data.ignore: 'cost' is no column that can be left"):
        read(tmp_path, path, ignore=["cost"])


def test_words_for_nothing_are_no_item_and_can_be_said(tmp_path):
    rows = [f"s,{word},click,{NOON + n}" for n, word in enumerate(["a", "(not set)", "nan", "NULL"])]
    found = read_log(
        EventsConfig(path=str(write_log(tmp_path / "log.csv", EVENTS_HEADER, *rows))), tmp_path / "scratch"
    )
    assert [event["item_id"] for event in found.events] == ["a"]
    events = read(tmp_path, tmp_path / "log.csv", missing=["nan"])
    assert [event["item_id"] for event in events] == ["a", "(not set)", "NULL"]


@pytest.mark.parametrize(
    ("written", "settings", "read_as"),
    [
        ("20231115", {}, 1_700_006_400_000),
        ("20231115.0", {}, 1_700_006_400_000),
        ("202311151230", {}, 1_700_051_400_000),
        (str(NOON * 1000), {}, NOON),
        (str(NOON * 10**6), {}, NOON),
        (str(NOON * 1000), {"timestamp_format": "epoch_us"}, NOON),
        (str(NOON * 10**6), {"timestamp_format": "epoch_ns"}, NOON),
    ],
)
def test_times_by_their_size_and_shape(tmp_path, written, settings, read_as):
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, f"s,a,click,{written}")
    assert read(tmp_path, path, **settings)[0]["timestamp"] == read_as


def test_a_clock_at_zero_among_true_ones_is_rejected_and_serial_numbers_are_refused(tmp_path):
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, "s,a,click,0", f"s,b,click,{NOON}")
    assert [event["item_id"] for event in read(tmp_path, path)] == ["b"]
    path = write_log(tmp_path / "serial.csv", EVENTS_HEADER, "s,a,click,45245.0477", "s,b,click,45246.5")
    with pytest.raises(ValueError, match="a spreadsheet's serial numbers"):
        read(tmp_path, path)


def test_ids_that_became_fractions_are_whole_again_where_all_of_them_did(tmp_path):
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, f"s,100010.0,click,{NOON}", f"s,7.0,click,{NOON}")
    assert [event["item_id"] for event in read(tmp_path, path)] == ["100010", "7"]
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, f"s,100010.0,click,{NOON}", f"s,7.5,click,{NOON}")
    assert [event["item_id"] for event in read(tmp_path, path)] == ["100010.0", "7.5"]
    columns = {"session_id": ["s"], "item_id": [100010.0], "behaviour": ["click"], "timestamp": [NOON]}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert read(tmp_path, tmp_path / "log.parquet")[0]["item_id"] == "100010"


def test_an_id_that_the_server_would_refuse_is_rejected(tmp_path):
    rows = [f"s,{'a' * length},click,{NOON}" for length in (256, 257)]
    events = read(tmp_path, write_log(tmp_path / "log.csv", EVENTS_HEADER, *rows))
    assert [len(event["item_id"]) for event in events] == [256]


def test_a_bad_price_costs_an_item_no_more_than_its_price(tmp_path):
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, f"s,a,click,{NOON}")
    items = write_log(tmp_path / "items.csv", "item_id,cost,brand", "a,cheap,acme")
    config = EventsConfig(path=str(path), items=str(items), item_columns=ItemColumns(price="cost"))
    assert read_log(config, tmp_path / "scratch").items == {"a": {"price": None, "brand": "acme"}}


def test_words_for_behaviours_that_are_not_known_are_named_with_how_to_map_them(tmp_path):
    """What is proposed works when pasted, with what was said before: a line a word would be asked for one by one."""
    rows = [
        f"s,a,{word},{NOON}"
        for word in ("Product View", "view", "view", "order", "click", "like: 'it'", "remove", "order cancelled")
    ]
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *rows)
    config = EventsConfig(path=str(path), behaviour_map={"remove": None})
    with pytest.raises(ValueError, match=r"the log says 'view' \(2\), .*'order' \(1\), .*; say what they mean") as told:
        prepare(PrepareConfig(out=str(tmp_path / "out"), data=config))
    (argument,) = shlex.split(str(told.value).rpartition("out: ")[2])
    (override,) = OverridesParser.create().parse_overrides([argument])
    proposed = yaml.safe_load(override.value())
    assert proposed == {
        "remove": None, "view": "click", "Product View": "click", "like: 'it'": None, "order": "purchase",
        "order cancelled": None,
    }  # fmt: skip
    taken = read(tmp_path, path, behaviour_map=override.value())  # as Hydra hands it on
    assert [event["behaviour"] for event in taken if event["behaviour"] >= 0] == [0, 0, 0, 2, 0]


def test_a_name_that_is_not_mapped_means_itself(tmp_path):
    path = write_log(tmp_path / "log.csv", EVENTS_HEADER, *(f"s,a,{word},{NOON}" for word in ("view", "cart", "click")))
    said = {"view": "click", "cart": "purchase"}
    assert [event["behaviour"] for event in read(tmp_path, path, behaviour_map=said)] == [0, 2, 0]


VISITS = "user_id,session_id,item_id,behaviour,timestamp"


def test_a_session_is_of_one_user_and_a_login_makes_no_second_one(tmp_path):
    """Many logs count a user's sessions 1, 2, 3; in one of them a user is known from the second event on."""
    rows = [f"{user},1,{item},click,{NOON + n}" for n, (user, item) in enumerate(["ua", "vb", "ua", "vc"])]
    rows += [f",2,a,click,{NOON}", f"u,2,b,click,{NOON + 1}"]
    path = write_log(tmp_path / "log.csv", VISITS, *rows)
    config = PrepareConfig(
        out=str(tmp_path / "out"), data=EventsConfig(path=str(path)), min_item_support=1, split=NO_SPLIT
    )
    assert sorted(sessions_of(prepare(config), "train")) == [["a", "a"], ["a", "b"], ["b", "c"]]


def test_an_item_file_of_which_nothing_matches_is_refused_and_few_are_told(tmp_path):
    rows = [f"s,i{n},click,{NOON + n}" for n in range(5)]
    log = write_log(tmp_path / "log.csv", EVENTS_HEADER, *rows)

    def prepared(*items: str) -> Dataset:
        path = write_log(tmp_path / "items.csv", "item_id,brand", *(f"{item},acme" for item in items))
        data = EventsConfig(path=str(log), items=str(path))
        return prepare(PrepareConfig(out=str(tmp_path / "out"), data=data, min_item_support=1, split=NO_SPLIT))

    with pytest.raises(
        ValueError, match=r"none of the log's 5 items stands in the item file; .* 'i\d', the file's 'I1'"
    ):
        prepared("I1")
    assert any("only 1 of the log's 5 items stand in data.items" in remark for remark in remarks(prepared("i1", "I2")))
    assert not remarks(prepared("i0", "i1", "i2"))


@pytest.mark.parametrize("wrong", [0, 4_102_444_800_000], ids=["0", "the year 2100"])
def test_a_clock_gone_wrong_decides_nothing_and_is_told(wrong):
    """Two of 2,000 events: what is popular lately is what it is without them."""
    times = np.arange(NOON, NOON + 2000 * 1000, 1000)
    items = (np.arange(2000) >= 1000).astype(np.int32)  # item 1 replaced item 0 half-way

    def popular(times: np.ndarray) -> np.ndarray:
        offsets = np.array([0, len(times)])
        sessions = Sessions(items, np.zeros(2000, np.uint8), times, offsets, {})
        return recent_events(sessions, items=2, behaviours=1)[:, 0]

    faulty = times.copy()
    faulty[[3, 1500]] = wrong
    assert np.argmax(popular(times)) == np.argmax(popular(faulty)) == 1
    np.testing.assert_allclose(popular(faulty), popular(times), rtol=0.05, atol=1.5)
