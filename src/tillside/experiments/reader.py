"""Parser of experiments files, YAML to typed terms: reports every mistake with file, line, key and the allowed values.

An arm's ``policy`` is checked here against the policy's types, before any policy file is known; what the two make of
each other is checked when they are laid over one another (``parse_policy(..., overrides=...)``).
"""

import itertools
import re
from pathlib import Path
from typing import Any, Final, cast

import yaml
from msgspec import inspect
from yaml.nodes import MappingNode, Node

from tillside.experiments.terms import HOLDOUT, Experiments, Overrides
from tillside.policy.file.reader import PolicyReader
from tillside.policy.file.scalars import is_null
from tillside.policy.file.tree import MISTAKEN, composed, text_of

EXPERIMENTS: Final = cast(inspect.StructType, inspect.type_info(Experiments))
KEYS: Final = ", ".join(Experiments.__struct_fields__)
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names of experiments, arms, layers and salts: whoever draws or joins them need not quote anything."""
NAMED: Final = ("layer", "salt")


def read_experiments(path: Path) -> Experiments:
    """Read an experiments file.

    Raises:
        ValueError: the file is invalid; one mistake per line: ``file:line: key: what is wrong; allowed: ...``.
        OSError: the file cannot be read.
    """
    return parse_experiments(text_of(path), name=str(path))


def parse_experiments(text: str, *, name: str = "experiments") -> Experiments:
    """Parse the text of an experiments file.

    Args:
        name: file name for messages.

    Raises:
        ValueError: see :func:`read_experiments`.
    """
    root = composed(text, name, instead="each value written out")
    if not isinstance(root, MappingNode):
        what = "is empty" if root is None else "is no mapping"
        raise ValueError(f"{name}:1: the file {what}; allowed: {KEYS}")
    return _Reader(name).experiments(root)


class _Reader(PolicyReader):
    """Parser of one file: policies' overrides are read by the policy's own types."""

    def experiments(self, root: MappingNode) -> Experiments:
        """Parse the whole file; raises ValueError with all mistakes."""
        found = self.struct(root, EXPERIMENTS, "")
        self.refuse_mistakes()
        assert isinstance(found, Experiments)
        places = self.entries(root, "").get("experiments")
        if isinstance(places, MappingNode):
            nodes = self.entries(places, "experiments")
            for (first, left), (second, right) in itertools.combinations(found.experiments.items(), 2):
                if left.layer == right.layer and left.slice.meets(right.slice) and left.same_days(right):
                    what = f"has subjects of {first} on the same days, in layer {left.layer}"
                    allowed = "a slice of the layer that is free, other days, or another layer"
                    self.refuse(nodes[second], f"experiments.{second}", what, allowed, key=True)
                if left.layer != right.layer and left.bundles and right.bundles and left.same_days(right):
                    what, allowed = (
                        f"names bundles as {first} does, on the same days",
                        "one layer for both, or other days",
                    )
                    self.refuse(nodes[second], f"experiments.{second}", what, allowed, key=True)
        self.refuse_mistakes()
        return found

    def value(self, node: Node, kind: inspect.Type, path: str) -> Any:
        """Value of a node; names are checked, and overrides kept as they stand."""
        if isinstance(kind, inspect.UnionType) and not self.partial:
            structs = [each for each in kind.types if isinstance(each, inspect.StructType) and each.cls is Overrides]
            if structs and not is_null(node):
                laid = self.overrides(node, path)
                return MISTAKEN if laid is None else Overrides(laid, yaml.serialize(laid, allow_unicode=True))
        if isinstance(kind, inspect.DictType) and isinstance(node, MappingNode) and not self.partial:
            for key, part in self.entries(node, path).items():
                if not NAME.fullmatch(key) or (key == HOLDOUT and path == "experiments"):
                    self.refuse(part, f"{path}.{key}", "is no name", _words(path), key=True)
        return super().value(node, kind, path)

    def checked(self, key: str, value: Any, node: Node, path: str) -> Any:
        """The value; a salt or a layer that is no name is refused."""
        if key in NAMED and isinstance(value, str) and not self.partial and not NAME.fullmatch(value):
            return self.refuse(node, path, f"got {value!r}", _words(path))
        return super().checked(key, value, node, path)


def _words(path: str) -> str:
    other = f", other than {HOLDOUT}" if path == "experiments" else ""
    return f"1 to 64 letters, digits, and _ . - after the first{other}"
