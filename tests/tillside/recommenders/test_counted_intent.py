"""Purchase intent of a session of which no item is known, worked out by hand."""

import math

import numpy as np
import pytest

from tillside.recommenders.counted_intent import CountedIntent, count_features, counted_features

CLICKS, BOUGHT = [2, 0], [2, 1]
COUNTS = np.array([CLICKS, BOUGHT, [0, 0]]), np.array([0, 1, -1])
"""Two clicks; two clicks and a purchase; nothing."""


def test_what_is_counted_of_a_session_by_hand():
    two, three, four = math.log(2), math.log(3), math.log(4)
    # one; latest click, purchase; log(1 + how many of each); whether any; of 1, 2 or 3 events; log(1 + how many)
    assert counted_features(*COUNTS).tolist() == [
        pytest.approx([1, 1, 0, three, 0, 1, 0, 0, 1, 0, three]),
        pytest.approx([1, 0, 1, three, two, 1, 1, 0, 0, 1, four]),
        [1, *[0] * 10],
    ]
    assert count_features(2) == 11


def test_the_chance_is_that_of_the_weights_and_unknown_where_nothing_happened():
    """A level of log(1/3) is one in four; after a purchase log(1/3) + log(1/3) = log(1/9), one in ten."""
    weights = np.zeros(11)
    weights[0] = weights[2] = math.log(1 / 3)
    found_B = CountedIntent(tuple(weights)).at(*COUNTS)
    assert found_B.tolist() == [pytest.approx(0.25), pytest.approx(0.1), pytest.approx(math.nan, nan_ok=True)]


def test_a_weight_that_is_large_overflows_nothing():
    far = [CountedIntent((level, *[0.0] * 10)).at(*COUNTS)[0] for level in (-1e4, 1e4)]
    assert far == [0.0, 1.0]


def test_what_is_written_is_what_is_read():
    counted = CountedIntent(tuple(np.linspace(-1, 1, 11).tolist()))
    assert CountedIntent.from_document(counted.document(), behaviours=2) == counted


@pytest.mark.parametrize("weights", [[0.0] * 10, [0.0] * 10 + [math.nan]], ids=["too few", "not finite"])
def test_weights_that_are_not_those_of_the_counts_are_refused(weights):
    with pytest.raises(ValueError, match="there must be 11 finite weights for 2 behaviours"):
        CountedIntent.from_document({"weights": weights}, behaviours=2)
