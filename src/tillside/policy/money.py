"""How an amount of money is answered: to the hundredth, without the noise of single precision.

Facts keep prices as float32, in which 16.49 is 16.489999771118164, and per cent of a price have any number of digits.
What is reckoned with keeps them; what leaves the policy for an answer, a sentence or the board comes through here.
"""

from typing import Final

LARGEST_IN_CENTS: Final = 1_000_000
"""Single precision tells no hundredths of what is larger, which is rounded to whole numbers."""
DIGITS: Final = 7
"""Significant digits of single precision."""


def rounded(amount: float) -> float:
    """The amount to two decimals; what is not 0 never becomes 0, and NaN stays."""
    return round(amount, 2 if abs(amount) < LARGEST_IN_CENTS else 0) or float(f"{amount:.{DIGITS}g}")


def told(amount: float) -> str:
    """The amount as a sentence says it: 535, 533.5, 1234567."""
    found = rounded(amount)
    return f"{found:g}" if abs(found) < 0.01 else f"{found:.2f}".rstrip("0").rstrip(".")
