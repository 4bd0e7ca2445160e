"""Parser of policy files, YAML to typed terms: reports every mistake with file, line, key and the allowed values.

It walks the tree of YAML nodes, which carry line numbers, along the types of ``terms``. ``defaults`` holds what all
placements share: each placement is merged over it, and each segment over the whole file. Mappings merge recursively,
lists and scalars replace. Text fields take the scalar as written, so an item id 0123 keeps its zero. YAML anchors and
aliases are rejected: shared values belong under ``defaults``.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec
import yaml
from msgspec import inspect
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tillside.policy.file.scalars import allowed_text, is_null, read_scalar, shown
from tillside.policy.file.terms import PlacementPolicy, Policy, SegmentName

BEHAVIOUR: Final = "behaviour"
DEFAULTS: Final = "defaults"
SEGMENTS: Final = "segments"
PLACEMENTS: Final = "placements"
SEGMENT_NAMES: Final = get_args(SegmentName)
POLICY: Final = cast(inspect.StructType, inspect.type_info(Policy))
PLACEMENT: Final = cast(inspect.StructType, inspect.type_info(PlacementPolicy))
POLICY_KEYS: Final = (DEFAULTS, *Policy.__struct_fields__)
VERSION_DIGITS: Final = 12
MISTAKEN: Final = object()
"""Sentinel in place of an invalid value."""


def read_policy(path: Path, *, behaviours: Sequence[str] | None = None) -> Policy:
    """Read a policy file.

    Args:
        behaviours: allowed target behaviours; None skips the check.

    Raises:
        ValueError: the file is invalid; one mistake per line: ``file:line: key: what is wrong; allowed: ...``.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: the file is not UTF-8 ({error}); allowed: YAML in UTF-8") from None
    return parse_policy(text, name=str(path), behaviours=behaviours)


