"""Candidate generation: the model or a lower tier, related items of the anchors, and the shop's shelves, each asked.

What they bring is fused by ``tillside.policy.fusion``.

Shapes: S sources, N items of the facts, G sets of brands, P items on a shelf, L events of the session, M items in the
cart.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.context import told_by
from tillside.policy.file.rule_terms import SourceName
from tillside.policy.file.terms import MOST_ANCHORS, AnchorName, Fusion
from tillside.policy.fusion import FIRST_RELATION, SOURCES, Candidates, Entry, Ints, merged
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.shelves import Shelf, Shelves
from tillside.policy.requests import NOTHING, ModelCandidates, PlacementRequest
from tillside.relations import RELATIONS, Relations
from tillside.relations.chances import Evidence, Scale

MODEL, POPULAR, NEW, CLEARANCE = (SOURCES.index(name) for name in ("model", "popular", "new", "clearance"))
SHELVED: Final = ("popular", "new", "clearance")
COMPLEMENT: Final = SOURCES.index("complement")
MOST_PARTNERS: Final = 16
"""Partners taken per anchor and relation."""
MOST_MODEL: Final = 100
SHELF_CATEGORIES: Final = 2
SHELF_ITEMS: Final = 20
"""Items of a shelf per category of the anchors; twice as many of the whole shelf if it has none of those categories."""
BY_ANCHOR: Final = tuple(round(0.85**place, 2) for place in range(MOST_ANCHORS))
"""Weight of each anchor by position."""
RANK_SCALE: Final = 10
"""The strength of the item at rank r, from 0, is RANK_SCALE / (RANK_SCALE + r)."""
BY_RANK: Final = RANK_SCALE / (RANK_SCALE + np.arange(float(max(MOST_MODEL, 2 * SHELF_ITEMS))))
RANK_CHANCE: Final = float(1 / BY_RANK[:MOST_MODEL].sum())
"""Factor that turns a strength by rank into a probability: the MOST_MODEL first ranks sum to 1."""
NEW_AT_ALL, NEW_CATEGORY, NEW_BRAND = 0.2, 0.5, 0.3
"""Strengths of new items, which have no past: a base, plus shares for the anchors' category and brand."""


def anchors_of(names: Sequence[AnchorName], request: PlacementRequest, facts: ItemFacts, *, most: int) -> list[int]:
    """Anchors, the items whose relations are queried: at most ``most`` distinct known items, most important first."""
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
    scale: Scale | Evidence | None = None,
) -> Candidates:
    """Fused candidates of all sources with a non-zero weight.

    Args:
        scale: what strengths are worth; for fusion by ``strengths`` alone.
    """
    entries: list[Entry] = []
    pinned: list[int] = []
    odds = fusion == "odds"
    found: npt.NDArray[np.integer]
    if model is not None and len(model.items) and weights.get("model"):
        entries.append(from_model(model, shares=odds or scale is not None))
    by_hand = relations.manual.rows_by_anchor
    for number, relation in enumerate(RELATIONS):
        if weights.get(relation):  # type: ignore[call-overload]
            table, source = relations.tables[relation], FIRST_RELATION + number
            for anchor, weight in zip(anchors, BY_ANCHOR, strict=False):
                found, strengths = table.strongest(anchor, MOST_PARTNERS)
                if (number, anchor) in by_hand:
                    found, strengths = _by_hand(relations, relation, anchor, request.now_ms, pinned)
                if len(found):
                    entries.append((found, strengths, weight, source, anchor))
    kinship = shelves.facts.kinship
    if kinship is not None and weights.get("complement"):
        for anchor, weight in zip(anchors, BY_ANCHOR, strict=False):
            found, shares = kinship.proposals(anchor)
            if len(found):
                entries.append((found, shares, weight, COMPLEMENT, anchor))
    shelved: list[Entry] = []
    if not weights.keys().isdisjoint(SHELVED):
        _from_shelves(weights, anchors, shelves, shelved, now_ms=request.now_ms)
    as_chance = odds or isinstance(scale, Evidence)
    entries += [(*entry[:2], entry[2] * RANK_CHANCE, *entry[3:]) for entry in shelved] if as_chance else shelved
    weights_S = np.array([weights.get(source, 0.0) for source in SOURCES])
    context = told_by(scale, request, shelves.facts.categories, relations) if isinstance(scale, Evidence) else None
    scale = None if odds else scale
    return merged(entries, weights_S, frozenset(pinned), len(shelves.facts), odds=odds, scale=scale, context=context)


