"""A shop's rules of what fits what, read from a small YAML file with errors reported by line, and bound to a catalogue.

What a rule means stands in ``tillside.fitting``, which mining and the policy share.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from tillside.catalogue import Catalogue
from tillside.events import BRAND, CATEGORY
from tillside.fitting.matching import Matching
from tillside.fitting.rules import ATTACHED, COMPARISONS, MAKES, SAME_BRAND, UNKNOWN, Rule, Side
from tillside.policy.items.groups import Groups
from training.mining.counting import Bools, Ints

SIDES: Final = ("one", "other")
SIDE_KEYS: Final = ("category", "attribute")
RULE_KEYS: Final = ("name", *SIDES, "compare", "unknown", "makes", "strength", "same_brand")
NUMBERS: Final = {"strength": (0.0, 1.0), "same_brand": (1.0, 100.0)}
"""Bounds of a rule's numbers; a strength is above 0."""


def read_rules(path: Path) -> list[Rule]:
    """Parse a rules file.

    Raises:
        ValueError: the file cannot be read or is invalid; the message lists every error with its line.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"rules: {path} cannot be read ({error})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ValueError(f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}") from None
    reading = _Reading(path)
    rules = reading.rules(root)
    if reading.mistakes:
        raise ValueError("; ".join(reading.mistakes))
    return rules


class _Reading:
    """Validates a document's YAML nodes, which carry line numbers, and collects the errors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mistakes: list[str] = []

    def wrong(self, node: yaml.Node | None, text: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append(f"{self.path}:{line}: {text}")

    def mapping(self, node: yaml.Node | None, where: str, *, needed: tuple[str, ...], allowed: tuple[str, ...]) -> Any:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{where}: must have the keys {', '.join(needed)}")
            return {}
        entries: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value not in allowed:
                self.wrong(key, f"{where}.{key.value}: is not a key; allowed: {', '.join(allowed)}")
            elif key.value in entries:
                self.wrong(key, f"{where}.{key.value}: stands there twice")
            entries[key.value] = value
        for name in needed:
            if name not in entries:
                self.wrong(node, f"{where}.{name}: is missing")
        return entries

    def text(self, entries: Mapping[str, yaml.Node], key: str, where: str, *, default: str = "") -> str:
        node = entries.get(key)
        if node is None:
            return default
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.wrong(node, f"{where}.{key}: must be a text")
            return default
        return str(node.value).strip()

    def choice(self, entries: Mapping[str, yaml.Node], key: str, where: str, *, allowed: tuple[str, ...]) -> str:
        value = self.text(entries, key, where, default=allowed[0])
        if value not in allowed:
            self.wrong(entries[key], f"{where}.{key}: is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def number(self, entries: Mapping[str, yaml.Node], key: str, where: str, *, default: float) -> float:
        text = self.text(entries, key, where, default=str(default))
        low, high = NUMBERS[key]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and value > 0):
            bounds = f"from {low:g}" if low else "above 0"
            self.wrong(entries[key], f"{where}.{key}: is {text!r}; allowed: a number {bounds} to {high:g}")
            return default
        return value

    def side(self, entries: Mapping[str, yaml.Node], key: str, where: str, *, needed: tuple[str, ...]) -> Side:
        if key not in entries:
            return Side("", "")
        found = self.mapping(entries[key], f"{where}.{key}", needed=needed, allowed=SIDE_KEYS)
        return Side(*(self.text(found, name, f"{where}.{key}") for name in SIDE_KEYS))

    def rules(self, root: yaml.Node | None) -> list[Rule]:
        entries = self.mapping(root, "file", needed=("rules",), allowed=("rules",))
        listed = entries.get("rules")
        if listed is None:
            return []
        if not isinstance(listed, yaml.SequenceNode) or not listed.value:
            self.wrong(listed, "rules: must be a list of rules")
            return []
        rules: list[Rule] = []
        for number, node in enumerate(listed.value):
            where = f"rules[{number}]"
            found = self.mapping(node, where, needed=RULE_KEYS[:3], allowed=RULE_KEYS)
            name = self.text(found, "name", where)
            if name and name in [rule.name for rule in rules]:
                self.wrong(found["name"], f"{where}.name: {name!r} stands there twice")
            compare = self.choice(found, "compare", where, allowed=tuple(COMPARISONS))
            unknown = self.choice(found, "unknown", where, allowed=UNKNOWN)
            makes = self.choice(found, "makes", where, allowed=MAKES)
            numbers = (
                self.number(found, key, where, default=default)
                for key, default in (("strength", ATTACHED), ("same_brand", SAME_BRAND))
            )
            # two categories that merely go together compare nothing: then neither side has an attribute
            bare = [_bare(found.get(side)) for side in SIDES]
            needed = SIDE_KEYS[:1] if all(bare) else SIDE_KEYS
            sides = (self.side(found, side, where, needed=needed) for side in SIDES)
            rules.append(Rule(name, *sides, compare, unknown, makes, *numbers))  # type: ignore[arg-type]
        return rules


def _bare(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode) and [key.value for key, _ in node.value] == [SIDE_KEYS[0]]


@dataclass(frozen=True)
class Compatibility:
    """Rules bound to a catalogue of N items."""

    rules: Sequence[Rule]
    matching: Matching
    categories: Groups
    brands: Groups

    @classmethod
    def of(cls, rules: Sequence[Rule], catalogue: Catalogue) -> "Compatibility":
        """Bind the rules to the catalogue's attribute tokens.

        Raises:
            ValueError: a rule names an attribute that no item has, or compares one with non-numeric values by size.
        """
        known = sorted({token.partition("=")[0] for token in catalogue.vocabulary})
        for rule in rules:
            for side in (rule.one, rule.other):
                if side.attribute and side.attribute not in known:
                    raise ValueError(
                        f"compatibility rule {rule.name!r}: no item has the attribute {side.attribute!r}; "
                        f"the catalogue has: {', '.join(known) or 'none'}"
                    )
        made: dict[str, Groups] = {}

        def groups(attribute: str) -> Groups:
            if attribute not in made:
                made[attribute] = Groups.of(catalogue, attribute)
            return made[attribute]

        matching = Matching.of(rules, groups, items=len(catalogue))
        return cls(rules, matching, groups(CATEGORY), groups(BRAND))

    def fits(self, anchors: Ints, items: Ints) -> Bools:
        """Whether each pair is compatible under all rules, in either direction, bool [P]."""
        return self.matching.fits(np.asarray(anchors), np.asarray(items))

    def fits_together(self, sets: Sequence[Sequence[int]]) -> Bools:
        """Whether all pairs of items in a set are compatible, bool, one per set."""
        return self.matching.fits_together(sets)
