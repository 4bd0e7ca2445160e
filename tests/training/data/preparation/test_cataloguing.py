"""The catalogue by hand: prices and attributes, cold items, and recent events, which halve with each half-life."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets import make_sessions
from tests.logs import EVENTS_HEADER, click_run, events_log, sessions_of, write_log
from training.data.preparation.cataloguing import HALF_LIFE, recent_events
from training.data.readers.events import EventsConfig
from training.settings.split import SplitConfig
from training.stages.prepare import prepare


def test_older_events_count_less():
    half_life = int(HALF_LIFE * 1000)  # the events span 1,000 ms
    sessions = make_sessions(
        [
            [(0, "click", 0), (1, "click", 1000 - half_life)],
            [(2, "purchase", 1000 - 2 * half_life), (1, "click", 1000)],
        ]
    )
    recent_NB = recent_events(sessions, items=4, behaviours=3)
    first = 0.5 ** (1 / HALF_LIFE)  # the very first event: nearly forgotten
    expected = [[first, 0, 0], [1 + 1 / 2, 0, 0], [0, 0, 1 / 4], [0, 0, 0]]
    assert recent_NB == pytest.approx(np.array(expected), abs=1e-7)
    assert recent_NB.dtype == np.float32


@pytest.mark.parametrize("rows", [[], [[(0, "click", 5), (1, "click", 5)]]])
def test_without_time_passing_nothing_is_recent(rows):
    assert recent_events(make_sessions(rows), items=2, behaviours=3) is None


def test_without_a_clock_nothing_is_recent():
    assert recent_events(make_sessions([[0, 1]], clock=False), items=2, behaviours=3) is None


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
    dataset = prepare(replace(click_run(path), data=data, split=SplitConfig(validation=0, test=0.5)))
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
    dataset = prepare(replace(click_run(path, split=SplitConfig(validation=0, test=0.5)), data=data))
    catalogue = dataset.catalogue
    assert catalogue.item_ids == ["a", "b", "c", "e", "d", "z"]
    assert (catalogue.trained, catalogue.rankable) == (2, 4)
    assert dataset.about["counts"]["items_rankable"] == 4
    assert catalogue.counts_NB.tolist() == [[1], [1], [0], [0], [0], [0]]
    assert sessions_of(dataset, "test") == [["z", "c", "d", "a"]]
