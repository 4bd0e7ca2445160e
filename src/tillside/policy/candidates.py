"""Where items come from: the model or the rung below it, the partners of what the shopper has, and the shop's shelves.

Every source says of an item how strongly it speaks for it, from 0 to 1; several anchors of one relation add up like
chances that are independent of each other. The model's items count by their rank alone, so that logits, counts and lists
without scores mix alike. Shapes: E entries (source, anchor, item), U distinct items, S sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from tillside.policy.asking import ModelCandidates, PlacementRequest
from tillside.policy.facts import ItemFacts
from tillside.policy.shelves import Shelf, Shelves
from tillside.policy.terms import AnchorName, PlacementPolicy, SourceName
from tillside.relations import RELATIONS, Relations

SOURCES: Final[tuple[SourceName, ...]] = get_args(SourceName)
MODEL: Final = SOURCES.index("model")
MOST_ANCHORS: Final = 5
MOST_PARTNERS: Final = 40
"""Of one anchor in one relation."""
MOST_MODEL: Final = 200
SHELF_CATEGORIES: Final = 2
SHELF_ITEMS: Final = 20
"""Taken from a shelf for each category of the anchors; twice as many from the whole where no category is known."""
LATER_ANCHOR: Final = 0.85
"""An anchor counts so much of the one before it."""
RANK_SCALE: Final = 10
"""The item at rank r, counted from 0, speaks with RANK_SCALE / (RANK_SCALE + r)."""
BY_RANK: Final = RANK_SCALE / (RANK_SCALE + np.arange(float(max(MOST_MODEL, 2 * SHELF_ITEMS))))
NEW_AT_ALL, NEW_CATEGORY, NEW_BRAND = 0.2, 0.5, 0.3
"""A new item has no past; it speaks by what it shares with the anchors."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Entry = tuple[Ints, Floats, int, int]
"""Items, strengths, source and anchor (-1 without)."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What all sources gave.

    Attributes:
        items_U: distinct items, ascending.
        parts_US: what each source gives each item: its weight times its strength.
        pinned_U: whether a pair set by hand pins the item.
        entries: what went in, for the anchor of an item that is shown.
    """

    items_U: Ints
    parts_US: Floats
    pinned_U: npt.NDArray[np.bool_]
    entries: list[Entry]

    def anchor(self, item: int, source: int) -> int | None:
        """The anchor that speaks most strongly for an item in a source; the first of those that are level."""
        best, found = 0.0, None
        for items, strengths, own, anchor in self.entries:
            if own == source and anchor >= 0:
                at = np.flatnonzero(items == item)
                if len(at) and strengths[at[0]] > best:
                    best, found = float(strengths[at[0]]), anchor
        return found


def anchors_of(names: Sequence[AnchorName], request: PlacementRequest, facts: ItemFacts) -> list[int]:
    """The items that relations are asked about, the most important first, each once, those the facts know."""
    groups = {
        "cart": request.cart_M[::-1].tolist(),
        "last": request.session_L[-1:].tolist(),
        "session": request.session_L[::-1].tolist(),
        "host": [] if request.host is None else [request.host],
        "scene": list(request.scene),
    }
    found: dict[int, None] = {}
    for name in names:
        for item in groups[name]:
            if facts.knows(item):
                found.setdefault(item)
            if len(found) == MOST_ANCHORS:
                return list(found)
    return list(found)


def gather(
    weights: dict[SourceName, float],
    *,
    request: PlacementRequest,
    anchors: Sequence[int],
    shelves: Shelves,
    relations: Relations,
    model: ModelCandidates | None,
) -> Candidates:
    """All candidates of the sources that have a weight."""
    entries: list[Entry] = []
    pinned: list[int] = []
    if model is not None and weights.get("model"):
        entries.append(_from_model(model, items=len(shelves.facts)))
    for number, relation in enumerate(RELATIONS):
        if weights.get(relation):  # type: ignore[call-overload]
            _from_relation(relation, number, relations, anchors, request.now_ms, entries, pinned)
    _from_shelves(weights, anchors, shelves, entries)
    sources = [source for source, weight in weights.items() if weight]
    return _merged(entries, {SOURCES.index(source): weights[source] for source in sources}, pinned, len(shelves.facts))


def _from_model(model: ModelCandidates, *, items: int) -> Entry:
    count = _cut(model.scores, MOST_MODEL)
    found, scores = np.asarray(model.items[:count], np.int64), model.scores[:count]
    ranks = np.searchsorted(-scores, -scores)  # level scores have the same rank, whatever order they came in
    return found, BY_RANK[ranks], MODEL, -1


