"""``training.prepare``: a digest of input and config, what a data set's folder holds, and real logs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.logs import REES46_HEADER, SHARED, rees46_line, write_log
from tillside.dataset import PARTS, Dataset
from training.data.readers.online_retail import OnlineRetailConfig
from training.data.readers.rees46 import Rees46Config
from training.data.readers.sequences import SequencesConfig
from training.data.readers.sessions_split import SessionsSplitConfig
from training.settings.prepare import PrepareConfig
from training.stages.prepare import prepare

pytestmark = pytest.mark.slow


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
        "catalogue", "dataset.json", "rejects.csv", "sessions", "whole"
    ]  # fmt: skip


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
