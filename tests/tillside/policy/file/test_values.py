"""Bases of terms: spans of days, and fields of which exactly one is given."""

import json
from datetime import date

import pytest

from tillside.policy.file.rule_terms import AtLeast
from tillside.policy.file.values import (
    ConflictError,
    Span,
    TermError,
    exactly_one,
    on_one_line,
    repeated_key,
    with_whole_numbers,
)

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def test_a_span_holds_from_its_first_day_until_the_day_before_its_end() -> None:
    span = Span(since=MAY, until=JUNE)
    assert [span.holds(day) for day in (date(2026, 4, 30), MAY, date(2026, 5, 31), JUNE)] == [False, True, True, False]
    assert Span().holds(MAY)
    assert Span(since=MAY).holds(date(2999, 1, 1))
    with pytest.raises(ConflictError, match="until must be after from"):
        Span(since=MAY, until=MAY)


def test_a_number_without_a_fraction_is_an_integer_as_far_as_floats_are_exact() -> None:
    found = with_whole_numbers({"a": 36.0, "b": 36.5, "c": {"d": 1.0}, "e": 2.0**53, "f": 2.0**54, "g": True})
    assert found == {"a": 36, "b": 36.5, "c": {"d": 1.0}, "e": 2**53, "f": 2.0**54, "g": True}
    assert [type(found[key]) for key in "aefg"] == [int, int, float, bool]
    assert with_whole_numbers([1.0]) == [1.0]


@pytest.mark.parametrize(
    ("sentence", "line"),
    [("got 'é配'", "got 'é配'"), ("a\nb", "a\\nb"), ("a\u2028b\x85\x1b[1m", "a\\u2028b\\x85\\x1b[1m")],
)
def test_a_sentence_is_one_line_whatever_names_it_holds(sentence: str, line: str) -> None:
    assert on_one_line(sentence) == line
    assert len(on_one_line(sentence).splitlines()) == 1


def test_a_key_that_stands_twice_is_found_wherever_it_stands_and_however_colons_are_written() -> None:
    texts = {
        b'{"a": 1, "b": {"a": 1}}': None,
        b'{"a": "x:y", "b:c": 1}': None,
        b'{"a": 1, "a": 2}': "a",
        b'[{"b": {"c": 1, "c": 1}}]': "c",
        b'{"a": "\\u003a", "a": "\\u003A"}': "a",  # as many colons as are written, and one key lost
        b'{"a": "\\u003a"}': None,
    }
    assert {text: repeated_key(text, json.loads(text)) for text in texts} == texts
    assert repeated_key(b'{"a": ' + b"[" * 9999, None) is None  # no JSON: that is told elsewhere


def test_mistakes_are_a_conflict_if_each_of_them_is_one() -> None:
    told = ConflictError.of(["a", "b\r"], {"a", "b\r", "c"})
    assert (type(told), str(told)) == (ConflictError, "a\nb\\r")
    mixed = ConflictError.of(["a", "b"], {"b"}, field="f", allowed="one\r")
    assert (type(mixed), mixed.field, mixed.allowed) == (TermError, "f", "one\\r")


def test_exactly_one_of_the_named_fields_is_given() -> None:
    exactly_one(AtLeast(brand="b"), "category", "brand")
    with pytest.raises(ValueError, match="exactly one of category, brand, source must be given, got none"):
        AtLeast()
    with pytest.raises(ValueError, match="must be given, got category, brand"):
        AtLeast(category="c", brand="b")
