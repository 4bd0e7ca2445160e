"""Where items come from: the model or the rung below it, the partners of what the shopper has, and the shop's shelves.

Every source says of an item how strongly it speaks for it, from 0 to 1; several anchors of one relation add up like
chances that are independent of each other. The model's items count by their rank alone, so that logits, counts and
lists without scores mix alike. Where a policy fuses by odds, strengths are chances of being bought, the model's made of
its scores, and what adds up is the logarithm of the chance beside a small one, weighted: a source that speaks
faintly of many items is then heard, too. Shapes: E entries (item, source, anchor), C cells (item, source), U distinct
items.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args

import numpy as np
import numpy.typing as npt

from tillside.policy.asking import NOTHING, ModelCandidates, PlacementRequest
from tillside.policy.facts import ItemFacts
from tillside.policy.shelves import Shelf, Shelves
from tillside.policy.terms import MOST_ANCHORS, AnchorName, Fusion, SourceName
from tillside.relations import RELATIONS, Relations

SOURCES: Final[tuple[SourceName, ...]] = get_args(SourceName)
MODEL: Final = SOURCES.index("model")
MOST_PARTNERS: Final = 16
"""Of one anchor in one relation."""
MOST_MODEL: Final = 100
SHELF_CATEGORIES: Final = 2
SHELF_ITEMS: Final = 20
"""Taken from a shelf for each of the anchors' categories; twice as many from the whole where it has none of those."""
BY_ANCHOR: Final = tuple(round(0.85**place, 2) for place in range(MOST_ANCHORS))
"""How much each anchor counts."""
RANK_SCALE: Final = 10
"""The item at rank r, counted from 0, speaks with RANK_SCALE / (RANK_SCALE + r)."""
BY_RANK: Final = RANK_SCALE / (RANK_SCALE + np.arange(float(max(MOST_MODEL, 2 * SHELF_ITEMS))))
RANK_CHANCE: Final = float(1 / BY_RANK[:MOST_MODEL].sum())
"""Times a strength by rank: the chance of an item of which no more than its place in a list is known."""
FAINT_CHANCE: Final = 0.01
"""A chance of p is worth log(1 + p / FAINT_CHANCE): far below it in proportion, far above it by its logarithm."""
NEW_AT_ALL, NEW_CATEGORY, NEW_BRAND = 0.2, 0.5, 0.3
"""A new item has no past; it speaks by what it shares with the anchors."""

NO_STRENGTHS: Final = np.zeros(0)
NO_PINS: Final = np.zeros(0, bool)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Entry = tuple[npt.NDArray[np.integer], npt.NDArray[np.floating], float, int, int]
"""Items, strengths, what these are multiplied by, source and anchor (-1 without)."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What all sources gave.

    Attributes:
        items_U: distinct items, ascending.
        totals_U: what all sources give each item.
        cells_U: where each item's cells start, and the end, [U + 1].
        parts_C: what one source gives one item: its weight times its strength (or what its chance is worth).
        sources_C: that source.
        entries_C: where each cell's entries start, and the end, [C + 1].
        strengths_E, anchors_E: what went in: how strongly, led by which anchor.
        pinned_U: whether a pair set by hand pins the item.
    """

    items_U: Ints
    totals_U: Floats
    cells_U: Ints
    parts_C: Floats
    sources_C: Ints
    entries_C: Ints
    strengths_E: Floats
    anchors_E: Ints
    pinned_U: npt.NDArray[np.bool_]

    def parts(self, row: int) -> dict[str, float]:
        """What each source gives an item, in the order of SOURCES."""
        cells = slice(*self.cells_U[row : row + 2].tolist())
        sources, parts = self.sources_C[cells].tolist(), self.parts_C[cells].tolist()
        return {SOURCES[source]: part for source, part in zip(sources, parts, strict=True)}

    def main(self, row: int) -> tuple[str, int | None]:
        """The source that gives an item most and the anchor that speaks loudest in it; of level ones the first."""
        start, end = self.cells_U[row : row + 2].tolist()
        cell = start + int(self.parts_C[start:end].argmax())
        start, end = self.entries_C[cell : cell + 2].tolist()
        anchor = int(self.anchors_E[start + int(self.strengths_E[start:end].argmax())])
        return SOURCES[int(self.sources_C[cell])], None if anchor < 0 else anchor

    def mainly(self, source: SourceName) -> npt.NDArray[np.bool_]:
        """Of which items that is the source that gives most, bool [U]."""
        mask_U = np.zeros(len(self.items_U), bool)
        if len(self.items_U):
            most_U = np.maximum.reduceat(self.parts_C, self.cells_U[:-1])
            best = (self.parts_C == most_U.repeat(np.diff(self.cells_U))).nonzero()[0][::-1]
            rows = self.cells_U.searchsorted(best, side="right") - 1
            mask_U[rows] = self.sources_C[best] == SOURCES.index(source)  # the first of level ones is written last
        return mask_U


