"""The page holds its figures in both languages, nothing from elsewhere, and no markup of the shop's."""

from dataclasses import replace
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from tests.feedback_reports import HOSTILE, hand_made
from training.feedback.lift import GUARDRAIL
from training.feedback.page import page, shown
from training.settings.effects import EffectsConfig
from training.settings.measure import Language


class Reader(HTMLParser):
    """Tags and attributes as a browser sees them, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("language", Language)
def test_a_shops_words_stay_words_and_nothing_is_fetched(language):
    text = page(hand_made(), EffectsConfig(), language)
    read = Reader(text)
    assert not {"script", "img", "link", "iframe", "object"} & read.tags
    assert not {name for name in read.attributes if name in ("src", "href") or name.startswith("on")}
    assert "url(" not in text
    assert "@import" not in text
    assert any(HOSTILE in each for each in read.texts)  # it is shown


def test_the_figures_are_those_of_the_tables():
    texts = Reader(page(hand_made(), EffectsConfig(), Language.en)).texts
    assert {"1,234", "10.0%", "+10.00 (+5.00, +15.00)", "+100.0% (+50.0%, +150.0%)"} <= set(texts)
    assert "display or item; annoys" in texts
    assert any("2 shoppers who met two arms are left out" in each for each in texts)


def test_chinese_is_chinese():
    texts = Reader(page(hand_made(), EffectsConfig(), Language.zh)).texts
    assert {"关联点击率", "展示或商品; 引起反感", "推荐带来的增量"} <= set(texts)


def test_without_an_experiment_no_lift_is_told_and_without_impressions_it_is_said():
    made = hand_made()
    plain = replace(made, tables=made.tables | {"lift": pa.table({})}, seen_is_told=False)
    text = page(plain, EffectsConfig(), Language.en)
    assert "No experiment ran" in text
    assert "reports no impressions" in text


@pytest.mark.parametrize(
    ("language", "metric", "told"),
    [
        (Language.en, "main item bought afterwards", "<b>: the main item itself is surely bought less."),
        (Language.zh, "主商品转化率", "<b>：主商品自身的转化率确定下降"),
    ],
)
def test_a_main_item_that_is_surely_bought_less_is_named(language, metric, told):
    made = hand_made()
    row = made.tables["lift"].to_pylist()[0] | {"metric": GUARDRAIL, "arm": "<b>", "low": -0.2}
    for high in (-0.1, 0.1):
        tables = made.tables | {"lift": pa.Table.from_pylist([row | {"high": high}])}
        texts = Reader(page(replace(made, tables=tables), EffectsConfig(), language)).texts
        assert metric in texts
        assert any(told in text for text in texts) == (high < 0)


def test_a_log_without_answers_says_so():
    assert "No answers are in the log." in page(replace(hand_made(), days=None), EffectsConfig(), Language.en)


def test_a_value_is_written_as_what_it_is():
    assert [shown(name, 1234.5) for name in ("order_value", "orders_per_shopper")] == ["1,234.50", "1234.500"]
    assert shown("click_rate", 0.0123, sign=True) == "+1.2%"
