"""Markdown as MLflow shows it: what a shop wrote stays text, and a verdict is what its interval says."""

import pytest

from training.review.markdown import GAP, difference, escape, markdown_row, verdict


def test_what_a_shop_wrote_is_shown_and_not_taken_for_a_tag():
    assert escape("<b>Tea & 'more'</b>") == "&lt;b&gt;Tea &amp; 'more'&lt;/b&gt;"


def test_a_cell_neither_ends_its_row_early_nor_touches_the_next():
    assert markdown_row(["a|b", "<i>"]) == f"| a&#124;b{GAP} | &lt;i&gt;{GAP} |"


def test_a_gain_always_has_its_sign():
    assert difference(0.01234, -0.002, 0.0) == "+0.0123 (-0.0020 to +0.0000)"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.001, 0.2, "above"), (-0.2, -0.001, "below"), (-0.1, 0.2, "level with"), (0.0, 0.2, "level with")],
)
def test_only_an_interval_that_leaves_zero_out_decides(low, high, words):
    assert verdict(low, high) == words