def anchors_of(names: Sequence[AnchorName], request: PlacementRequest, facts: ItemFacts, *, most: int) -> list[int]:
    """The ``most`` items that relations are asked about, the most important first, each once, those the facts know."""
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
            if len(found) == most:
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
    fusion: Fusion = "strengths",
) -> Candidates:
    """All candidates of the sources that have a weight."""
    entries: list[Entry] = []
    pinned: list[int] = []
    odds = fusion == "odds"
    if model is not None and weights.get("model"):
        entries.append(_from_model(model, odds=odds))
    for number, relation in enumerate(RELATIONS):
        if weights.get(relation):  # type: ignore[call-overload]
            _from_relation(relation, number, relations, anchors, request.now_ms, entries, pinned)
    shelved: list[Entry] = []
    _from_shelves(weights, anchors, shelves, shelved)
    entries += [(*entry[:2], entry[2] * RANK_CHANCE, *entry[3:]) for entry in shelved] if odds else shelved
    by_source = {SOURCES.index(source): weight for source, weight in weights.items() if weight}
    return _merged(entries, by_source, pinned, len(shelves.facts), odds=odds)


def _from_model(model: ModelCandidates, *, odds: bool) -> Entry:
    count = cut(model.scores, MOST_MODEL)
    found, scores = np.asarray(model.items[:count], np.int64), model.scores[:count]
    if odds and model.tier == "model" and count:
        chances = np.exp(scores - scores.max(), dtype=np.float64)
        return found, chances, float(1 / chances.sum()), MODEL, -1
    ranks = np.searchsorted(-scores, -scores)  # level scores have the same rank, whatever order they came in
    return found, BY_RANK[ranks], RANK_CHANCE if odds else 1.0, MODEL, -1


def _from_relation(
    relation: str,
    number: int,
    relations: Relations,
    anchors: Sequence[int],
    now_ms: int,
    entries: list[Entry],
    pinned: list[int],
) -> None:
    table, by_hand = relations.tables[relation], relations.manual.rows_of
    source = SOURCES.index(cast(SourceName, relation))
    found: npt.NDArray[np.integer]
    for anchor, weight in zip(anchors, BY_ANCHOR, strict=False):
        if (number, anchor) in by_hand:
            partners = relations.partners(relation, anchor, now_ms=now_ms)
            order = np.argsort(-partners.strengths, kind="stable")
            found, strengths = partners.items[order], partners.strengths[order]
            pinned += partners.items[partners.pinned].tolist()
        else:
            found, strengths = table.partners(anchor)
        if len(found) > MOST_PARTNERS:
            count = cut(strengths, MOST_PARTNERS)
            found, strengths = found[:count], strengths[:count]
        if len(found):
            entries.append((found, strengths, weight, source, anchor))


def cut(strengths: npt.NDArray[np.float32], most: int) -> int:
    """Where a list, strongest first, is cut: after ``most`` and those that are level with the last of them."""
    if len(strengths) <= most:
        return len(strengths)
    last = strengths[most - 1]
    return most if strengths[most] < last else int(np.count_nonzero(strengths >= last))


