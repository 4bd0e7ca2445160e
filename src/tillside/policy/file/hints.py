"""What was meant by a mistake in a policy file, as the end of its sentence: ``; did you mean 0.5?``.

Whoever writes a policy knows the shop, not YAML: a decimal comma ends a value there, a per cent sign or a full-width
colon makes it text, and a key one level too high is merely unknown. Only what would be allowed is proposed.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import yaml
from msgspec import inspect
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tillside.cli.likeness import did_you_mean
from tillside.policy.file.scalars import is_null, read_scalar, without_null

QUOTES: Final = "“”„‟‘’‚«»「」『』\"'"
"""Quotes that are text to YAML, and its own, which stand doubled inside others."""
PUNCTUATION: Final = str.maketrans({"，": ",", "：": ":", "、": ",", "。": "."})
COMMA: Final = re.compile(r"-?\d+,\d+", re.ASCII)
PER_CENT: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*%", re.ASCII)
DAYS: Final = (
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII), (3, 2, 1)),
    (re.compile(r"(\d{4})[/.年](\d{1,2})[/.月](\d{1,2})日?", re.ASCII), (1, 2, 3)),
)
"""Days as they are written elsewhere, and which groups are year, month and day."""
IN_PER_CENT: Final = ("percent",)
"""Keys whose numbers are per cent; everywhere else 50 % is .5."""
SYNTAX: Final = (
    ("cannot start any token", r"'\\t'", "a tab; a line is indented by blanks alone"),
    ("cannot start any token", "", "a mark that begins nothing in YAML; a text that begins with it stands in quotes"),
    ("expected <block end>", "", "the line is indented otherwise than those it belongs to"),
    ("mapping values are not allowed here", "", "a colon too many, or the key in a line above ends in no colon"),
    ("could not find expected ':'", "", "a colon and a blank are missing behind the key"),
    ("expected ',' or '}'", "", "a comma or a bracket } is missing before this"),
    ("expected ',' or ']'", "", "a comma or a bracket ] is missing before this"),
)
"""What YAML's parser says, part of it and a pattern, and what it means."""


def about_syntax(problem: str, lines: Collection[str]) -> str:
    """YAML's complaint in other words; of ``lines``, the two that end with the complaint, full-width marks are told."""
    wide = [each for line in lines for each in "：，“”" if each in line]
    if wide:
        return f'{wide[0]} is text to YAML; it knows : and , with a blank behind them, and " as quotes'
    return next((words for part, form, words in SYNTAX if part in problem and re.search(form, problem)), problem)


def about_key(key: str, value: Node, allowed: Collection[str], homes: Mapping[str, str]) -> str:
    """What was meant by a key that is not known.

    Args:
        homes: where keys belong that are known elsewhere, by key.
    """
    plain = _plain(key)
    name, mark, rest = plain.partition(":")
    if key.isdigit() and is_null(value):
        return "; a number is written with a point: 0.5, not 0,5"
    if mark and name.strip() in allowed:
        return f"; did you mean {name.strip()}: {rest.strip() or 1}, with a blank behind the colon?"
    first = plain.split(" ")[0]
    if is_null(value) and first != plain and first in allowed:
        return f"; did you mean {first}: {plain[len(first) :].strip()}, with a colon?"
    if plain in homes and plain not in allowed:
        return f"; it belongs into {homes[plain]}"
    return did_you_mean(plain, allowed, before="; ")


