"""Terms of a placement's rules: parts that must fit together."""

import pytest

from tillside.policy.file.rule_terms import AtLeast, Ban, Cap, Diversity, PriceBand, Rules


def test_a_rule_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="low"):
        PriceBand(of="cart_total", low=2, high=1)
    with pytest.raises(ValueError, match="item, category, brand"):
        Ban(name="recall", item="film", brand="Birk")
    with pytest.raises(ValueError, match="category, brand, source"):
        AtLeast()
    with pytest.raises(ValueError, match="shown"):
        Cap()


def test_left_out_a_rule_changes_nothing() -> None:
    rules = Rules()
    assert (rules.related_first, rules.fits, rules.price_band, rules.cap) == (False, "cart", None, None)
    assert rules.diversity == Diversity(strength=0.0, most_of_a_kind=None)
