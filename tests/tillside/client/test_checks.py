"""What a caller gives is named where it is wrong; what a server answers is of its type or a TypeError."""

import pytest

from tillside.client.checks import each, flag, integer, number, one_of_kind, real, strings, text, texts, typed


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: text("host", ""), "host must be a string of 1 to 256 characters, got ''"),
        (lambda: integer("age", 131, 0, 130), "age must be an integer from 0 to 130, got 131"),
        (lambda: integer("age", True, 0, 130), "age must be an integer from 0 to 130, got True"),
        (lambda: real("factor", 1000, 0.01, 100), "factor must be a number from 0.01 to 100, got 1000"),
        (lambda: real("factor", float("nan"), 0, 1), "factor must be a number from 0 to 1, got nan"),
        (lambda: flag("names", 1), "names must be True or False, got 1"),
        (lambda: texts("scene", "pear"), "scene must be a collection of item ids, got 'pear'"),
        (lambda: texts("scene", {"pear": 1}), "scene must be a collection of item ids, got {'pear': 1}"),
        (lambda: texts("scene", ["a", 7]), "scene must be a string of 1 to 256 characters, got 7"),
        (lambda: each("cart", "pear", int, lambda _, n: n), "cart must be a sequence of int, got 'pear'"),
        (lambda: each("cart", [1, "x"], int, lambda _, n: n), "cart[1] must be a int, got 'x'"),
        (lambda: one_of_kind("x", 1, Exception), "x must be an Exception, got 1"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(check, sentence):
    with pytest.raises(ValueError) as caught:
        check()
    assert str(caught.value) == sentence


def test_what_is_allowed_is_given_back():
    assert (text("a", "b"), integer("a", 2, 1, 3), real("a", 2, 1, 3), flag("a", False)) == ("b", 2, 2, False)
    assert texts("a", ("x", "y")) == ["x", "y"]
    assert each("a", (1, 2), int, lambda name, own: f"{name}={own}") == ["a[0]=1", "a[1]=2"]


def test_parts_of_an_answer():
    assert (typed(1, int), number(2), number(None), strings(["a"])) == (1, 2.0, None, ("a",))
    for wrong in (lambda: typed("1", int), lambda: number(True), lambda: number(float("inf")), lambda: strings([1])):
        with pytest.raises(TypeError):
            wrong()
