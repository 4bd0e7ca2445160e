"""Parser of policy files, YAML to typed terms: reports every mistake with file, line, key and the allowed values.

It walks the tree of YAML nodes along the types of ``terms`` (:mod:`tillside.policy.file.tree`). ``defaults`` holds what
all placements share: each placement is merged over it, and each segment over the whole file; an arm's overrides are
merged over the file before either. Mappings merge recursively, lists and scalars replace.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec
from msgspec import inspect
from yaml.nodes import MappingNode, Node, ScalarNode

from tillside.cli.likeness import did_you_mean
from tillside.policy.file.hints import homes_in
from tillside.policy.file.scalars import shown
from tillside.policy.file.spelling import ALIKE, Suggestions
from tillside.policy.file.terms import PlacementPolicy, Policy, SegmentName
from tillside.policy.file.tree import TreeReader, composed, mapping_of, over, text_of

BEHAVIOUR: Final = "behaviour"
DEFAULTS: Final = "defaults"
SEGMENTS: Final = "segments"
PLACEMENTS: Final = "placements"
SOURCES: Final = "sources"
SEGMENT_NAMES: Final = get_args(SegmentName)
POLICY: Final = cast(inspect.StructType, inspect.type_info(Policy))
PLACEMENT: Final = cast(inspect.StructType, inspect.type_info(PlacementPolicy))
POLICY_KEYS: Final = (DEFAULTS, *Policy.__struct_fields__)
HOMES: Final = dict(reversed([*homes_in(POLICY, ""), *homes_in(PLACEMENT, f"{PLACEMENTS}.NAME")]))
"""Where a key belongs, the least deep place of several."""
VERSION_DIGITS: Final = 12
LISTED: Final = 20
"""Names of placements that a message lists."""


def read_policy(path: Path, *, behaviours: Sequence[str] | None = None) -> Policy:
    """Read a policy file.

    Args:
        behaviours: allowed target behaviours; None skips the check.

    Raises:
        ValueError: the file is invalid; one mistake per line: ``file:line: key: what is wrong; allowed: ...``.
        OSError: the file cannot be read.
    """
    return parse_policy(text_of(path), name=str(path), behaviours=behaviours)


def policy_version(path: Path) -> str:
    """First 12 hex digits of a policy file's SHA-256: the version that answers and reports state.

    Raises:
        OSError: the file cannot be read.
    """
    return hashlib.sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS]


def parse_policy(
    text: str,
    *,
    name: str = "policy",
    behaviours: Sequence[str] | None = None,
    overrides: MappingNode | None = None,
) -> Policy:
    """Parse the text of a policy file.

    Args:
        name: file name for messages.
        behaviours: as for :func:`read_policy`.
        overrides: what is merged over the file, as an experiment's arm says it; its mistakes bear its own file's name.

    Raises:
        ValueError: see :func:`read_policy`.
    """
    root = root_of(text, name)
    return PolicyReader(name, behaviours).policy(root if overrides is None else over(root, overrides))


def root_of(text: str, name: str) -> MappingNode:
    """The tree of a policy file's text, which is not checked yet.

    Raises:
        ValueError: it is no YAML, or no mapping.
    """
    root = composed(text, name, instead=f"shared values under {DEFAULTS}")
    if not isinstance(root, MappingNode):
        what = "is empty" if root is None else "is no mapping"
        raise ValueError(f"{name}:1: the file {what}; allowed: {', '.join(POLICY_KEYS)}")
    return root


class PolicyReader(TreeReader):
    """Parser of one policy file.

    Args:
        name: file name for messages.
        behaviours: allowed target behaviours; None skips the check.
    """

    def __init__(self, name: str, behaviours: Sequence[str] | None = None) -> None:
        super().__init__(name)
        self._behaviours = behaviours
        self._suggestions = Suggestions()

    def policy(self, root: MappingNode) -> Policy:
        """Parse the whole file; raises ValueError with all mistakes."""
        base, segments = self._without(root, SEGMENTS, "")
        self.overlay(base, "")
        parts = [(name, self._of_known(part, base, name)) for name, part in self._segments(segments, SEGMENTS)]
        self.merged = any(key.value == DEFAULTS for key, _ in base.value)
        policy = self._overlaid(base, "")
        self.merged = True
        own = {name: self._overlaid(over(base, part), "") for name, part in parts}
        self.refuse_mistakes()
        assert isinstance(policy, Policy)
        return msgspec.structs.replace(policy, segments=own)

    def overrides(self, node: Node, path: str) -> MappingNode | None:
        """Validate what an arm lays over a whole file, its segments among it; None if it is no mapping."""
        if not isinstance(node, MappingNode):
            self.refuse(node, path, f"got {shown(node)}", f"a mapping of {', '.join(POLICY_KEYS)}")
            return None
        rest, segments = self._without(node, SEGMENTS, path)
        self.overlay(rest, path)
        list(self._segments(segments, f"{path}.{SEGMENTS}"))
        return node

    def _segments(self, node: Node | None, path: str) -> Iterator[tuple[str, MappingNode]]:
        """Name and overrides of each segment, checked."""
        if isinstance(node, MappingNode):
            for name, part in self.entries(node, path).items():
                own = f"{path}.{name}"
                if name not in SEGMENT_NAMES:
                    self.refuse(part, own, "is not known", ", ".join(SEGMENT_NAMES), key=True)
                elif not isinstance(part, MappingNode):
                    self.refuse(part, own, f"got {shown(part)}", "a mapping of what the segment overrides")
                else:
                    self.overlay(part, own)
                    yield name, part
        elif node is not None:
            self.refuse(node, path, f"got {shown(node)}", f"a mapping by {', '.join(SEGMENT_NAMES)}")

    def _of_known(self, part: MappingNode, base: MappingNode, segment: str) -> MappingNode:
        """A segment's part without placements that the file lacks and that have no sources of their own: such a name
        is mistyped, and told."""
        known = self._keys(self.entries(base, "").get(PLACEMENTS))
        held = frozenset(known)
        if SOURCES in self._keys(self.entries(base, "").get(DEFAULTS)):
            return part
        allowed = ", ".join([*known[:LISTED], *([f"{len(known) - LISTED} more"] if len(known) > LISTED else [])])
        rows: list[tuple[Node, Node]] = []
        for key, value in part.value:
            if key.value == PLACEMENTS and isinstance(value, MappingNode):
                strange = [
                    name for name, own in value.value if name.value not in held and SOURCES not in self._keys(own)
                ]
                for name in strange:
                    own = f"{SEGMENTS}.{segment}.{PLACEMENTS}.{name.value}"
                    hint = self._suggestions.meant(PLACEMENTS, name.value, known)
                    what = "no placement of the file is called so"
                    self.refuse(name, own, what, allowed, conflict=True, hint=hint)
                value = mapping_of([row for row in value.value if row[0] not in strange], value)
            rows.append((key, value))
        return mapping_of(rows, part)

    @staticmethod
    def _keys(node: Node | None) -> list[str]:
        return [key.value for key, _ in node.value] if isinstance(node, MappingNode) else []

    def overlay(self, node: MappingNode, path: str) -> None:
        """Validate a partial mapping: the overrides of a segment or an arm, or the defaults."""
        self.partial = True
        rest, defaults = self._without(node, DEFAULTS, path)
        self.struct(rest, POLICY, path)
        if defaults is not None:
            self.struct(defaults, PLACEMENT, f"{path}.{DEFAULTS}" if path else DEFAULTS)
        self.partial = False

    def _overlaid(self, node: MappingNode, path: str) -> Any:
        """A policy without segments, each placement merged over the defaults; both were validated by themselves."""
        rest, defaults = self._without(node, DEFAULTS, path)
        if isinstance(defaults, MappingNode):
            rows = [
                (key, mapping_of([(name, over(defaults, part)) for name, part in value.value], value))
                if key.value == PLACEMENTS and isinstance(value, MappingNode)
                else (key, value)
                for key, value in rest.value
            ]
            rest = mapping_of(rows, rest)
        return self.struct(rest, POLICY, path)

    def _without(self, node: MappingNode, key: str, path: str) -> tuple[MappingNode, Node | None]:
        """A mapping without one of its keys, and the value removed."""
        found = self.entries(node, path).get(key)
        return mapping_of([row for row in node.value if row[0].value != key], node), found

    @property
    def homes(self) -> Mapping[str, str]:
        """Where the keys of placements, rules and intent belong."""
        return HOMES

    def fields_of(self, kind: inspect.StructType) -> Mapping[str, inspect.Field]:
        """The fields of a term; segments are read apart."""
        return {key: field for key, field in super().fields_of(kind).items() if key != SEGMENTS}

    def keys_of(self, kind: inspect.StructType) -> str:
        """The keys of a term in words; a policy's with the defaults and the segments."""
        return ", ".join(POLICY_KEYS) if kind.cls is Policy else super().keys_of(kind)

    def checked(self, key: str, value: Any, node: Node, path: str) -> Any:
        """The value; a behaviour that is not allowed is refused."""
        known = self._behaviours
        unknown = known is not None and isinstance(value, str) and value not in known
        if key == BEHAVIOUR and isinstance(node, ScalarNode) and unknown:
            hint = did_you_mean(str(value), known or (), alike=ALIKE, before="; ")
            return self.refuse(node, path, f"got {shown(node)}", ", ".join(known or ()), conflict=True, hint=hint)
        return value
