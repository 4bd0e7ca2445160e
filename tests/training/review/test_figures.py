"""A run's figures: what a system has no numbers for is left out, and what is drawn are the numbers."""

from training.review.figures import coverage_and_popularity, grouped_recall, recall_at_k, recall_by_popularity


def test_a_system_without_an_entry_is_left_out_of_its_figure():
    old = {"old": {"all": {}}}
    assert recall_at_k(old) is None
    assert grouped_recall(old, "by_behaviour", "") is None
    assert recall_by_popularity({}, old) is None
    assert coverage_and_popularity({}, old) is None