def policy_version(path: Path) -> str:
    """First 12 hex digits of a policy file's SHA-256: the version that answers and reports state.

    Raises:
        OSError: the file cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS]


def parse_policy(text: str, *, name: str = "policy", behaviours: Sequence[str] | None = None) -> Policy:
    """Parse the text of a policy file.

    Args:
        name: file name for messages.
        behaviours: as for :func:`read_policy`.

    Raises:
        ValueError: see :func:`read_policy`.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        alias = next((event for event in yaml.parse(text, yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ValueError(f"{name}:{mark.line + 1 if mark else 1}: {what}; allowed: YAML") from None
    except RecursionError:
        raise ValueError(f"{name}:1: the file is nested too deeply; allowed: YAML") from None
    if alias is not None:
        line = alias.start_mark.line + 1
        raise ValueError(
            f"{name}:{line}: *{alias.anchor}: aliases are not read; allowed: shared values under {DEFAULTS}"
        )
    complex_key = _complex_key(root)
    if complex_key is not None:
        line = complex_key.start_mark.line + 1
        raise ValueError(f"{name}:{line}: {shown(complex_key)} is used as a key; allowed: text")
    return _Reader(name, behaviours).policy(root)


class _Reader:
    """Parser of one file that collects its mistakes; while ``_partial`` is set, required keys may be missing."""

    def __init__(self, name: str, behaviours: Sequence[str] | None) -> None:
        self._name = name
        self._behaviours = behaviours
        self._mistakes: dict[tuple[int, int], str] = {}
        self._partial = False

    def policy(self, root: Node | None) -> Policy:
        """Parse the whole file; raises ValueError with all mistakes."""
        if not isinstance(root, MappingNode):
            raise ValueError(f"{self._name}:1: the file is no mapping; allowed: {', '.join(POLICY_KEYS)}")
        base, segments = self._without(root, SEGMENTS, "")
        policy = self._overlaid(base, "")
        own = {}
        if isinstance(segments, MappingNode):
            for name, part in self._entries(segments, SEGMENTS).items():
                path = f"{SEGMENTS}.{name}"
                if name not in SEGMENT_NAMES:
                    self._refuse(part, path, "is not known", ", ".join(SEGMENT_NAMES), key=True)
                elif not isinstance(part, MappingNode):
                    self._refuse(part, path, f"got {shown(part)}", "a mapping of what the segment overrides")
                else:
                    self._overlay(part, path)
                    own[name] = self._overlaid(_over(base, part), "")
        elif segments is not None:
            self._refuse(segments, SEGMENTS, f"got {shown(segments)}", f"a mapping by {', '.join(SEGMENT_NAMES)}")
        if self._mistakes:
            raise ValueError("\n".join(self._mistakes[place] for place in sorted(self._mistakes)))
        assert isinstance(policy, Policy)
        return msgspec.structs.replace(policy, segments=own)

    def _overlay(self, node: MappingNode, path: str) -> None:
        """Validate a partial mapping: a segment's overrides, or the defaults."""
        self._partial = True
        rest, defaults = self._without(node, DEFAULTS, path)
        self._struct(rest, POLICY, path)
        if defaults is not None:
            self._struct(defaults, PLACEMENT, f"{path}.{DEFAULTS}" if path else DEFAULTS)
        self._partial = False

    def _overlaid(self, node: MappingNode, path: str) -> Any:
        """A policy without segments, each placement merged over the defaults."""
        self._overlay(_mapping([row for row in node.value if row[0].value == DEFAULTS], node), path)
        rest, defaults = self._without(node, DEFAULTS, path)
        if isinstance(defaults, MappingNode):
            rows = [
                (key, _mapping([(name, _over(defaults, part)) for name, part in value.value], value))
                if key.value == PLACEMENTS and isinstance(value, MappingNode)
                else (key, value)
                for key, value in rest.value
            ]
            rest = _mapping(rows, rest)
        return self._struct(rest, POLICY, path)

    def _without(self, node: MappingNode, key: str, path: str) -> tuple[MappingNode, Node | None]:
        """A mapping without one of its keys, and the value removed."""
        found = self._entries(node, path).get(key)
        return _mapping([row for row in node.value if row[0].value != key], node), found

    def _struct(self, node: Node, kind: inspect.StructType, path: str) -> Any:
        """A struct of type ``kind``; MISTAKEN if invalid, None while only validating a partial mapping."""
        fields = {field.encode_name: field for field in kind.fields if field.encode_name != SEGMENTS}
        allowed = ", ".join(POLICY_KEYS if kind.cls is Policy else fields)
        if not isinstance(node, MappingNode):
            return self._refuse(node, path, f"got {shown(node)}", f"a mapping of {allowed}")
        values: dict[str, Any] = {}
        for key, part in self._entries(node, path).items():
            own = f"{path}.{key}" if path else key
            if key in fields:
                values[fields[key].name] = self._value(part, fields[key].type, own)
                if key == BEHAVIOUR and isinstance(part, ScalarNode) and self._unknown(values[BEHAVIOUR]):
                    self._refuse(part, own, f"got {shown(part)}", ", ".join(self._behaviours or ()))
            else:
                values[key] = self._refuse(part, own, "is not known", allowed, key=True)
        if self._partial:
            return None
        for key, field in fields.items():
            if field.required and field.name not in values:
                own = f"{path}.{key}" if path else key
                values[field.name] = self._refuse(node, own, "is missing", allowed_text(field.type))
        if MISTAKEN in values.values():
            return MISTAKEN
        try:
            return kind.cls(**values)
        except ValueError as error:
            return self._refuse(node, path, str(error), allowed)

    def _unknown(self, behaviour: Any) -> bool:
        return self._behaviours is not None and isinstance(behaviour, str) and behaviour not in self._behaviours

    def _value(self, node: Node, kind: inspect.Type, path: str) -> Any:
        """Value of a node as type ``kind``, or MISTAKEN."""
        if isinstance(kind, inspect.UnionType):
            if is_null(node):
                return None
            kind = next(each for each in kind.types if not isinstance(each, inspect.NoneType))
        if isinstance(kind, inspect.StructType):
            return self._struct(node, kind, path)
        if isinstance(kind, inspect.VarTupleType) and isinstance(node, SequenceNode):
            if len(node.value) >= (kind.min_length or 0):
                found = [self._value(each, kind.item_type, f"{path}[{n}]") for n, each in enumerate(node.value)]
                return MISTAKEN if MISTAKEN in found else tuple(found)
        elif isinstance(kind, inspect.DictType) and isinstance(node, MappingNode):
            return self._dict(node, kind, path)
        elif isinstance(node, ScalarNode):
            try:
                return read_scalar(node, kind)
            except (ValueError, yaml.YAMLError):
                pass
        return self._refuse(node, path, f"got {shown(node)}", allowed_text(kind))

    def _dict(self, node: MappingNode, kind: inspect.DictType, path: str) -> Any:
        values = {}
        for key, part in self._entries(node, path).items():
            if isinstance(kind.key_type, inspect.LiteralType) and key not in kind.key_type.values:
                known = ", ".join(map(str, kind.key_type.values))
                values[key] = self._refuse(part, f"{path}.{key}", "is not known", known, key=True)
            else:
                values[key] = self._value(part, kind.value_type, f"{path}.{key}")
        if len(values) < (kind.min_length or 0):
            return self._refuse(node, path, "is empty", "at least one")
        return MISTAKEN if MISTAKEN in values.values() else values

    def _entries(self, node: MappingNode, path: str) -> dict[str, Node]:
        """Keys and values of a mapping; a duplicate key is a mistake."""
        entries: dict[str, Node] = {}
        for key, value in node.value:
            if key.value in entries:
                self._refuse(key, f"{path}.{key.value}" if path else key.value, "stands twice", "each key once")
            value.key_mark = key.start_mark
            entries[key.value] = value
        return entries

    def _refuse(self, node: Node, path: str, what: str, allowed: str, *, key: bool = False) -> Any:
        mark = getattr(node, "key_mark", node.start_mark) if key else node.start_mark
        where = f"{self._name}:{mark.line + 1}: {path or 'the file'}"
        self._mistakes.setdefault((mark.line, mark.column), f"{where}: {what}; allowed: {allowed}")
        return MISTAKEN


def _complex_key(node: Node | None) -> Node | None:
    """A mapping key that is itself a list or a mapping, anywhere below ``node``; None if there is none."""
    if isinstance(node, MappingNode):
        found = (key if not isinstance(key, ScalarNode) else _complex_key(value) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        found = (_complex_key(value) for value in node.value)
    else:
        return None
    return next((key for key in found if key is not None), None)


def _over(below: MappingNode, above: Node) -> Node:
    """Recursive merge of ``above`` over ``below``: mappings by key, anything else replaced."""
    if not isinstance(above, MappingNode):
        return above
    rows = {key.value: (key, value) for key, value in below.value}
    for key, value in above.value:
        own = rows.get(key.value, (key, value))[1]
        rows[key.value] = key, _over(own, value) if isinstance(own, MappingNode) else value
    return _mapping(list(rows.values()), above)


def _mapping(rows: list[tuple[Node, Node]], like: MappingNode) -> MappingNode:
    return MappingNode(like.tag, rows, like.start_mark, like.end_mark)
