"""Paths into values become SQL, or a sentence that names what is there."""

import pytest

from training.data.parsing.nested import fields_of, kind, nested

STRUCTURE = {
    "at": "UBIGINT",
    "page": {"product": {"id": "VARCHAR"}},
    "items": [{"id": "VARCHAR", "tags": ["VARCHAR"], "parts": [{"id": "VARCHAR"}]}],
    "others": [{"id": "VARCHAR"}],
    "params": [{"key": "VARCHAR", "value": {"string_value": "VARCHAR", "int_value": "BIGINT"}}],
}


def columns(*paths):
    return nested(STRUCTURE, paths, line="j", name="log")


def test_objects_are_walked_lists_unrolled_and_pairs_looked_up():
    found = columns("page.product.id", "items.id", "params.session")
    assert found.columns["page.product.id"] == """j->>'$."page"."product"."id"'"""
    assert found.columns["items.id"] == """__element->>'$."id"'"""
    assert found.unrolled == '$."items"'
    assert """= 'session')[1])->>'$.value."int_value"'""" in found.columns["params.session"]
    assert columns("page.product.id").unrolled is None


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        (["page.sku"], "log has no page.sku; page has: product"),
        (["page.product"], r"page.product of log is an object and no plain value; .* such as page.product.id"),
        (["items.tags"], "items.tags of log is a list and no plain value"),
        (["items.id", "others.id"], "items.id and others.id lie in two lists"),
        (["items.parts.id"], "a list in a list"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_is_there(paths, sentence):
    with pytest.raises(ValueError, match=sentence):
        columns(*paths)


def test_kinds_and_fields():
    assert [kind(STRUCTURE[name]) for name in ("at", "page", "items")] == [None, "an object", "a list of objects"]
    assert fields_of(STRUCTURE["others"]) == ["id"]
