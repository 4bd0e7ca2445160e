"""Item compatibility: a shop's rules over item attributes, read from a small YAML file with errors reported by line.

A rule has two sides, each a category and an attribute of its items: the phone's ``series`` and the case's ``fits``. Two
items that a rule covers, in either order, are compatible if their values match; where an item lacks the attribute, the
rule's ``unknown`` decides. Pairs that no rule covers are compatible. Shapes: P pairs.
"""

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from tillside.catalogue import Catalogue
from tillside.events import CATEGORY
from training.mining.counting import Bools, Ints
from training.mining.traits import values_of

SIDES: Final = ("one", "other")
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "equal": operator.eq,
    "at_most": operator.le,
    "at_least": operator.ge,
}
"""Comparisons of the value of ``one`` with that of ``other``; all but ``equal`` are numeric."""
UNKNOWN: Final = ("fits", "refused")


@dataclass(frozen=True)
class Side:
    """One side of a rule: items under a category path (or a prefix of one) and the attribute to compare."""

    category: str
    attribute: str


@dataclass(frozen=True)
class Rule:
    """Two sides that are compatible if ``one``'s value is equal to, at most or at least ``other``'s."""

    name: str
    one: Side
    other: Side
    compare: str = "equal"
    unknown: str = "fits"


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

    def side(self, entries: Mapping[str, yaml.Node], key: str, where: str) -> Side:
        if key not in entries:
            return Side("", "")
        names = ("category", "attribute")
        found = self.mapping(entries[key], f"{where}.{key}", needed=names, allowed=names)
        return Side(*(self.text(found, name, f"{where}.{key}") for name in names))

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
            keys = ("name", *SIDES, "compare", "unknown")
            found = self.mapping(node, where, needed=keys[:3], allowed=keys)
            name = self.text(found, "name", where)
            if name and name in [rule.name for rule in rules]:
                self.wrong(found["name"], f"{where}.name: {name!r} stands there twice")
            compare = self.choice(found, "compare", where, allowed=tuple(COMPARISONS))
            unknown = self.choice(found, "unknown", where, allowed=UNKNOWN)
            rules.append(Rule(name, *(self.side(found, side, where) for side in SIDES), compare, unknown))
        return rules


@dataclass(frozen=True)
class Compatibility:
    """Rules bound to a catalogue: per rule and side, a mask of the items covered and each item's attribute values."""

    rules: list[Rule]
    sides: list[tuple[tuple[Bools, list[list[str]]], tuple[Bools, list[list[str]]]]]

    @classmethod
    def of(cls, rules: list[Rule], catalogue: Catalogue) -> "Compatibility":
        """Bind the rules to the catalogue's attribute tokens.

        Raises:
            ValueError: a rule names an attribute that no item has, or compares one with non-numeric values by size.
        """
        paths = values_of(catalogue, CATEGORY)
        sides = []
        for rule in rules:
            both = []
            for side in (rule.one, rule.other):
                values = values_of(catalogue, side.attribute)
                if not any(values):
                    known = sorted({token.partition("=")[0] for token in catalogue.vocabulary})
                    raise ValueError(
                        f"compatibility rule {rule.name!r}: no item has the attribute {side.attribute!r}; "
                        f"the catalogue has: {', '.join(known) or 'none'}"
                    )
                if rule.compare != "equal":
                    _refuse_words(rule, side, values)
                inside = np.array([side.category in levels for levels in paths], bool)
                both.append((inside, values))
            sides.append((both[0], both[1]))
        return cls(rules, sides)

    def fits(self, anchors: Ints, items: Ints) -> Bools:
        """Whether each pair is compatible under all rules, in either direction, bool [P]."""
        fits = np.ones(len(anchors), bool)
        for rule, ((in_one, of_one), (in_other, of_other)) in zip(self.rules, self.sides, strict=True):
            for one, other in ((anchors, items), (items, anchors)):
                rows = np.flatnonzero(fits & in_one[one] & in_other[other])
                pairs = zip(one[rows].tolist(), other[rows].tolist(), strict=True)
                fits[rows] = [_agree(rule, of_one[mine], of_other[theirs]) for mine, theirs in pairs]
        return fits

    def fits_together(self, sets: Sequence[Sequence[int]]) -> Bools:
        """Whether all pairs of items in a set are compatible, bool, one per set."""
        pairs = [(row, one, other) for row, each in enumerate(sets) for one, other in itertools.combinations(each, 2)]
        rows, ones, others = np.array(pairs, np.int64).reshape(-1, 3).T
        fits = np.ones(len(sets), bool)
        fits[rows[~self.fits(ones, others)]] = False
        return fits


def _refuse_words(rule: Rule, side: Side, values: list[list[str]]) -> None:
    for value in sorted({value for own in values for value in own}):
        try:
            float(value)
        except ValueError:
            raise ValueError(
                f"compatibility rule {rule.name!r}: {rule.compare} compares numbers, but {side.attribute} is {value!r}"
            ) from None


def _agree(rule: Rule, mine: list[str], theirs: list[str]) -> bool:
    """Whether any two values match: an item may fit several others."""
    if not mine or not theirs:
        return rule.unknown == UNKNOWN[0]
    if rule.compare == "equal":
        return not set(mine).isdisjoint(theirs)
    compare = COMPARISONS[rule.compare]
    return any(compare(float(one), float(other)) for one in mine for other in theirs)
