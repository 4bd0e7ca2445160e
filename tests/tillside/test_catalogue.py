"""The catalogue: one fixed order of items, attributes as tokens, and a label a shopkeeper reads."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.datasets import make_catalogue, make_sessions
from tillside.catalogue import Catalogue, attribute_tokens, pack_tokens, price_bands, sharing_items

TOKENS = [["brand=apple", "category=phones", "category=phones.smart"], ["category=phones"], ["brand=acme"]]


def catalogue(**changes) -> Catalogue:
    made = make_catalogue(make_sessions([[0, 1, (1, "purchase")]]), trained=2, newcomers=2, tokens=TOKENS)
    return replace(made, **changes)


def test_items_are_found_by_id_and_counted_by_behaviour():
    shop = catalogue()
    assert len(shop) == 4
    assert shop.index_of == {"i0": 0, "i1": 1, "i2": 2, "i3": 3}
    assert shop.counts_NB.tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_each_item_has_its_own_tokens():
    shop = catalogue()
    assert [shop.tokens_of(index) for index in range(4)] == [*TOKENS, []]


def test_cold_items_that_share_an_attribute_with_a_trained_one_can_be_ranked():
    sessions = make_sessions([[0, 1]])
    tokens = [["brand=acme", "price_band=1"], [], ["brand=acme"], ["x=1"], ["brand=acme"]]
    assert make_catalogue(sessions, trained=2, newcomers=3, tokens=tokens).rankable == 3  # the run of them ends at x=1
    assert make_catalogue(sessions, trained=2, newcomers=1, tokens=tokens[:3]).rankable == 3
    assert make_catalogue(sessions, trained=2, tokens=tokens[:2]).rankable == 2
    assert make_catalogue(sessions, trained=2, newcomers=1, tokens=[["x=1"], [], ["y=1"]]).rankable == 2
    assert make_catalogue(sessions, trained=2, newcomers=1).rankable == 2
    alone = [["price_band=1"], [], ["price_band=1"]]  # a price says too little
    assert make_catalogue(sessions, trained=2, newcomers=1, tokens=alone).rankable == 2


def test_what_several_trained_items_have_in_common_says_what_each_would_be_like_without_its_own_past():
    tokens = [["brand=acme", "price_band=1"], ["brand=acme", "x=1"], ["price_band=1", "x=2"], ["brand=acme"], ["x=1"]]
    packed = pack_tokens(tokens)
    assert sharing_items(*packed, trained=3, holders=2).tolist() == [True, True, False, True, False]
    assert sharing_items(*packed, trained=3, holders=1).tolist() == [True, True, True, True, True]


def test_the_label_is_the_name_or_else_what_the_attributes_say_or_else_the_id():
    assert catalogue().label(1) == "item 1"
    nameless = catalogue(names=[])
    assert nameless.label(0) == "apple smart (i0)"
    assert nameless.label(1) == "phones (i1)"
    assert nameless.label(2) == "acme (i2)"
    assert nameless.label(3) == "i3"
    assert catalogue(names=["", "b", "c", "d"]).label(0) == "apple smart (i0)"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trained": 5}, "trained must be between 0 and 4, got 5"),
        ({"prices_N": np.zeros(3, np.float32)}, "every column of the catalogue must have 4 rows"),
        ({"token_offsets": np.zeros(4, np.int64)}, "every column of the catalogue must have 4 rows"),
        ({"recent_NB": np.zeros((4, 2), np.float32)}, r"recent_NB must be of the shape of counts_NB \[4, 3\]"),
        ({"names": ["a"]}, "names must be empty or hold 4 names, got 1"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        catalogue(**changes)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    saved = catalogue(names=["Töpfe", "b", "c", "d"], prices_N=np.array([1, np.nan, 3, 4], np.float32))
    saved.save(tmp_path / "catalogue")
    loaded = Catalogue.load(tmp_path / "catalogue")
    for name in ("item_ids", "trained", "names", "vocabulary"):
        assert getattr(loaded, name) == getattr(saved, name)
    for name in ("counts_NB", "prices_N", "token_ids", "token_offsets"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(saved, name))
        assert getattr(loaded, name).dtype == getattr(saved, name).dtype
    assert loaded.recent_NB is None
    assert loaded.popular_NB is loaded.counts_NB


def test_recent_events_are_what_popularity_is_made_of(tmp_path):
    recent_NB = np.arange(12, dtype=np.float32).reshape(4, 3) / 8
    catalogue(recent_NB=recent_NB).save(tmp_path / "catalogue")
    loaded = Catalogue.load(tmp_path / "catalogue")
    np.testing.assert_array_equal(loaded.popular_NB, recent_NB)
    assert loaded.popular_NB.dtype == np.float32


@pytest.mark.parametrize("name", ["catalogue.json", "counts.npy", "prices.npy", "token_ids.npy", "token_offsets.npy"])
@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY\x01\x00", b"\xff{"])
def test_a_missing_or_damaged_file_is_named(tmp_path, name, content):
    catalogue().save(tmp_path / "catalogue")
    path = tmp_path / "catalogue" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        Catalogue.load(tmp_path / "catalogue")


@pytest.mark.parametrize("document", [[], {"trained": 1}, None])
def test_a_catalogue_json_that_says_something_else_is_refused(tmp_path, document):
    catalogue().save(tmp_path / "catalogue")
    (tmp_path / "catalogue" / "catalogue.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"catalogue\.json"):
        Catalogue.load(tmp_path / "catalogue")


def test_a_category_path_gives_a_token_for_each_level():
    tokens = attribute_tokens({"category": "electronics.audio.headphone", "brand": "apple"})
    assert tokens == [
        "category=electronics",
        "category=electronics.audio",
        "category=electronics.audio.headphone",
        "brand=apple",
    ]


def test_lists_give_a_token_an_element_and_nothing_gives_none():
    attributes = {"colour": ["red", "blue", "red"], "size": None, "weight": math.nan, "brand": " ", "tag": ("x",)}
    assert attribute_tokens(attributes) == ["colour=red", "colour=blue", "tag=x"]


def test_packed_tokens_are_numbers_of_a_sorted_vocabulary():
    vocabulary, ids, offsets = pack_tokens([["b", "a"], [], ["b"]])
    assert vocabulary == ["a", "b"]
    assert ids.tolist() == [1, 0, 1]
    assert offsets.tolist() == [0, 2, 2, 3]


def test_no_items_and_no_tokens_can_be_packed():
    assert [list(part) for part in pack_tokens([])] == [[], [], [0]]
    assert [list(part) for part in pack_tokens([[], []])] == [[], [], [0, 0, 0]]


def test_price_bands_are_deciles_of_the_known_prices():
    # 20 prices 1 .. 20: two to a decile
    prices_N = np.arange(20, 0, -1).astype(np.float32)
    assert price_bands(prices_N).tolist() == [9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    with_unknown = np.concatenate([[np.nan], prices_N]).astype(np.float32)
    assert price_bands(with_unknown)[0] == -1
    np.testing.assert_array_equal(price_bands(with_unknown)[1:], price_bands(prices_N))
    assert price_bands(np.array([np.nan], np.float32)).tolist() == [-1]


def test_a_category_that_is_a_bare_number_is_no_label():
    vocabulary, token_ids, token_offsets = pack_tokens([["category=2053", "brand=acme"], ["category=2053"]])
    tokens = {"vocabulary": vocabulary, "token_ids": token_ids, "token_offsets": token_offsets}
    numbered = Catalogue(["1", "2"], 2, np.zeros((2, 1), np.int64), np.full(2, np.nan, np.float32), **tokens)
    assert [numbered.label(index) for index in range(2)] == ["acme (1)", "2"]
