"""Charts show what they are given, and nothing of it as markup."""

from xml.etree import ElementTree

import pytest

from training.feedback.charts import Bar, bars, forest, line

HOSTILE = '"><script>alert(1)</script>&'


@pytest.mark.parametrize("chart", [bars, forest, line])
def test_a_chart_is_sound_xml_whatever_its_labels_and_holds_nothing_from_elsewhere(chart):
    drawn = chart([Bar(HOSTILE, 0.5, 0.1, 0.9, HOSTILE), Bar("b", -0.2, -0.4, -0.1, "t")], title=HOSTILE)
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == HOSTILE
    assert {each.tag for each in root.iter()} <= {
        "svg",
        "title",
        "g",
        "line",
        "rect",
        "text",
        "circle",
        "polygon",
        "polyline",
    }
    assert "href" not in drawn


@pytest.mark.parametrize("chart", [bars, forest, line])
def test_without_rows_there_is_no_chart(chart):
    assert chart([], title="x") == ""


def test_a_bar_is_as_long_as_its_share_of_the_longest():
    """Whiskers count: the longest end is 1."""
    widths = [
        rect.get("width")
        for rect in ElementTree.fromstring(
            bars([Bar("a", 0.5, 0, 1, ""), Bar("b", 0.25, None, None, "")], title="x")
        ).iter("rect")
    ]
    assert widths == ["165.0", "82.5"]


def test_only_what_is_sure_is_coloured():
    colours = [
        dot.get("fill")
        for dot in ElementTree.fromstring(
            forest([Bar("a", 1, 0.5, 2, ""), Bar("b", 1, -1, 3, ""), Bar("c", -1, -2, -0.5, "")], title="x")
        ).iter("circle")
    ]
    assert colours == ["#3a9d5d", "#8a94a0", "#c9463d"]


def test_a_band_that_reaches_below_nothing_stays_in_the_picture():
    """From -1 to 1 the axis stands in the middle, and no point leaves the 150 pixels."""
    root = ElementTree.fromstring(line([Bar("a", 1, -1, 1, ""), Bar("b", 0, -1, 1, "")], title="x"))
    [axis], [band] = root.iter("line"), root.iter("polygon")
    assert axis.get("y1") == "75.0"
    assert {point.partition(",")[2] for point in band.get("points").split()} == {"10.0", "140.0"}
