"""A run's figures: what a system has no numbers for is left out, and what is drawn are the numbers."""

from training.review.figures import (
    coverage_and_popularity,
    grouped_recall,
    learning_curves,
    quality_at_k,
    recall_by_popularity,
)


def test_a_system_without_an_entry_is_left_out_of_its_figure():
    old = {"old": {"all": {}}}
    assert quality_at_k(old) is None
    assert grouped_recall(old, "by_behaviour", "") is None
    assert recall_by_popularity({}, old) is None
    assert coverage_and_popularity({}, old) is None


def test_the_curves_are_the_epochs_that_were_measured_and_the_best_one_is_marked():
    """Of the three epochs the second has the best mrr@20, which is what is kept; epochs are counted from 1."""
    history = [
        {"epoch": number, "train/loss": loss, "val/recall@20": recall, "val/mrr@20": mrr}
        for number, (loss, recall, mrr) in enumerate([(3.0, 0.2, 0.1), (2.0, 0.3, 0.25), (1.0, 0.4, 0.2)])
    ]
    loss, recall, mrr = learning_curves(history).axes
    drawn = [axes.lines[0].get_ydata() for axes in (loss, recall, mrr)]
    assert [list(each) for each in drawn] == [[3.0, 2.0, 1.0], [0.2, 0.3, 0.4], [0.1, 0.25, 0.2]]
    assert [list(axes.lines[0].get_xdata()) for axes in (loss, recall, mrr)] == [[1, 2, 3]] * 3
    assert [list(axes.lines[1].get_xdata()) for axes in (loss, recall, mrr)] == [[2, 2]] * 3


def test_recall_mrr_and_ndcg_by_k_stand_side_by_side_with_a_line_for_each_system():
    """A system of an older version has no MRR by k, and one named first that has none at all is not in the legend."""
    systems = {
        "none": {},
        "tillside": {"recall_curve": {"1": 0.2, "20": 0.6}, "mrr_curve": {"1": 0.2, "20": 0.3}},
        "old": {"recall_curve": {"1": 0.1, "20": 0.5}},
    }
    figure = quality_at_k(systems)
    recall, mrr = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["recall@k", "mrr@k"]
    assert [list(line.get_ydata()) for line in recall.lines] == [[0.2, 0.6], [0.1, 0.5]]
    assert [list(line.get_xdata()) for line in mrr.lines] == [[1, 20]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["tillside", "old"]


def test_bars_are_as_high_as_their_recall_and_a_group_that_a_system_lacks_has_none():
    def part(value: float) -> dict[str, object]:
        return {"cases": 10, "recall@20": {"value": value, "low": value - 0.1, "high": value + 0.1}}

    systems = {
        "tillside": {"by_behaviour": {"click": part(0.5), "cart": part(0.25)}},
        "popularity": {"by_behaviour": {"click": part(0.2)}},
    }
    axes = grouped_recall(systems, "by_behaviour", "behaviour asked for").axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.25, 0.2]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["click\n(10)", "cart\n(10)"]
