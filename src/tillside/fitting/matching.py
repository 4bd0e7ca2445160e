"""Rules bound to items: whether a pair fits, for any pair of items, at the cost of two look-ups.

Items that no rule can tell apart share a *class*: the same values on the same sides. What an item refuses is a mask
over classes, made once per class and kept, so a request only looks its candidates' classes up. Of several items in a
basket the first that a rule relates an item to decides whether it fits.

Shapes: N items, C classes (0: covered by no rule), S distinct sides, G sets of values, U given items, P pairs.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tillside.events import CATEGORY
from tillside.fitting.rules import MAKES, Rule, Side

MOST_ROWS_BYTES: Final = 1 << 25
"""Size limit of the kept masks."""
NOBODY: Final = np.zeros(0, np.int64)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Grouped(Protocol):
    """Values of one attribute per item: ``codes_N`` indexes ``sets``; 0 is the empty set."""

    @property
    def codes_N(self) -> Ints:  # noqa: N802
        """Code of each item."""

    @property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """The sets of values."""


class Row(NamedTuple):
    """What one class says of all classes, bool [C]: those it is related to by a rule, and of these the refused."""

    covered_C: Bools
    refused_C: Bools


@dataclass(frozen=True)
class _BoundSide:
    """One side over all classes: whether it covers the class, the classes of a value, and the values as numbers."""

    covered_C: Bools
    classes: dict[str, Ints]
    values: list[tuple[str, ...]]
    unknown_C: Bools
    low_C: Floats
    high_C: Floats


@dataclass(frozen=True)
class Matching:
    """Rules bound to N items; immutable but for the masks it keeps.

    Attributes:
        classes_N: class of each item.
        size: C.
    """

    classes_N: Ints
    size: int
    _rules: tuple[tuple[Rule, _BoundSide, _BoundSide], ...]
    _rows: dict[int, Row] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, rules: Sequence[Rule], groups: Callable[[str], Grouped], *, items: int) -> "Matching":
        """Bind rules to ``items`` items.

        Args:
            groups: the values of an attribute over the items.

        Raises:
            ValueError: a rule compares an attribute by size whose values are no numbers.
        """
        rules = [rule for rule in rules if rule.compares]
        sides = list(dict.fromkeys(side for rule in rules for side in (rule.one, rule.other)))
        classes_N, codes_CS, grouped = _classes(sides, groups, items=items)
        bound = {side: _bound(codes_CS[:, place], grouped[side.attribute].sets) for place, side in enumerate(sides)}
        for rule in rules:
            if rule.compare != "equal":
                for side in (rule.one, rule.other):
                    _refuse_words(rule, side, bound[side])
        return cls(classes_N, len(codes_CS), tuple((rule, bound[rule.one], bound[rule.other]) for rule in rules))

    def row(self, item: int) -> Row | None:
        """What an item says of all classes; None if no rule covers it."""
        own = self.classes_N.item(item)
        if not own:
            return None
        found = self._rows.get(own)
        if found is None:
            found = self._made(own)
            if len(self._rows) * 2 * self.size > MOST_ROWS_BYTES:
                self._rows.clear()
            self._rows[own] = found
        return found

    @functools.cached_property
    def leads_C(self) -> Bools:  # noqa: N802
        """Classes of which a rule makes complements, bool [C]."""
        found_C = np.zeros(self.size, bool)
        for rule, one, _ in self._rules:
            if rule.makes == MAKES[0]:
                found_C |= one.covered_C
        return found_C

    def accessory(self, item: int, *, of: int) -> bool:
        """Whether a rule makes an item the complement of another one that it fits."""
        own, theirs = self.classes_N.item(item), self.classes_N.item(of)
        made = any(
            rule.makes == MAKES[0] and one.covered_C[theirs] and other.covered_C[own]
            for rule, one, other in self._rules
        )
        row = self.row(of)
        return made and row is not None and not row.refused_C[own]

    def refused(self, basket: Iterable[int]) -> Bools | None:
        """Classes that do not fit the first of the basket's items they are related to, bool [C]; None if all fit."""
        rows = [row for item in dict.fromkeys(basket) if (row := self.row(item)) is not None]
        if len(rows) < 2:
            return rows[0].refused_C if rows else None
        refused_C, decided_C = rows[0].refused_C.copy(), rows[0].covered_C.copy()
        for row in rows[1:]:
            refused_C |= row.refused_C & ~decided_C
            decided_C |= row.covered_C
        return refused_C

    def fits(self, anchors_P: Ints, items_P: Ints) -> Bools:
        """Whether each pair fits under all rules, in either direction, bool [P]."""
        fits_P = np.ones(len(anchors_P), bool)
        theirs_P = self.classes_N[items_P]
        own_P = self.classes_N[anchors_P]
        rows = np.flatnonzero((own_P > 0) & (theirs_P > 0))
        rows = rows[np.argsort(own_P[rows], kind="stable")]
        for part in np.split(rows, np.flatnonzero(np.diff(own_P[rows])) + 1) if len(rows) else ():
            row = self.row(int(anchors_P[part[0]]))
            assert row is not None
            fits_P[part] = ~row.refused_C[theirs_P[part]]
        return fits_P

    def fits_together(self, sets: Sequence[Sequence[int]]) -> Bools:
        """Whether all pairs of items in a set fit, bool, one per set."""
        pairs = [(row, one, other) for row, each in enumerate(sets) for one, other in itertools.combinations(each, 2)]
        rows, ones, others = np.array(pairs, np.int64).reshape(-1, 3).T
        fits = np.ones(len(sets), bool)
        fits[rows[~self.fits(ones, others)]] = False
        return fits

    def _made(self, own: int) -> Row:
        covered_C, refused_C = np.zeros(self.size, bool), np.zeros(self.size, bool)
        for rule, one, other in self._rules:
            for mine, theirs, mine_is_one in ((one, other, True), (other, one, False)):
                if mine.covered_C[own]:
                    covered_C |= theirs.covered_C
                    refused_C |= theirs.covered_C & ~_agreeing(rule, mine, theirs, own, mine_is_one=mine_is_one)
        return Row(covered_C, refused_C)


