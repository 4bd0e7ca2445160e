"""Names in a policy file that a shop does not know: items, categories and brands, each with its line.

A category that no item has makes a rule that never holds, and nobody sees that it does not. The walk follows the types
of ``terms`` as the reader does, so that every text field called by one of the names below is looked up. It reads the
file as it stands, before placements are laid over defaults: each name is told once, where it is written.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import inspect
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tillside.policy.file.reader import DEFAULTS, PLACEMENT, POLICY, SEGMENTS, PolicyReader, root_of
from tillside.policy.file.scalars import without_null
from tillside.policy.file.spelling import Suggestions
from tillside.policy.file.tree import composed
from tillside.policy.file.values import on_one_line

KIND_OF: Final[Mapping[str, str]] = {
    "item": "item",
    "items": "item",
    "gift": "item",
    "category": "category",
    "categories": "category",
    "only": "category",
    "never": "category",
    "but": "category",
    "brand": "brand",
    "attribute": "attribute",
    "variants": "attribute",
}
"""What a text, or a list of texts, names, by its key."""


@dataclass(frozen=True)
class KnownNames:
    """What a shop has: ids of items, paths of categories at every level, brands, names of attributes."""

    items: Collection[str]
    categories: Collection[str]
    brands: Collection[str]
    attributes: Collection[str] = ()

    def of(self, kind: str) -> Collection[str]:
        """Those of a kind of KIND_OF."""
        return {
            "item": self.items,
            "category": self.categories,
            "brand": self.brands,
            "attribute": self.attributes,
        }[kind]


class NameCheck:
    """Look-up of the names of one text."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known
        self._suggestions = Suggestions()

    def mistake(self, kind: str, name: str) -> str | None:
        """What is wrong with a name of a kind of KIND_OF; None if the shop has it."""
        known = self._known.of(kind)
        if name in known:
            return None
        what = "no item has this id" if kind == "item" else f"no item has this {kind}"
        if not known:
            return f"{what}: the catalogue has none at all"
        return f"{what}{self._suggestions.meant(kind, name, known)}"

    def misplaced(self, name: str, placements: Collection[str]) -> str | None:
        """What is wrong with a placement's name; None if it is one of ``placements``."""
        if name in placements:
            return None
        return f"no such placement{self._suggestions.meant('placement', name, placements)}"


def unknown_names(text: str, known: KnownNames, *, name: str = "policy") -> list[str]:
    """One sentence for each name that the shop lacks, ``file:line: key: 'NAME': ...``, by line.

    Args:
        text: a policy that :func:`tillside.policy.parse_policy` reads.
        name: of the file, for messages.
    """
    return _unknown(composed(text, name, instead=""), known, name)


def policy_mistakes(
    text: str, known: KnownNames, *, name: str = "policy", behaviours: Sequence[str] | None = None
) -> list[str]:
    """Every mistake of a policy, in the language and in names, one sentence each, by line.

    Args:
        name, behaviours: as for :func:`tillside.policy.parse_policy`.
    """
    try:
        root = root_of(text, name)
    except ValueError as error:
        return str(error).splitlines()
    found: list[str] = []
    try:
        PolicyReader(name, behaviours).policy(root)
    except ValueError as error:
        found = str(error).splitlines()
    found += _unknown(root, known, name)
    return sorted(dict.fromkeys(found), key=lambda line: int(line.removeprefix(f"{name}:").partition(":")[0]))


def _unknown(root: Node | None, known: KnownNames, name: str) -> list[str]:
    check = NameCheck(known)
    named = ((node.start_mark.line + 1, path, node.value, KIND_OF[key]) for path, key, node in _named(root, POLICY, ""))
    return [
        on_one_line(f"{name}:{line}: {path}: {value!r}: {mistake}")
        for line, path, value, kind in sorted(named)
        if (mistake := check.mistake(kind, value))
    ]


def _named(node: Node | None, kind: inspect.Type, path: str) -> Iterator[tuple[str, str, ScalarNode]]:
    """Path, key and node of every text below ``node`` that names something of the shop."""
    kind = without_null(kind)
    if isinstance(kind, inspect.StructType) and isinstance(node, MappingNode):
        fields = {field.encode_name: field.type for field in kind.fields}
        if kind.cls is POLICY.cls:
            fields |= {DEFAULTS: PLACEMENT, SEGMENTS: inspect.DictType(inspect.StrType(), POLICY)}
        for key, part in node.value:
            if isinstance(key, ScalarNode) and key.value in fields:
                own = f"{path}.{key.value}" if path else key.value
                yield from _field(key.value, part, fields[key.value], own)
    elif isinstance(kind, inspect.DictType) and isinstance(node, MappingNode):
        for key, part in node.value:
            yield from _named(part, kind.value_type, f"{path}.{key.value}" if path else key.value)
    elif isinstance(kind, inspect.VarTupleType) and isinstance(node, SequenceNode):
        for number, part in enumerate(node.value):
            yield from _named(part, kind.item_type, f"{path}[{number}]")


def _field(key: str, node: Node, kind: inspect.Type, path: str) -> Iterator[tuple[str, str, ScalarNode]]:
    plain = without_null(kind)
    if key in KIND_OF and isinstance(plain, inspect.StrType) and isinstance(node, ScalarNode):
        yield path, key, node
    elif (
        key in KIND_OF
        and isinstance(plain, inspect.VarTupleType)
        and isinstance(plain.item_type, inspect.StrType)
        and isinstance(node, SequenceNode)
    ):
        for number, part in enumerate(node.value):
            if isinstance(part, ScalarNode):
                yield f"{path}[{number}]", key, part
    else:
        yield from _named(node, plain, path)