def from_model(model: ModelCandidates, *, shares: bool) -> Entry:
    """The model's items: with ``shares`` each one's share of the list, by score (a lower tier's by rank)."""
    count = top_with_ties(model.scores, MOST_MODEL)
    found, scores = np.asarray(model.items[:count], np.int64), model.scores[:count]
    if shares and model.tier == "model":
        chances = np.exp(scores - scores.max(), dtype=np.float64)
        return found, chances, float(1 / chances.sum()), MODEL, -1
    ranks = np.searchsorted(-scores, -scores)  # tied scores share a rank, whatever order they came in
    return found, BY_RANK[ranks], RANK_CHANCE if shares else 1.0, MODEL, -1


def _by_hand(
    relations: Relations, relation: str, anchor: int, now_ms: int, pinned: list[int]
) -> tuple[Ints, npt.NDArray[np.float32]]:
    """Partners of an anchor with pairs set by hand, strongest first; appends the pinned ones to ``pinned``."""
    partners = relations.partners(relation, anchor, now_ms=now_ms)
    pinned += partners.items[partners.pinned].tolist()
    order = np.argsort(-partners.strengths, kind="stable")
    order = order[: top_with_ties(partners.strengths[order], MOST_PARTNERS)]
    return partners.items[order], partners.strengths[order]


def top_with_ties(strengths: npt.NDArray[np.float32], most: int) -> int:
    """Length to cut a descending list to: ``most``, plus the entries tied with the last of them."""
    if len(strengths) <= most:
        return len(strengths)
    last = strengths[most - 1]
    return most if strengths[most] < last else int(np.count_nonzero(strengths >= last))


def _from_shelves(
    weights: dict[SourceName, float],
    anchors: Sequence[int],
    shelves: Shelves,
    entries: list[Entry],
    *,
    now_ms: int,
) -> None:
    codes_N, brands = shelves.facts.categories.codes_N, shelves.facts.brands
    codes = [code for code in dict.fromkeys(codes_N.item(anchor) for anchor in anchors) if code]
    if weights.get("popular"):
        entries += _shelved(shelves.popular, codes, POPULAR)
    if weights.get("new"):
        shared_G = np.zeros(len(brands.sets))
        shared_G[[brands.codes_N.item(anchor) for anchor in anchors] or 0] = NEW_BRAND
        shared_G[0] = 0.0
        for found, _, weight, source, _ in _shelved(
            shelves.new, codes, NEW, now_ms=now_ms, until_N=shelves.facts.new_until_N
        ):
            known = NEW_CATEGORY if codes_N.item(found.item(0)) in codes else 0.0
            strengths = NEW_AT_ALL + known + shared_G.take(brands.codes_N.take(found))
            entries.append((found, strengths, weight, source, -1))
    if weights.get("clearance"):
        entries += _shelved(shelves.clearance, codes, CLEARANCE)


def _shelved(
    shelf: Shelf, codes: Sequence[int], source: int, *, now_ms: int | None = None, until_N: Ints = NOTHING
) -> list[Entry]:
    """Top items of a shelf in the anchors' categories, or of the whole shelf if it has none of those.

    Args:
        now_ms: leave out items whose time, ``until_N``, is over by then; None: none.
    """

    def top(items_P: Ints, most: int) -> Ints:
        return items_P[:most] if now_ms is None else items_P[until_N.take(items_P) > now_ms][:most]

    entries: list[Entry] = []
    for code, weight in zip(codes[:SHELF_CATEGORIES], BY_ANCHOR, strict=False):
        found = top(shelf.category(code), SHELF_ITEMS)
        if len(found):
            entries.append((found, BY_RANK[: len(found)], weight, source, -1))
    if entries:
        return entries
    found = top(shelf.items_P, 2 * SHELF_ITEMS)
    return [(found, BY_RANK[: len(found)], 1.0, source, -1)] if len(found) else []
