import pytest

from tillside.cli.likeness import did_you_mean, most_like


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("purchse", "Purchase"),
        ("CLICK", "click"),
        ("add-to-cart", "add_to_cart"),
        ("like", None),
        ("borrow", None),
        ("x" * 10**6, None),
        ("", None),
    ],
)
def test_a_name_is_meant_that_is_spelt_alike(word, meant):
    assert most_like(word, ("click", "Purchase", "add_to_cart")) == meant


def test_nothing_is_meant_among_no_names():
    assert most_like("click", []) is None


def test_how_alike_is_enough_is_the_callers():
    assert most_like("clk", ["click", "cart"], alike=0.7) == "click"  # 2 * 3 / (3 + 5) = .75
    assert most_like("clk", ["click", "cart"], alike=0.8) is None


def test_the_sentence():
    assert did_you_mean("smal", ["sasrec", "small"]) == "did you mean small?"
    assert did_you_mean("smal", ["sasrec", "small"], before="; ") == "; did you mean small?"
    assert did_you_mean("huge", ["sasrec", "small"], before="; ") == ""
