"""Relations between items (complement, substitute, upsell, ...): mined by ``training.relate`` or set by hand.

Every relation is a directed table over the whole catalogue, best partner first, memory-mapped; pairs set by hand have
validity periods, so they override the table at query time. Layout of the directory::

    relations.json       format version, items, settings, counts, digest of the data set
    RELATION/NAME.npy    offsets, items, strengths of each relation
    bundles/NAME.npy     offsets, items, strengths of the item sets
    manual/NAME.npy      one array per column
    manual/later.json    pairs by id, of items that the catalogue has not
    fitting.json         what fits what, and which categories go together
    lifts/               how many times as often as by chance they do (``tillside.relations.lifts``)

Shapes: N items, M manual pairs, K partners of one item.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from tillside.fitting.rules import NOTHING_SAID, Terms
from tillside.relations.chances import Chances
from tillside.relations.lifts import NO_LIFTS, Lifts
from tillside.relations.tables import Bundles, RelationTable

RELATIONS: Final = ("complement", "substitute", "upsell", "downsell", "bundle", "brand", "series", "scene", "gift")
ACTIONS: Final = ("pin", "add", "ban")
"""Ranked before all partners; merged with the mined ones; removed."""
PIN, ADD, BAN = range(3)
ALWAYS: Final = (-(2**63), 2**63 - 1)
"""``from_ms`` and ``until_ms`` of a pair without dates."""
FORMAT_VERSION: Final = 1
ABOUT: Final = "relations.json"
FITTING: Final = "fitting.json"
LIFTS: Final = "lifts"
LATER: Final = "later.json"
CHANCES: Final = "chances"
"""Key in relations.json of what strengths are worth."""
LaterPair = tuple[str, str, str, str, float | None, int, int]
"""Relation, item id, other item's id, action, strength, from_ms and until_ms."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Partners:
    """Partners of one item, best first: items int64 [K], strengths float32 [K] in (0, 1], pinned bool [K]."""

    items: Ints
    strengths: Floats
    pinned: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True)
class ManualPairs:
    """Pairs set by hand, in the order of the file; columns of length M.

    Attributes:
        relations: index into RELATIONS.
        anchors, items: source and target item.
        actions: index into ACTIONS.
        strengths: in (0, 1], NaN if not given.
        from_ms, until_ms: validity period in UTC milliseconds, half open.
        later: pairs by id, one of whose items the catalogue lacks; they wait for the items feed.
    """

    relations: npt.NDArray[np.int8]
    anchors: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    actions: npt.NDArray[np.int8]
    strengths: Floats
    from_ms: npt.NDArray[np.int64]
    until_ms: npt.NDArray[np.int64]
    later: tuple[LaterPair, ...] = ()

    @classmethod
    def of(
        cls, rows: list[tuple[str, int, int, str, float | None, int, int]], later: Sequence[LaterPair] = ()
    ) -> "ManualPairs":
        """Build from rows of (relation, anchor, item, action, strength or None, from_ms, until_ms)."""
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in _MANUAL]
        columns[0] = [RELATIONS.index(name) for name in columns[0]]
        columns[3] = [ACTIONS.index(name) for name in columns[3]]
        columns[4] = [np.nan if strength is None else strength for strength in columns[4]]
        arrays = (np.array(column, kind) for column, kind in zip(columns, _MANUAL.values(), strict=True))
        return cls(**dict(zip(_MANUAL, arrays, strict=True)), later=tuple(later))

    def arrived(self, index_of: Mapping[str, int]) -> "ManualPairs":
        """These pairs and those of ``later`` whose items are all in ``index_of`` by now."""
        here = [row for row in self.later if row[1] in index_of and row[2] in index_of]
        if not here:
            return self
        added = ManualPairs.of([(row[0], index_of[row[1]], index_of[row[2]], *row[3:]) for row in here])
        columns = {name: np.concatenate([getattr(self, name), getattr(added, name)]) for name in _MANUAL}
        return ManualPairs(**columns, later=tuple(row for row in self.later if row not in here))

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def rows_by_anchor(self) -> dict[tuple[int, int], list[int]]:
        """Row numbers by (relation, anchor)."""
        rows: dict[tuple[int, int], list[int]] = {}
        for row, key in enumerate(zip(self.relations.tolist(), self.anchors.tolist(), strict=True)):
            rows.setdefault(key, []).append(row)
        return rows

    def fault(self, *, items: int) -> str | None:
        """Message about what is wrong with the arrays; None if they are valid."""
        if any(
            getattr(self, name).shape != (len(self),) or getattr(self, name).dtype != _MANUAL[name] for name in _MANUAL
        ):
            return "the columns do not fit together"
        for name, size in (
            ("relations", len(RELATIONS)),
            ("anchors", items),
            ("items", items),
            ("actions", len(ACTIONS)),
        ):
            column = getattr(self, name)
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < size:
                return f"{name} must be from 0 to {size - 1}"
        given = self.strengths[~np.isnan(self.strengths)]
        return "a strength is not in (0, 1]" if ((given <= 0) | (given > 1)).any() else None


_MANUAL: Final[dict[str, type[np.generic]]] = {
    "relations": np.int8,
    "anchors": np.int32,
    "items": np.int32,
    "actions": np.int8,
    "strengths": np.float32,
    "from_ms": np.int64,
    "until_ms": np.int64,
}


