"""What a table of effects is made of; its figures are worked out in test_report.py."""

import numpy as np

from training.feedback.effects import BOUNCE, COLUMNS, DIMENSIONS, METRICS, moments_of, table_of
from training.feedback.words import ENGLISH


def test_every_metric_and_dimension_has_a_word():
    assert {*METRICS, *BOUNCE, *DIMENSIONS} <= set(ENGLISH)


def test_a_table_without_rows_has_its_columns_and_what_is_not_known_is_null():
    assert table_of([]).column_names == list(COLUMNS)
    row = dict.fromkeys(COLUMNS, float("nan"))
    assert table_of([row]).to_pylist() == [dict.fromkeys(COLUMNS)]


def test_a_ratios_moments_are_those_of_its_own_sums():
    """Clicked 1 of 2 seen: the products are found whichever name comes first in the alphabet."""
    names = {"c_base": 5, "s_base": 2, "s_clicked": 1, "p_base__base": 4, "p_base__clicked": 2, "p_clicked__clicked": 1}
    moments = moments_of({name: np.array([value]) for name, value in names.items()}, METRICS["click_rate"])
    assert (moments.ratio[0], moments.clusters_G[0], moments.xy_G[0]) == (0.5, 5, 2)