def _classes(
    sides: Sequence[Side], groups: Callable[[str], Grouped], *, items: int
) -> tuple[Ints, Ints, dict[str, Grouped]]:
    """Class of each item [N], and each class's value code on each side, -1 where it is not covered, [C, S]."""
    classes_N = np.zeros(items, np.int64)
    if not sides:
        return classes_N, np.full((1, 0), -1), {}
    categories = groups(CATEGORY)
    grouped = {side.attribute: groups(side.attribute) for side in sides}
    columns = []
    for side in sides:
        inside_G = np.array([side.category in own for own in categories.sets], bool)
        columns.append(np.where(inside_G[categories.codes_N], grouped[side.attribute].codes_N, -1))
    codes_NS = np.stack(columns, axis=1)
    covered = np.flatnonzero((codes_NS >= 0).any(axis=1))
    kinds, place = np.unique(codes_NS[covered], axis=0, return_inverse=True)
    classes_N[covered] = place.reshape(-1) + 1
    return classes_N, np.concatenate([np.full((1, len(sides)), -1), kinds]), grouped


def _bound(codes_C: Ints, sets: tuple[tuple[str, ...], ...]) -> _BoundSide:
    values = [sets[code] if code >= 0 else () for code in codes_C.tolist()]
    classes: dict[str, list[int]] = {}
    low_C, high_C = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for number, own in enumerate(values):
        for value in own:
            classes.setdefault(value, []).append(number)
        figures = [figure for figure in map(_number, own) if figure is not None]
        if figures:
            low_C[number], high_C[number] = min(figures), max(figures)
    covered_C = codes_C >= 0
    unknown_C = covered_C & np.array([not own for own in values], bool)
    return _BoundSide(
        covered_C, {v: np.array(c, np.int64) for v, c in classes.items()}, values, unknown_C, low_C, high_C
    )


def _agreeing(rule: Rule, mine: _BoundSide, theirs: _BoundSide, own: int, *, mine_is_one: bool) -> Bools:
    """Classes whose values agree with those of class ``own``, bool [C]: any two values that match are enough."""
    if mine.unknown_C[own]:
        return np.full(len(theirs.covered_C), rule.unknown == "fits")
    if rule.compare == "equal":
        agreeing_C = np.zeros(len(theirs.covered_C), bool)
        for value in mine.values[own]:
            agreeing_C[theirs.classes.get(value, NOBODY)] = True
    else:
        mine_is_less = (rule.compare == "at_most") == mine_is_one
        agreeing_C = mine.low_C[own] <= theirs.high_C if mine_is_less else mine.high_C[own] >= theirs.low_C
    if rule.unknown == "fits":
        agreeing_C |= theirs.unknown_C
    return agreeing_C


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _refuse_words(rule: Rule, side: Side, bound: _BoundSide) -> None:
    for value in sorted(bound.classes):
        if _number(value) is None:
            raise ValueError(
                f"compatibility rule {rule.name!r}: {rule.compare} compares numbers, but {side.attribute} is {value!r}"
            )