def about_value(node: Node, kind: inspect.Type, path: str) -> str:
    """What was meant by a value that ``kind`` does not allow; an empty string if nobody can tell."""
    kind = without_null(kind)
    if isinstance(kind, inspect.StructType | inspect.DictType) and is_null(node):
        return "; what belongs to it stands below it, indented by two blanks more"
    if isinstance(kind, inspect.VarTupleType) and not isinstance(node, SequenceNode) and not is_null(node):
        return _as_list(node, kind)
    if isinstance(kind, inspect.DictType) and isinstance(node, ScalarNode | SequenceNode):
        return _as_weights(node, kind)
    if isinstance(kind, inspect.StructType) and isinstance(node, ScalarNode):
        fields = [field.encode_name for field in kind.fields if _reads(node.value, field.type)]
        return f"; did you mean {{{fields[0]}: {node.value}}}?" if len(fields) == 1 else ""
    if not isinstance(node, ScalarNode) or is_null(node):
        return ""
    if isinstance(kind, inspect.LiteralType):
        return did_you_mean(_plain(node.value), [str(each) for each in kind.values], before="; ")
    found = next((each for each in _otherwise(_plain(node.value), path) if _reads(each, kind)), None)
    quoted = ", without quotes" if found == node.value else ""
    return "" if found is None else f"; did you mean {found}{quoted}?"


def quoted_otherwise(name: str) -> str | None:
    """The name without the quotes that are text to YAML, if it stands in such; else None."""
    inside = name.strip(QUOTES)
    return inside if inside and len(name) > len(inside) + 1 and name[0] in QUOTES and name[-1] in QUOTES else None


def homes_in(kind: inspect.StructType, at: str, seen: Collection[type] = ()) -> Iterator[tuple[str, str]]:
    """Keys of the terms below ``kind`` that are reached by names alone, not by a list, and where they belong."""
    for field in kind.fields:
        inner = without_null(field.type)
        own = f"{at}.{field.encode_name}" if at else field.encode_name
        if isinstance(inner, inspect.DictType):
            inner, own = inner.value_type, f"{own}.NAME"
        if isinstance(inner, inspect.StructType) and inner.cls not in seen:
            yield from ((each.encode_name, own) for each in inner.fields)
            yield from homes_in(inner, own, (*seen, inner.cls))


def _as_list(node: Node, kind: inspect.VarTupleType) -> str:
    if isinstance(node, MappingNode) and isinstance(kind.item_type, inspect.StructType):
        return "; did you mean a list of one: [{...}], or a line that begins with a dash?"
    if isinstance(node, ScalarNode) and _reads(node.value, kind.item_type):
        return f"; did you mean [{node.value}]?"
    return ""


def _as_weights(node: ScalarNode | SequenceNode, kind: inspect.DictType) -> str:
    parts = node.value if isinstance(node, SequenceNode) else [node]
    names = [part.value for part in parts if isinstance(part, ScalarNode)]
    known = kind.key_type.values if isinstance(kind.key_type, inspect.LiteralType) else ()
    if not names or not set(names) <= set(known) or not _reads("1", kind.value_type):
        return ""
    return f"; did you mean {{{', '.join(f'{name}: 1' for name in names)}}}?"


def _plain(text: str) -> str:
    """A text with half-width letters and marks, without quotes around it."""
    return unicodedata.normalize("NFKC", text.translate(PUNCTUATION)).strip(QUOTES + " ")


def _otherwise(text: str, path: str) -> Iterator[str]:
    """A number or a day as YAML has it."""
    yield text
    if COMMA.fullmatch(text):
        yield text.replace(",", ".")
    share = PER_CENT.fullmatch(text)
    if share:
        number = share[1].replace(",", ".")
        yield number if path.rpartition(".")[2] in IN_PER_CENT else f"{float(number) / 100:g}"
    for form, (year, month, day) in DAYS:
        if found := form.fullmatch(text):
            yield f"{found[year]}-{int(found[month]):02d}-{int(found[day]):02d}"


def _reads(text: str, kind: inspect.Type) -> bool:
    """Whether a plain scalar is a value of ``kind``."""
    if isinstance(kind, inspect.UnionType):
        return any(_reads(text, each) for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.StructType | inspect.DictType | inspect.VarTupleType):
        return False
    try:
        read_scalar(yaml.compose(text, Loader=yaml.SafeLoader), kind)
    except (ValueError, yaml.YAMLError, AttributeError):
        return False
    return True
