"""Scalars of a policy file: text as it is written, numbers within their bounds, and words for what is allowed."""

from datetime import date
from typing import Annotated, Any, Literal

import pytest
import yaml
from msgspec import Meta, inspect
from yaml.nodes import Node, ScalarNode

from tillside.policy.file.scalars import LONGEST_SHOWN, allowed_text, is_null, read_scalar, shown

Few = Annotated[int, Meta(ge=1, le=9)]
Share = Annotated[float, Meta(gt=0, le=1)]
Text = Annotated[str, Meta(min_length=1)]


def node(text: str) -> Node:
    found = yaml.compose(text, Loader=yaml.SafeLoader)
    return ScalarNode("tag:yaml.org,2002:null", "") if found is None else found


def read(text: str, kind: Any) -> Any:
    found = node(text)
    assert isinstance(found, ScalarNode)
    return read_scalar(found, inspect.type_info(kind))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("no", str, "no"),  # which YAML takes for false
        ("0123", Text, "0123"),
        ("2026-11-01", str, "2026-11-01"),
        ("off", Literal["off", "on"], "off"),
        ("no", bool, False),
        ("2026-11-01", date, date(2026, 11, 1)),
        ('"2026-11-01"', date, date(2026, 11, 1)),  # as JSON writes it
        ("9", Few, 9),
        ("9.0", Few, 9),  # an integer to JSON Schema
        ("1e0", Few, 1),
        ("1e-05", Share, 0.00001),  # as JSON writes it; text to YAML 1.1
        ("1", Share, 1.0),
        ("0.25", Share, 0.25),
    ],
)
def test_a_scalar_is_read_as_what_its_key_holds(text: str, kind: Any, value: object) -> None:
    found = read(text, kind)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("10", Few, "'10' is not an integer of at least 1 and at most 9"),
        ("true", Few, "'true' is not an integer"),  # bool is no number here
        ("1.5", Few, "'1.5' is not an integer"),
        ("'1'", Few, "'1' is not an integer"),
        ("'1e-3'", Share, "'1e-3' is not a number"),
        ("0", Share, "'0' is not a number above 0 and at most 1"),
        (".nan", Share, "'.nan' is not a number"),
        ("9" * 400, Annotated[float, Meta(gt=0)], "is not a number above 0"),  # which no float can hold
        ("maybe", bool, "'maybe' is not true or false"),
        ("2026-11-01 10:00:00", date, "is not a date such as 2026-11-01"),
        ("'2026-11'", date, "is not a date such as 2026-11-01"),
        ("''", Text, "'' is not text"),
        ("left", Literal["off", "on"], "'left' is not off, on"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_allowed(text: str, kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(text, kind)


def test_nothing_is_null_and_not_text() -> None:
    assert [is_null(node(text)) for text in ("~", "null", "", "'null'", "{}")] == [True, True, True, False, False]
    with pytest.raises(ValueError, match="is not text"):
        read("~", str)


def test_a_value_is_shown_in_a_few_words() -> None:
    texts = ("{a: 1}", "[1]", "[]", "~", "word", "x" * 99)
    expected = ["a mapping", "a list", "an empty list", "nothing", "'word'", repr("x" * LONGEST_SHOWN)]
    assert [shown(node(text)) for text in texts] == expected


def test_types_have_words() -> None:
    kinds = (int | None, tuple[Few, ...], Annotated[tuple[str, ...], Meta(min_length=1)], dict[Literal["a", "b"], int])
    assert [allowed_text(inspect.type_info(kind)) for kind in kinds] == [
        "an integer, or nothing",
        "a list, each: an integer of at least 1 and at most 9",
        "a list of at least 1, each: text",
        "a mapping of a, b",
    ]
