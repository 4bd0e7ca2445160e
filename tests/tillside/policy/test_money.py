"""Money is answered to the hundredth, whatever single precision or a percentage made of it."""

import math

import numpy as np
import pytest

from tillside.policy.money import rounded, told


@pytest.mark.parametrize(
    ("amount", "answered"),
    [
        (float(np.float32(16.49)), 16.49),  # 16.489999771118164
        (801.33 * 0.7, 560.93),  # 560.931
        (535, 535),
        (999_999.994, 999_999.99),
        (float(np.float32(123_456.78)), 123_456.78),  # 123456.78125, of which seven digits would be 123456.8
        (1_234_567.89, 1_234_568),
        (12_345_678, 12_345_678),  # of yen or dong every one counts
        (-2.346, -2.35),
        (0.0, 0),
        (0.0012, 0.0012),  # a third of a cent is not nothing
    ],
)
def test_an_amount_has_two_decimals_and_is_never_rounded_to_nothing(amount: float, answered: float) -> None:
    assert rounded(amount) == answered
    assert rounded(rounded(amount)) == answered


def test_an_unknown_amount_stays_unknown() -> None:
    assert math.isnan(rounded(math.nan))


@pytest.mark.parametrize(
    ("amount", "said"),
    [(535.0, "535"), (533.5, "533.5"), (560.931, "560.93"), (1_234_567.0, "1234567"), (100, "100"), (0.0012, "0.0012")],
)
def test_a_sentence_says_an_amount_without_needless_digits_and_never_as_a_power(amount: float, said: str) -> None:
    assert told(amount) == said
