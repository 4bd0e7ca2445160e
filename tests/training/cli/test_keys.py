"""The keys of a config as people read them: dotted name, type in words, default as typed, the text where defined."""

import subprocess
import sys
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Literal

import pytest

from training.cli.keys import Key, as_typed, describe, doc_of, groups_of, in_words


class Colour(Enum):
    red = "r"
    green = "g"


@dataclass
class Frame:
    kind: ClassVar[str] = "frame"
    """Not a key."""
    width: int = 40
    """Width in millimetres. Wider frames
    bend, above 1.5 metres."""
    colour: Colour = Colour.red
    """Of the paint; ``green`` is dearer."""
    name: str = "???"


@dataclass
class Window:
    """Its own text; not a key's."""

    frame: Frame = field(default_factory=Frame)
    from_: str | None = None
    """Where it comes from."""
    glued: bool = True
    panes: list[str] = field(default_factory=lambda: ["left", "right"])
    """What it is made of."""


@dataclass
class Dormer(Window):
    glued: bool = False
    panes: list[str] = field(default_factory=list)
    """Other panes."""


def test_keys_stand_in_the_order_of_the_fields_with_nested_ones_in_their_place():
    assert describe(Window) == [
        Key("frame.width", "integer", "40", "Width in millimetres. Wider frames bend, above 1.5 metres."),
        Key("frame.colour", "name", "red", "Of the paint; `green` is dearer.", ("red", "green")),
        Key("frame.name", "text", None, ""),
        Key("from", "text or null", "null", "Where it comes from."),
        Key("glued", "true or false", "true", ""),
        Key("panes", "list of text", "[left,right]", "What it is made of."),
    ]


def test_a_prefix_stands_before_each_name():
    assert [key.name for key in describe(Frame, "data.")] == ["data.width", "data.colour", "data.name"]


def test_a_subclass_keeps_the_text_of_its_parent_unless_it_has_its_own():
    keys = {key.name: key for key in describe(Dormer)}
    assert (keys["from"].doc, keys["panes"].doc) == ("Where it comes from.", "Other panes.")
    assert (keys["glued"].default, keys["panes"].default) == ("false", "[]")
    assert doc_of(Dormer, "nothing") == ""


def test_the_line_is_the_first_sentence():
    """A decimal point and an abbreviation inside do not end it."""
    assert describe(Frame)[0].line == "Width in millimetres."
    assert Key("a", "text", "", "Share of 1.5, e.g. of rows").line == "Share of 1.5, e.g. of rows"
    assert Key("a", "text", "", "auto: bf16 where it is. Else fp32.").line == "auto: bf16 where it is."


@pytest.mark.parametrize(
    ("annotation", "words", "choices"),
    [
        (int | None, "integer or null", ()),
        (float, "number", ()),
        (dict[str, str | None], "mapping of text to text or null", ()),
        (list[int], "list of integers", ()),
        (list[Colour], "list of names", ("red", "green")),
        (Literal["a", "b"] | None, "name or null", ("a", "b")),
        (int | str, "integer or text", ()),
        (Any, "anything", ()),
    ],
)
def test_types_in_words(annotation, words, choices):
    assert in_words(annotation) == (words, choices)


def test_a_type_without_words_is_refused():
    with pytest.raises(TypeError, match="no key of type"):
        in_words(complex)
    with pytest.raises(TypeError, match="must be a dataclass"):
        describe(int)


def test_values_as_typed():
    typed = [as_typed(value) for value in (None, True, 0.01, "a b", [Colour.green, None], {"view": "click"})]
    assert typed == ["null", "true", "0.01", "a b", "[green,null]", "{view: click}"]


def test_groups_are_the_nested_fields_that_have_a_folder_of_configs(tmp_path):
    (tmp_path / "frame").mkdir()
    (tmp_path / "glued").mkdir()  # not a nested dataclass: a plain key of that name
    for name in ("frame/oak.yaml", "frame/ash.yaml", "glued/yes.yaml"):
        (tmp_path / name).touch()
    assert groups_of(Window, tmp_path) == [Key("frame", "name of a group", None, "", ("ash", "oak"))]


def test_nothing_heavy_is_imported():
    """``--help`` reads the keys, and must answer at once."""
    heavy = {"torch", "hydra", "omegaconf", "mlflow", "numpy"}
    code = f"import sys, training.cli.keys; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
