"""The catalogue by hand: prices and attributes, and cold items."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.logs import EVENTS_HEADER, click_run, events_log, sessions_of, write_log
from training.data.readers.events import EventsConfig
from training.settings.split import SplitConfig
from training.stages.prepare import prepare


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
