"""Sentences for shoppers and origins for the shop's own people, by hand."""

from typing import get_args

import pytest

from tests.shops import Item, Shop
from tests.tillside.policy.test_placing import PLAIN, SHOP
from tillside.policy import PlacedItem, origin
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.reasons import REASONS, category_of, reason_for


def test_reasons_for_shoppers_in_two_languages() -> None:
    texts = {lang: SHOP.place(PLAIN, cart=["phone"], k=4, language=lang).items for lang in ("en", "zh")}
    assert texts["en"][0].reason == "Goes well with Acme Phone"
    assert texts["zh"][0].reason == "适合搭配Acme Phone"
    assert (texts["en"][3].reason, texts["zh"][3].reason) == ("Popular in kettle", "kettle热销")
    assert origin(texts["en"][3], SHOP.facts()) == "popular in category home.kettle"


def test_every_source_and_tier_has_a_sentence_with_and_without_a_name_in_both_languages() -> None:
    keys = {*get_args(SourceName), "covisitation", "popularity", "static", "pinned", "host"}
    assert REASONS["en"].keys() == REASONS["zh"].keys() == keys
    for sentences in REASONS.values():
        assert all("{" not in without for _, without in sentences.values())


def test_a_sentence_names_only_what_has_a_name() -> None:
    shop = Shop([Item("a", category="home.tea_kettles", name="Kettle"), Item("b", category="home.17"), Item("c")])
    facts = shop.facts()
    assert reason_for("complement", 1, 0, facts, "en") == "Goes well with Kettle"
    assert reason_for("complement", 0, 1, facts, "en") == "Goes well with your choice"  # b has no name
    assert [category_of(item, facts) for item in range(3)] == ["tea kettles", "", ""]
    assert [reason_for("new", item, None, facts, "en") for item in range(3)] == ["New in tea kettles", "New", "New"]


@pytest.mark.parametrize(
    ("source", "anchor", "rule", "expected"),
    [
        ("model", None, None, "model"),
        ("gift", 1, None, "gift of b"),
        ("gift", 1, "r1", "pinned by rule r1"),
        ("popular", None, None, "popular in category home.tea"),
    ],
)
def test_an_origin_names_rule_anchor_or_category(source, anchor, rule, expected) -> None:
    facts = Shop([Item("a", category="home.tea"), Item("b")]).facts()
    assert origin(PlacedItem(0, 1.0, source, anchor, rule, None, source, ""), facts) == expected
    assert origin(PlacedItem(1, 1.0, "popular", None, None, None, "popular", ""), facts) == "popular"