def _from_shelves(
    weights: dict[SourceName, float], anchors: Sequence[int], shelves: Shelves, entries: list[Entry]
) -> None:
    facts = shelves.facts
    codes = [code for code in dict.fromkeys(facts.categories.codes_N[list(anchors)].tolist()) if code]
    if weights.get("popular"):
        entries += _shelved(shelves.popular, codes, SOURCES.index("popular"))
    if weights.get("clearance"):
        entries += _shelved(shelves.clearance, codes, SOURCES.index("clearance"))
    if weights.get("new"):
        brands = {code for code in facts.brands.codes_N[list(anchors)].tolist() if code}
        for found, _, weight, source, _ in _shelved(shelves.new, codes, SOURCES.index("new")):
            known = NEW_CATEGORY if facts.categories.codes_N[found[0]] in codes else 0.0
            strengths = np.full(len(found), NEW_AT_ALL + known)
            own = facts.brands.codes_N.take(found)
            for brand in brands:
                strengths[own == brand] += NEW_BRAND
            entries.append((found, strengths, weight, source, -1))


def _shelved(shelf: Shelf, codes: Sequence[int], source: int) -> list[Entry]:
    """The first items of the anchors' categories; of the whole shelf where it holds none of those."""
    entries: list[Entry] = []
    for code, weight in zip(codes[:SHELF_CATEGORIES], BY_ANCHOR, strict=False):
        found = shelf.category(code)[:SHELF_ITEMS]
        if len(found):
            entries.append((found, BY_RANK[: len(found)], weight, source, -1))
    if entries or not len(shelf.items_P):
        return entries
    found = shelf.items_P[: 2 * SHELF_ITEMS]
    return [(found, BY_RANK[: len(found)], 1.0, source, -1)]


def _merged(
    entries: list[Entry], weights: dict[int, float], pinned: list[int], items: int, *, odds: bool
) -> Candidates:
    sizes = [len(entry[0]) for entry in entries]
    sources = np.array([entry[3] for entry in entries], np.int64)
    keys_E = np.concatenate([NOTHING, *(entry[0] for entry in entries)]) * len(SOURCES) + sources.repeat(sizes)
    order = keys_E.argsort(kind="stable")  # by item, then by source, then as the anchors came
    keys_E = keys_E[order]
    if len(keys_E) and not 0 <= keys_E[0] <= keys_E[-1] < items * len(SOURCES):  # of a newer catalogue than the facts
        known = slice(*keys_E.searchsorted([0, items * len(SOURCES)]))
        order, keys_E = order[known], keys_E[known]
    strengths_E = np.concatenate([NO_STRENGTHS, *(entry[1] for entry in entries)])[order]
    strengths_E *= np.array([entry[2] for entry in entries], np.float64).repeat(sizes)[order]
    anchors_E = np.array([entry[4] for entry in entries], np.int64).repeat(sizes)[order]
    if not len(keys_E):
        none = np.zeros(1, np.int64)
        return Candidates(NOTHING, NO_STRENGTHS, none, NO_STRENGTHS, NOTHING, none, strengths_E, anchors_E, NO_PINS)
    entries_C = _starts(keys_E)
    items_C, sources_C = np.divmod(keys_E[entries_C[:-1]], len(SOURCES))
    weights_S = np.zeros(len(SOURCES))
    weights_S[list(weights)] = list(weights.values())
    parts_C = 1.0 - np.multiply.reduceat(1.0 - strengths_E, entries_C[:-1])
    if odds:
        parts_C = np.log1p(parts_C / FAINT_CHANCE)
    parts_C *= weights_S[sources_C]
    cells_U = _starts(items_C)
    items_U, totals_U = items_C[cells_U[:-1]], np.add.reduceat(parts_C, cells_U[:-1])
    pinned_U = np.isin(items_U, pinned) if pinned else np.zeros(len(items_U), bool)
    return Candidates(items_U, totals_U, cells_U, parts_C, sources_C, entries_C, strengths_E, anchors_E, pinned_U)


def _starts(ascending: Ints) -> Ints:
    """Where each distinct number starts, and the end."""
    first = np.ones(len(ascending) + 1, bool)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:-1])
    return first.nonzero()[0]
