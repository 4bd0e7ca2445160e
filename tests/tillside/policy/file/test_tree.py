"""The walk along types: every mistake of a file at once, in the file's order, each with its line."""

from typing import cast

import pytest
from msgspec import inspect
from yaml.nodes import MappingNode, Node

from tillside.policy.file import tree
from tillside.policy.file.tree import DEEPEST, TreeReader, composed, over
from tillside.policy.file.values import ConflictError, Count, Name, Term


class Shelf(Term, frozen=True, kw_only=True):
    name: Name
    boards: Count = 1


SHELF = cast(inspect.StructType, inspect.type_info(Shelf))


def read(text: str) -> object:
    reader = TreeReader("file")
    root = composed(text, "file", instead="each value written out")
    assert root is not None
    found = reader.struct(root, SHELF, "")
    reader.refuse_mistakes()
    return found


def test_a_mapping_becomes_its_struct() -> None:
    assert read("name: 007\nboards: 2") == Shelf(name="007", boards=2)


def test_all_mistakes_are_told_in_order() -> None:
    with pytest.raises(ValueError) as error:
        read("boards: 0\nheight: 2")
    assert str(error.value).split("\n") == [
        "file:1: name: is missing; allowed: text",
        "file:1: boards: got '0'; allowed: an integer of at least 1 and at most 1000",
        "file:2: height: is not known; allowed: name, boards",
    ]


def test_a_partial_mapping_may_lack_required_keys() -> None:
    reader = TreeReader("file")
    reader.partial = True
    root = composed("boards: 2", "file", instead="")
    assert root is not None
    assert reader.struct(root, SHELF, "") is None
    reader.refuse_mistakes()


def test_what_a_merge_brought_about_is_a_conflict_and_what_was_wrong_before_is_none() -> None:
    reader = TreeReader("file")
    root = composed("boards: 2", "file", instead="")
    assert root is not None
    reader.merged = True
    reader.struct(root, SHELF, "")
    with pytest.raises(ConflictError, match="name: is missing"):
        reader.refuse_mistakes()
    wrong = composed("boards: 0", "file", instead="")
    assert wrong is not None
    reader.merged = False
    reader.struct(wrong, SHELF, "")
    with pytest.raises(ValueError, match="boards: got '0'") as caught:
        reader.refuse_mistakes()
    assert not isinstance(caught.value, ConflictError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: *x", "file:2: *x: aliases are not read; allowed: each value written out"),
        ("? [a]\n: 1", "file:1: a list is used as a key; allowed: text"),
        ("a: [", "file:1: "),
        ("a: \0", "file:1: "),
        ("a:\n  " + "[" * DEEPEST, f"file:2: the file is nested too deeply; allowed: {DEEPEST} levels"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        composed(text, "file", instead="each value written out")
    assert str(error.value).startswith(message)


def test_as_deep_as_allowed_is_read() -> None:
    assert composed("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1), "file", instead="") is not None


def test_a_merge_keeps_where_each_part_was_written() -> None:
    below, above = composed("a: {b: 1, c: 2}", "low", instead=""), composed("\na: {c: 3}", "high", instead="")
    assert below is not None
    assert above is not None
    merged = over(below, above)  # type: ignore[arg-type]
    rows = {key.value: value for key, value in merged.value[0][1].value}
    assert {key: (value.value, value.start_mark.name, value.start_mark.line) for key, value in rows.items()} == {
        "b": ("1", "low", 0),
        "c": ("3", "high", 1),
    }


@pytest.mark.parametrize("parsers", [tree.PARSERS, tree.PARSERS[-1:]], ids=["libyaml", "pure"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- &a x\n- [*a]", "file:2: *a: aliases are not read; allowed: b"),
        ("a:\n  - " + "[" * DEEPEST, "file:2: the file is nested too deeply; allowed: 32 levels"),
        ("a: [\n", "file:2: expected the node content, but found '<stream end>'; allowed: YAML"),
        (
            "a: 1\nb: a: 1",
            "file:2: a colon too many, or the key in a line above ends in no colon; allowed: YAML",
        ),
        ("? [a]\n: b", "file:1: a list is used as a key; allowed: text"),
    ],
)
def test_a_text_is_refused_alike_with_and_without_libyaml(
    text: str, told: str, parsers: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "PARSERS", parsers)
    with pytest.raises(ValueError) as error:
        composed(text, "file", instead="b")
    assert str(error.value) == told


def test_both_parsers_make_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, '1', \"1\", 0x1, ~, {b: }]\nc: |\n  d\n  é\n? e\n: !!str 2026-01-01 # f\n'g': 1e-05"
    fast = drawn(composed(text, "file", instead=""))
    monkeypatch.setattr(tree, "PARSERS", tree.PARSERS[-1:])
    assert drawn(composed(text, "file", instead="")) == fast


def test_what_libyaml_refuses_is_read_if_the_other_takes_it() -> None:
    assert drawn(composed("{b:}", "file", instead="")) == drawn(composed("{b: }", "file", instead=""))


@pytest.mark.parametrize("before", ["", "# a\n", "\r", "\ufeff"])
def test_a_text_with_directives_is_not_given_to_libyaml(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PARSERS", (None, tree.PARSERS[-1]))
    root = composed(f"{before}%TAG !a! tag:a,\n--- {{b: !a!str 1%}}", "file", instead="")
    assert isinstance(root, MappingNode)
    assert root.value[0][1].tag == "tag:a,str"


def drawn(node: Node | None) -> object:
    """Tags, values, styles and lines of a tree."""
    assert node is not None
    mark = node.start_mark
    value = node.value
    if isinstance(value, list):
        value = [tuple(map(drawn, each)) if isinstance(each, tuple) else drawn(each) for each in value]
    return node.tag, value, getattr(node, "style", None) or None, mark.name, mark.line
