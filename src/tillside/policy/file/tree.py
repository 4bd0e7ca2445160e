"""Parser of typed YAML files: walks the tree of nodes along the types of msgspec structs, and gathers every mistake.

Nodes carry line numbers, so a mistake is told as ``file:line: key: what is wrong; allowed: ...``, all of a file at
once. Text fields take the scalar as written, so an item id 0123 keeps its zero. YAML anchors and aliases are rejected.
What a file adds to this (a policy's segments and defaults, an experiment's arms) its own reader does.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import inspect
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from tillside.policy.file.hints import about_key, about_syntax, about_value, quoted_otherwise
from tillside.policy.file.scalars import allowed_text, fits_in, is_null, read_scalar, shown, without_null
from tillside.policy.file.values import ConflictError, TermError

MISTAKEN: Final = object()
"""Sentinel in place of an invalid value."""
DEEPEST: Final = 32
"""Most levels of a file; the parser's work for a bracket grows with the brackets that are open."""


def text_of(path: Path) -> str:
    """Text of a file.

    Raises:
        ValueError: it is not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: the file is not UTF-8 ({error}); allowed: YAML in UTF-8") from None


PARSERS: Final = (yaml.CSafeLoader, yaml.SafeLoader) if yaml.__with_libyaml__ else (yaml.SafeLoader,)
"""libyaml's, which is some five times as fast, and PyYAML's own for what that refuses: it takes ``{key:}``, and its
mistakes stand on lines that there are."""
DIRECTIVE: Final = re.compile("(?:^|[\r\n\x85\u2028\u2029\ufeff])%")
"""What libyaml's is not given: it looks each tag up in all others, and holds every thread meanwhile."""