def _from_relation(
    relation: str,
    number: int,
    relations: Relations,
    anchors: Sequence[int],
    now_ms: int,
    entries: list[Entry],
    pinned: list[int],
) -> None:
    table, by_hand, source = relations.tables[relation], relations.manual.rows_of, SOURCES.index(relation)  # type: ignore[arg-type]
    weight = 1.0
    for anchor in anchors:
        if (number, anchor) in by_hand:
            partners = relations.partners(relation, anchor, now_ms=now_ms)
            order = np.argsort(-partners.strengths, kind="stable")
            found, strengths = partners.items[order], partners.strengths[order]
            pinned += partners.items[partners.pinned].tolist()
        else:
            found, strengths = table.partners(anchor)  # type: ignore[assignment]
        if len(found):
            count = _cut(strengths, MOST_PARTNERS)
            entries.append((found[:count], strengths[:count] * np.float64(weight), source, anchor))
        weight *= LATER_ANCHOR


def _cut(strengths: npt.NDArray[np.float32], most: int) -> int:
    """Where a list, strongest first, is cut: after ``most`` and those that are level with the last of them."""
    if len(strengths) <= most:
        return len(strengths)
    return int(np.searchsorted(-strengths, -strengths[most - 1], side="right"))


def _from_shelves(
    weights: dict[SourceName, float], anchors: Sequence[int], shelves: Shelves, entries: list[Entry]
) -> None:
    groups = shelves.facts.categories
    codes = [code for code in dict.fromkeys(groups.codes_N[list(anchors)].tolist()) if code][:SHELF_CATEGORIES]
    if weights.get("popular"):
        entries += _shelved(shelves.popular, codes, SOURCES.index("popular"))
    if weights.get("clearance"):
        entries += _shelved(shelves.clearance, codes, SOURCES.index("clearance"))
    if weights.get("new"):
        source = SOURCES.index("new")
        brands = shelves.facts.brands.codes_N
        own = {code for code in brands[list(anchors)].tolist() if code}
        for code, found in [*((code, shelves.new.category(code)) for code in codes), (0, shelves.new.items_P)]:
            found = found[:SHELF_ITEMS]
            strengths = np.full(len(found), NEW_AT_ALL + (NEW_CATEGORY if code else 0.0))
            for brand in own:
                strengths[brands[found] == brand] += NEW_BRAND
            if code == 0:  # those of the anchors' categories came already
                rest = ~np.isin(groups.codes_N[found], codes)
                found, strengths = found[rest], strengths[rest]
            entries.append((found, strengths, source, -1))


def _shelved(shelf: Shelf, codes: Sequence[int], source: int) -> list[Entry]:
    if not codes:
        found = shelf.items_P[: 2 * SHELF_ITEMS]
        return [(found, BY_RANK[: len(found)], source, -1)]
    entries = []
    for place, code in enumerate(codes):
        found = shelf.category(code)[:SHELF_ITEMS]
        entries.append((found, BY_RANK[: len(found)] * LATER_ANCHOR**place, source, -1))
    return entries


def _merged(entries: list[Entry], weights: dict[int, float], pinned: list[int], items: int) -> Candidates:
    size = len(SOURCES)
    if not entries:
        return Candidates(np.zeros(0, np.int64), np.zeros((0, size)), np.zeros(0, bool), entries)
    found_E = np.concatenate([entry[0] for entry in entries]).astype(np.int64)
    strengths_E = np.concatenate([entry[1] for entry in entries])
    sources_E = np.repeat([entry[2] for entry in entries], [len(entry[0]) for entry in entries])
    items_U, places_E = np.unique(found_E, return_inverse=True)
    missing = np.ones(len(items_U) * size)
    np.multiply.at(missing, places_E * size + sources_E, 1.0 - strengths_E)
    weights_S = np.zeros(size)
    weights_S[list(weights)] = list(weights.values())
    parts_US = (1.0 - missing.reshape(-1, size)) * weights_S
    known = slice(int(np.searchsorted(items_U, 0)), int(np.searchsorted(items_U, items)))
    items_U, parts_US = items_U[known], parts_US[known]
    return Candidates(items_U, parts_US, np.isin(items_U, pinned) if pinned else np.zeros(len(items_U), bool), entries)
