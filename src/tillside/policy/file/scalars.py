"""Conversion of YAML scalars in a policy file to typed values, and descriptions of types for error messages.

Text is taken as written, whatever type YAML would resolve it to; numbers, dates and booleans are resolved by YAML.
"""

import contextlib
import math
import re
from datetime import date, datetime
from typing import Any, Final

from msgspec import inspect
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LONGEST_SHOWN: Final = 60
QUOTED_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
"""As JSON writes it, which is YAML too."""
JSON_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?[eE][-+]?\d+", re.ASCII)
"""A number to JSON, as 1e-05, and to YAML 1.1 only with a point and a sign: PyYAML takes it for text."""


def read_scalar(node: ScalarNode, kind: inspect.Type) -> Any:
    """Value of a scalar node as type ``kind``.

    Raises:
        ValueError: the value is of another type or out of bounds.
    """
    if isinstance(kind, inspect.LiteralType) and node.value in kind.values:
        return node.value
    if isinstance(kind, inspect.StrType) and not is_null(node) and len(node.value) >= (kind.min_length or 0):
        return node.value
    value = SafeConstructor().construct_object(node)
    if isinstance(value, str) and not node.style and JSON_NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(kind, inspect.IntType) and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(kind, inspect.BoolType) and isinstance(value, bool):
        return value
    if isinstance(kind, inspect.DateType) and isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(kind, inspect.DateType) and isinstance(value, str) and QUOTED_DAY.fullmatch(value):
        return date.fromisoformat(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(kind, inspect.IntType) and whole and _inside(value, kind):
        return value
    if isinstance(kind, inspect.FloatType) and (whole or isinstance(value, float)) and _inside(value, kind):
        with contextlib.suppress(OverflowError):  # an integer that no float can hold
            return float(value)
    raise ValueError(f"{node.value!r} is not {allowed_text(kind)}")


def is_null(node: Node) -> bool:
    """Whether the node is null or empty."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def without_null(kind: inspect.Type) -> inspect.Type:
    """The type of what may be left out; any other type as it is."""
    if not isinstance(kind, inspect.UnionType):
        return kind
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))


def shown(node: Node) -> str:
    """Short description of a node's value, for messages."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list" if node.value else "an empty list"
    return "nothing" if is_null(node) else repr(node.value[:LONGEST_SHOWN])


def allowed_text(kind: inspect.Type) -> str:
    """Description of the values that ``kind`` allows, for messages."""
    match kind:
        case inspect.UnionType():
            words = (allowed_text(each) for each in kind.types if not isinstance(each, inspect.NoneType))
            return f"{', '.join(words)}, or nothing"
        case inspect.LiteralType():
            return ", ".join(map(str, kind.values))
        case inspect.IntType():
            return f"an integer{_bounds(kind)}"
        case inspect.FloatType():
            return f"a number{_bounds(kind)}"
        case inspect.StrType():
            return "text"
        case inspect.BoolType():
            return "true or false"
        case inspect.DateType():
            return "a date such as 2026-11-01"
        case inspect.StructType():
            return f"a mapping of {', '.join(field.encode_name for field in kind.fields)}"
        case inspect.DictType():
            return (
                "a mapping"
                if not isinstance(kind.key_type, inspect.LiteralType)
                else (f"a mapping of {', '.join(map(str, kind.key_type.values))}")
            )
        case inspect.VarTupleType():
            return f"a list{_sizes(kind)}, each: {allowed_text(kind.item_type)}"
    raise AssertionError(f"no words for {kind}")


def fits_in(size: int, kind: inspect.VarTupleType) -> bool:
    """Whether a list may have so many values."""
    return size >= (kind.min_length or 0) and (kind.max_length is None or size <= kind.max_length)


def _sizes(kind: inspect.VarTupleType) -> str:
    least, most = kind.min_length, kind.max_length
    if most is None:
        return f" of at least {least}" if least else ""
    return f" of {least} to {most}" if least else f" of at most {most}"


def _inside(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return not (isinstance(value, float) and math.isnan(value)) and (
        (kind.ge is None or value >= kind.ge)
        and (kind.gt is None or value > kind.gt)
        and (kind.le is None or value <= kind.le)
        and (kind.lt is None or value < kind.lt)
    )


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    least = f" of at least {kind.ge:g}" if kind.ge is not None else f" above {kind.gt:g}" if kind.gt is not None else ""
    most = f"{' and' if least else ' of'} at most {kind.le:g}" if kind.le is not None else ""
    return least + most