@dataclass(frozen=True)
class Relations:
    """All relations of a catalogue of N items.

    Attributes:
        tables: one per name of RELATIONS.
        manual: pairs set by hand; they override the tables.
        bundles: item sets that are bought together; the table ``bundle`` has them as pairs.
        about: settings, counts and digest of the data set, as in relations.json.
        fitting: what fits what, and which categories go together.
        lifts: how many times as often as by chance.
    """

    tables: Mapping[str, RelationTable]
    manual: ManualPairs
    bundles: Bundles
    about: Mapping[str, Any] = field(default_factory=dict)
    fitting: Terms = NOTHING_SAID
    lifts: Lifts = NO_LIFTS

    @classmethod
    def empty(cls, *, items: int) -> "Relations":
        """Relations without any pair over ``items`` items."""
        tables = {name: RelationTable.empty(items=items) for name in RELATIONS}
        return cls(tables, ManualPairs.of([]), Bundles.from_sets([], []))

    @cached_property
    def chances(self) -> Chances:
        """What strengths are worth, as ``about`` has it; nothing in relations made before it was learned."""
        return Chances.of_document(self.about.get(CHANCES))

    @property
    def items(self) -> int:
        """Number of items, N."""
        return len(self.tables[RELATIONS[0]].offsets) - 1

    def partners(self, relation: str, item: int, *, now_ms: int) -> Partners:
        """Partners of an item at time ``now_ms``: pins first, then mined and added ones by strength, bans removed.

        The strength of a pin or an added pair is 1.0 unless given, and overrides the mined one; bans override both.
        An item outside 0 .. N - 1 has no partners.

        Raises:
            ValueError: ``relation`` is not one of RELATIONS.
        """
        if relation not in self.tables:
            raise ValueError(f"relation {relation!r} is unknown; allowed: {', '.join(RELATIONS)}")
        mined, strengths = self.tables[relation].partners(item)
        rows = self.manual.rows_by_anchor.get((RELATIONS.index(relation), item), ())
        manual = self.manual
        rows = [row for row in rows if manual.from_ms[row] <= now_ms < manual.until_ms[row]]
        if not rows:
            return Partners(mined.astype(np.int64), np.asarray(strengths, np.float32), np.zeros(len(mined), bool))
        found = {other: (ADD, strength) for other, strength in zip(mined.tolist(), strengths.tolist(), strict=True)}
        for row in sorted(rows, key=lambda row: -manual.actions[row]):  # pins after adds, to override them
            if manual.actions[row] != BAN:
                strength = float(manual.strengths[row])
                found[int(manual.items[row])] = int(manual.actions[row]), 1.0 if np.isnan(strength) else strength
        for row in rows:
            if manual.actions[row] == BAN:
                found.pop(int(manual.items[row]), None)
        best = sorted(found.items(), key=lambda entry: (entry[1][0], -entry[1][1], entry[0]))
        return Partners(
            np.array([other for other, _ in best], np.int64),
            np.array([strength for _, (_, strength) in best], np.float32),
            np.array([action == PIN for _, (action, _) in best], bool),
        )

    def save(self, folder: Path) -> None:
        """Write everything into an existing, empty folder."""
        parts: dict[str, Any] = {**self.tables, "bundles": self.bundles, "manual": self.manual}
        for name, part in parts.items():
            (folder / name).mkdir()
            for array in _MANUAL if name == "manual" else _RAGGED:
                np.save(folder / name / f"{array}.npy", getattr(part, array))
        if self.manual.later:
            _write(folder / "manual" / LATER, self.manual.later)
        _write(folder / FITTING, self.fitting.document())
        if len(self.lifts):
            (folder / LIFTS).mkdir()
            self.lifts.save(folder / LIFTS)
        document = {"format_version": FORMAT_VERSION, "items": self.items, **self.about}
        _write(folder / ABOUT, document)

    @classmethod
    def load(cls, folder: Path, *, items: int) -> "Relations":
        """Memory-map what :meth:`save` wrote.

        Raises:
            ValueError: a file is missing or damaged, or the relations are of another number of items.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder} holds no relations ({error}); make them with python -m training.relate"
            ) from None
        if not isinstance(about, dict) or about.pop("format_version", None) != FORMAT_VERSION:
            raise ValueError(f"{folder / ABOUT}: only format_version {FORMAT_VERSION} can be read; relate again")
        if about.pop("items", None) != items:
            raise ValueError(f"{folder} holds the relations of another catalogue, not of {items} items; relate again")
        tables = {name: RelationTable(**_arrays(folder / name, _RAGGED)) for name in RELATIONS}
        bundles = Bundles(**_arrays(folder / "bundles", _RAGGED))
        manual = ManualPairs(**_arrays(folder / "manual", tuple(_MANUAL)), later=_later(folder / "manual" / LATER))
        parts: dict[str, RelationTable | Bundles | ManualPairs] = {**tables, "bundles": bundles, "manual": manual}
        for name, part in parts.items():
            fault = part.fault(items=items)
            if fault:
                raise ValueError(f"{folder / name}: {fault}; relate again")
        found = cls(tables, manual, bundles, about, _fitting(folder / FITTING), Lifts.load(folder / LIFTS))
        try:
            found.chances  # noqa: B018  a damaged one is refused now, not at the first request
        except ValueError as error:
            raise ValueError(f"{folder / ABOUT}: {error}; relate again") from None
        return found


def _write(path: Path, document: Any) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def _fitting(path: Path) -> Terms:
    """Terms of a folder; relations made before there were any have none."""
    if not path.exists():
        return NOTHING_SAID
    try:
        return Terms.of_document(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}; relate again") from None


def _later(path: Path) -> tuple[LaterPair, ...]:
    if not path.exists():
        return ()
    try:
        return tuple(msgspec.json.decode(path.read_bytes(), type=tuple[LaterPair, ...]))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}; relate again") from None


_RAGGED: Final = ("offsets", "items", "strengths")


def _arrays(folder: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    arrays = {}
    for name in names:
        try:
            # still memory-mapped, but a plain ndarray: slicing np.memmap costs ten times as much
            arrays[name] = np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"{folder / name}.npy cannot be read: {error}") from None
    return arrays
