"""How models age, by hand: an older model beside a fresh one on the same window."""

import numpy as np
import pytest

from tillside.ranking import MISSED
from training.evaluation.case_ranks import Ranks
from training.review.ageing import DAY_MS, Window, ageing, curves, decay, description, table


def ranks(*given: int, window: int) -> Ranks:
    cases = np.array(given)
    return Ranks(f"window {window}", ("click",), cases, np.arange(len(cases)), np.zeros(len(cases), np.int64))


def test_age_is_told_by_pairs_on_the_same_window() -> None:
    """Three windows of a day, each model learned until the day began. The second window is easy for all: 4 of 4 found
    fresh, 3 of 4 a day old. The third is hard: 2 of 4 fresh, 1 of 4 a day old, none two days old. So a day costs 1/4 on
    both, and two days 1/2, although the means by age (fresh (2 + 4 + 2) / 12) tell another story."""
    windows = [Window(day * DAY_MS, (day + 1) * DAY_MS) for day in range(3)]
    found = {
        (0, 0): ranks(1, 1, MISSED, MISSED, window=0),
        (0, 1): ranks(1, 1, 1, MISSED, window=1),
        (1, 1): ranks(1, 1, 1, 1, window=1),
        (0, 2): ranks(MISSED, MISSED, MISSED, MISSED, window=2),
        (1, 2): ranks(1, MISSED, MISSED, MISSED, window=2),
        (2, 2): ranks(1, 2, MISSED, MISSED, window=2),
    }
    document = ageing(windows, [0, DAY_MS, 2 * DAY_MS], found, seed=0)
    by_age = document["by_age"]
    assert [by_age[age]["recall@20"] for age in "012"] == pytest.approx([8 / 12, 4 / 8, 0])
    assert [by_age[age]["against_fresh"]["recall@20"]["value"] for age in "012"] == pytest.approx([0, -1 / 4, -1 / 2])
    assert by_age["1"]["against_fresh"]["mrr@20"]["value"] == pytest.approx(-(1 + 1 / 2) / 8)
    assert [by_age[age]["age_days"] for age in "012"] == [0.5, 1.5, 2.5]
    assert curves(document)["by_age/recall_at_20_against_fresh"] == {0: 0, 1: -0.25, 2: -0.5}
    assert table(document)[2][:5] == ["2", "2.5", "1", "4", "0.0000"]
    assert description(document, name="shop").startswith("Backtest on shop over 3 windows: a model 2.5 days old has ")
    drawn = decay(document).axes
    assert [line.get_xdata().tolist() for line in drawn[0].lines] == [[0.5, 1.5, 2.5], [0.5, 1.5], [0.5]]