class _Stream(io.StringIO):
    """A text with the name that marks bear."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


class _Composer(Composer, Resolver):  # type: ignore[misc]  # PyYAML has no types
    """Composer that keeps the first alias, and refuses what is nested too deeply as soon as it is met."""

    def __init__(self, text: str, name: str, parser: Any) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        events = parser(_Stream(text, name))
        self.check_event, self.peek_event, self.get_event = events.check_event, events.peek_event, events.get_event
        self.alias: yaml.AliasEvent | None = None
        self._name = name
        self._depth = 0

    def compose_node(self, parent: Node | None, index: int | None) -> Node | None:
        event = self.peek_event()
        if self.alias is None and isinstance(event, yaml.AliasEvent):
            self.alias = event
        if self._depth == DEEPEST and isinstance(event, yaml.CollectionStartEvent):
            line = event.start_mark.line + 1
            raise ValueError(f"{self._name}:{line}: the file is nested too deeply; allowed: {DEEPEST} levels")
        self._depth += 1
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def composed(text: str, name: str, *, instead: str) -> Node | None:
    """Root node of a YAML text; None if it is empty.

    Args:
        name: of the file; every node's mark bears it.
        instead: what to write where an alias was meant, for the message.

    Raises:
        ValueError: it is no YAML, or holds aliases, keys that are no text, or more than DEEPEST levels.
    """
    for parser in PARSERS if DIRECTIVE.search(text) is None else PARSERS[-1:]:
        try:
            composer = _Composer(text, name, parser)
            root = composer.get_single_node()
        except yaml.YAMLError as error:
            mistake = error
        else:
            break
    else:
        mark = getattr(mistake, "problem_mark", None) or getattr(mistake, "context_mark", None)
        what = getattr(mistake, "problem", None) or str(mistake).partition("\n")[0]
        line = mark.line if mark else 0
        what = about_syntax(what, text.splitlines()[max(0, line - 1) : line + 1])
        raise ValueError(f"{name}:{line + 1}: {what}; allowed: YAML")
    if composer.alias is not None:
        line = composer.alias.start_mark.line + 1
        raise ValueError(f"{name}:{line}: *{composer.alias.anchor}: aliases are not read; allowed: {instead}")
    complex_key = _complex_key(root)
    if complex_key is not None:
        line = complex_key.start_mark.line + 1
        raise ValueError(f"{name}:{line}: {shown(complex_key)} is used as a key; allowed: text")
    found: Node | None = root
    return found


class TreeReader:
    """Parser of one file that collects its mistakes.

    Attributes:
        partial: whether required keys may be missing, but for those of what stands in a list, which is never merged.
        merged: whether what is read was put together of parts that are right by themselves, so that what is wrong now
            is a conflict between them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.partial = False
        self.merged = False
        self._mistakes: dict[tuple[str, int, int], str] = {}
        self._conflicts: set[str] = set()
        self._about: dict[str, tuple[str, str]] = {}
        self._lists: dict[tuple[int, int], tuple[Any, inspect.Type, Node]] = {}

    @property
    def homes(self) -> Mapping[str, str]:
        """Where keys belong that are known in some term of the file, by key."""
        return {}

    def refuse_mistakes(self) -> None:
        """Raise ValueError with all mistakes found, one a line, in the order of the file; nothing without any.

        It is a ConflictError if each value is allowed by itself.
        """
        if self._mistakes:
            found = [self._mistakes[place] for place in sorted(self._mistakes)]
            field, allowed = self._about[found[0]]
            raise ConflictError.of(found, self._conflicts, field=field, allowed=allowed)

    def fields_of(self, kind: inspect.StructType) -> Mapping[str, inspect.Field]:
        """Fields that a mapping of type ``kind`` may have, by key."""
        return {field.encode_name: field for field in kind.fields}

    def keys_of(self, kind: inspect.StructType) -> str:
        """The keys of such a mapping in words."""
        return ", ".join(self.fields_of(kind))

    def checked(self, key: str, value: Any, node: Node, path: str) -> Any:
        """The value of a key, which a reader may refuse for reasons that types do not say."""
        return value

    def struct(self, node: Node, kind: inspect.StructType, path: str) -> Any:
        """A struct of type ``kind``; MISTAKEN if invalid, None while only validating a partial mapping."""
        fields, allowed = self.fields_of(kind), self.keys_of(kind)
        if not isinstance(node, MappingNode):
            hint = about_value(node, kind, path)
            return self.refuse(node, path, f"got {shown(node)}", f"a mapping of {allowed}", hint=hint)
        values: dict[str, Any] = {}
        for key, part in self.entries(node, path).items():
            own = f"{path}.{key}" if path else key
            if key in fields:
                values[fields[key].name] = self.checked(key, self.value(part, fields[key].type, own), part, own)
            else:
                hint = about_key(key, part, tuple(fields), self.homes)
                values[key] = self.refuse(part, own, "is not known", allowed, key=True, hint=hint)
        if self.partial:
            return None
        for key, field in fields.items():
            if field.required and field.name not in values:
                own = f"{path}.{key}" if path else key
                values[field.name] = self.refuse(node, own, "is missing", allowed_text(field.type))
        if any(value is MISTAKEN for value in values.values()):
            return MISTAKEN
        try:
            return kind.cls(**values)
        except ValueError as error:
            own, conflict = path, isinstance(error, ConflictError)
            if isinstance(error, TermError) and error.allowed:
                own, allowed = ".".join(filter(None, (path, error.field))), error.allowed
            return self.refuse(node, path, str(error), allowed, conflict=conflict, field=own)

    def value(self, node: Node, kind: inspect.Type, path: str) -> Any:
        """Value of a node as type ``kind``, or MISTAKEN."""
        if isinstance(kind, inspect.UnionType):
            if is_null(node):
                return None
            kind = without_null(kind)
        if isinstance(kind, inspect.StructType):
            return self.struct(node, kind, path)
        if isinstance(kind, inspect.VarTupleType) and isinstance(node, SequenceNode):
            if fits_in(len(node.value), kind):
                return self._list(node, kind, path)
        elif isinstance(kind, inspect.DictType) and isinstance(node, MappingNode):
            return self._dict(node, kind, path)
        elif isinstance(node, ScalarNode):
            try:
                return read_scalar(node, kind)
            except (ValueError, yaml.YAMLError):
                pass
        what = f"got {shown(node)}"
        if isinstance(kind, inspect.VarTupleType) and isinstance(node, SequenceNode) and node.value:
            what += f" of {len(node.value)}"
        return self.refuse(node, path, what, allowed_text(kind), hint=about_value(node, kind, path))

    def _list(self, node: SequenceNode, kind: inspect.VarTupleType, path: str) -> Any:
        """A list, read once however many mappings it was merged into: its mistakes are told where it stands."""
        known = id(node), id(kind)
        if known not in self._lists:
            partial, self.partial = self.partial, False
            found = [self.value(each, kind.item_type, f"{path}[{n}]") for n, each in enumerate(node.value)]
            self.partial = partial
            self._lists[known] = MISTAKEN if MISTAKEN in found else tuple(found), kind, node
        return self._lists[known][0]

    def _dict(self, node: MappingNode, kind: inspect.DictType, path: str) -> Any:
        values = {}
        for key, part in self.entries(node, path).items():
            if isinstance(kind.key_type, inspect.LiteralType) and key not in kind.key_type.values:
                known = ", ".join(map(str, kind.key_type.values))
                hint = about_key(key, part, [str(each) for each in kind.key_type.values], self.homes)
                values[key] = self.refuse(part, f"{path}.{key}", "is not known", known, key=True, hint=hint)
            elif isinstance(kind.key_type, inspect.StrType) and (inside := quoted_otherwise(key)):
                what = "stands in quotes that are text to YAML"
                values[key] = self.refuse(part, f"{path}.{key}", what, f'{inside}, or "{inside}"', key=True)
            elif isinstance(kind.key_type, inspect.StrType) and len(key) < (kind.key_type.min_length or 0):
                values[key] = self.refuse(part, path, "a key is empty", "text", key=True)
            else:
                values[key] = self.value(part, kind.value_type, f"{path}.{key}")
        if len(values) < (kind.min_length or 0):
            return self.refuse(node, path, "is empty", "at least one")
        return MISTAKEN if MISTAKEN in values.values() else values

    def entries(self, node: MappingNode, path: str) -> dict[str, Node]:
        """Keys and values of a mapping; a duplicate key is a mistake."""
        entries: dict[str, Node] = {}
        for key, value in node.value:
            if key.value in entries:
                self.refuse(key, f"{path}.{key.value}" if path else key.value, "stands twice", "each key once")
            value.key_mark = key.start_mark
            entries[key.value] = value
        return entries

    def refuse(
        self,
        node: Node,
        path: str,
        what: str,
        allowed: str,
        *,
        key: bool = False,
        conflict: bool = False,
        field: str = "",
        hint: str = "",
    ) -> Any:
        """Note a mistake at a node, or at its key; returns MISTAKEN.

        Args:
            conflict: whether the value is allowed by itself.
            field: path of the one at fault, where it is one within the node.
            hint: what was meant, as the end of the sentence.
        """
        mark = getattr(node, "key_mark", node.start_mark) if key else node.start_mark
        where = f"{mark.name}:{mark.line + 1}: {path or 'the file'}"
        sentence = f"{where}: {what}; allowed: {allowed}{hint}"
        told = self._mistakes.setdefault((mark.name, mark.line, mark.column), sentence)
        self._about.setdefault(sentence, (field or path, allowed))
        if told is sentence and (conflict or self.merged):
            self._conflicts.add(sentence)
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


def over(below: MappingNode, above: Node) -> Node:
    """Recursive merge of ``above`` over ``below``: mappings by key, anything else replaced."""
    if not isinstance(above, MappingNode):
        return above
    rows = {key.value: (key, value) for key, value in below.value}
    for key, value in above.value:
        own = rows.get(key.value, (key, value))[1]
        rows[key.value] = key, over(own, value) if isinstance(own, MappingNode) else value
    return mapping_of(list(rows.values()), above)


def mapping_of(rows: list[tuple[Node, Node]], like: MappingNode) -> MappingNode:
    """A mapping of these rows that stands where ``like`` does."""
    return MappingNode(like.tag, rows, like.start_mark, like.end_mark)
