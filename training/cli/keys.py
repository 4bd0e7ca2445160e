"""The keys of a command's config: name, type, default and meaning, read from the dataclasses that define them.

What a key means is the string under the attribute, in the source of the class that defines it; ``ast`` reads it there,
since Python drops it. ``--help`` and the reference of the documentation take it from here, so that it is written once.
Imports nothing heavy: ``--help`` must answer at once.
"""

import ast
import dataclasses
import functools
import inspect
import keyword
import re
import sys
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

REQUIRED: Final = "???"
"""Default of a key that must be given (OmegaConf's ``MISSING``)."""
TYPES: Final = {int: "integer", float: "number", bool: "true or false", str: "text", Path: "path", Any: "anything"}
PLURALS: Final = {"integer": "integers", "number": "numbers", "path": "paths", "true or false": "true or false"}


@dataclasses.dataclass(frozen=True)
class Key:
    """A key as typed on the command line.

    Attributes:
        name: dotted, such as ``trainer.max_epochs``.
        type: in words, such as ``integer or null``.
        default: as it would be typed after ``=``; None for a key that must be given.
        doc: the whole text under the attribute, on one line; empty if there is none.
        choices: names allowed, of an enum, a ``Literal`` or a group of configs.
    """

    name: str
    type: str
    default: str | None
    doc: str
    choices: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The first sentence of ``doc``."""
        return re.split(r"(?<=\.)\s+(?=[A-Z`(])", self.doc, maxsplit=1)[0]


def describe(schema: type, prefix: str = "") -> list[Key]:
    """Keys of a config dataclass in the order of its fields, those of nested dataclasses in the place of the field.

    A field that a subclass redefines without a text of its own keeps the text of its parent.

    Args:
        prefix: put before each name, such as ``data.``.

    Raises:
        TypeError: ``schema`` is not a dataclass.
    """
    if not (isinstance(schema, type) and dataclasses.is_dataclass(schema)):
        raise TypeError(f"schema must be a dataclass, got {schema!r}")
    annotations = typing.get_type_hints(schema)
    keys: list[Key] = []
    for field in dataclasses.fields(schema):
        annotation, name = annotations[field.name], prefix + _typed_name(field.name)
        if nested := _nested(annotation):
            keys += describe(nested, f"{name}.")
        else:
            kind, choices = in_words(annotation)
            keys.append(Key(name, kind, _default(field), doc_of(schema, field.name), choices))
    return keys


def groups_of(schema: type, configs: Path) -> list[Key]:
    """Keys that choose a whole group, such as ``trainer=quick``: nested fields that have a folder in ``configs``.

    A nested dataclass is replaced by the file's values. The default is None; the command's own YAML names it.
    """
    keys = []
    for field in dataclasses.fields(schema):
        files = sorted(path.stem for path in (configs / field.name).glob("*.yaml"))
        if files and _nested(typing.get_type_hints(schema)[field.name]):
            keys.append(Key(field.name, "name of a group", None, doc_of(schema, field.name), tuple(files)))
    return keys


def doc_of(schema: type, name: str) -> str:
    """The text under the attribute ``name``, on one line, of the first class in the MRO that has one; "" if none."""
    for each in schema.__mro__:
        if text := _docs(each).get(name):
            return text
    return ""


def in_words(annotation: Any) -> tuple[str, tuple[str, ...]]:
    """A type in words, such as ``list of text`` or ``integer or null``, and the names that it allows, if it lists them.

    Raises:
        TypeError: configs have no such type.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in TYPES:
        return TYPES[annotation], ()
    if origin is Literal:
        return "name", tuple(str(each) for each in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "name", tuple(each.name for each in annotation)
    if origin in (typing.Union, types.UnionType):
        parts = [in_words(each) for each in arguments if each is not type(None)]
        words = " or ".join(dict.fromkeys(kind for kind, _ in parts)) + (" or null" if type(None) in arguments else "")
        return words, tuple(name for _, choices in parts for name in choices)
    if origin in (list, tuple):
        kind, choices = in_words(arguments[0])
        return f"list of {'names' if choices else PLURALS.get(kind, kind)}", choices
    if origin in (dict, Mapping):
        kind, choices = in_words(arguments[1])
        return f"mapping of {in_words(arguments[0])[0]} to {kind}", choices
    raise TypeError(f"a config has no key of type {annotation!r}")


def as_typed(value: Any) -> str:
    """A value as it would be typed after ``=`` on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_typed, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{as_typed(key)}: {as_typed(each)}' for key, each in value.items())}}}"
    return str(value)


def _nested(annotation: Any) -> type | None:
    return annotation if isinstance(annotation, type) and dataclasses.is_dataclass(annotation) else None


def _typed_name(field: str) -> str:
    """``from_`` is typed ``from``: a Python keyword cannot be a field."""
    bare = field.removesuffix("_")
    return bare if keyword.iskeyword(bare) else field


def _default(field: dataclasses.Field[Any]) -> str | None:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    missing = value is dataclasses.MISSING or (isinstance(value, str) and value == REQUIRED)
    return None if missing else as_typed(value)


@functools.cache
def _docs(schema: type) -> dict[str, str]:
    module = sys.modules.get(schema.__module__)
    file = getattr(module, "__file__", None)
    return _docs_of_file(file).get(schema.__qualname__, {}) if file else {}


@functools.cache
def _docs_of_file(file: str) -> dict[str, dict[str, str]]:
    """By qualified name of a class, the text under each of its attributes."""
    found: dict[str, dict[str, str]] = {}

    def visit(node: ast.AST, path: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[path + child.name] = _docs_of_class(child)
                visit(child, f"{path}{child.name}.")
            elif isinstance(child, ast.FunctionDef):
                visit(child, f"{path}{child.name}.<locals>.")

    visit(ast.parse(Path(file).read_bytes()), "")
    return found


def _docs_of_class(node: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for attribute, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            docs[attribute.target.id] = " ".join(inspect.cleandoc(below.value.value).replace("``", "`").split())
    return docs
