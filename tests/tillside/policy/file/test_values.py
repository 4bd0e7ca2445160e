"""Bases of terms: spans of days, and fields of which exactly one is given."""

from datetime import date

import pytest

from tillside.policy.file.terms import AtLeast
from tillside.policy.file.values import ConflictError, Span, exactly_one

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def test_a_span_holds_from_its_first_day_until_the_day_before_its_end() -> None:
    span = Span(since=MAY, until=JUNE)
    assert [span.holds(day) for day in (date(2026, 4, 30), MAY, date(2026, 5, 31), JUNE)] == [False, True, True, False]
    assert Span().holds(MAY)
    assert Span(since=MAY).holds(date(2999, 1, 1))
    with pytest.raises(ConflictError, match="until must be after from"):
        Span(since=MAY, until=MAY)


def test_mistakes_are_a_conflict_if_each_of_them_is_one() -> None:
    told = ConflictError.of(["a", "b"], {"a", "b", "c"})
    assert (type(told), str(told)) == (ConflictError, "a\nb")
    assert type(ConflictError.of(["a", "b"], {"b"})) is ValueError


def test_exactly_one_of_the_named_fields_is_given() -> None:
    exactly_one(AtLeast(brand="b"), "category", "brand")
    with pytest.raises(ValueError, match="exactly one of category, brand, source must be given, got none"):
        AtLeast()
    with pytest.raises(ValueError, match="must be given, got category, brand"):
        AtLeast(category="c", brand="b")
