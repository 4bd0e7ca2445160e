"""Builds tiny shops for policies: items by id with all a feed says of them, relations and popularity by id.

The catalogue's order is a parameter, since no answer may depend on it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tillside.catalogue import Catalogue, attribute_tokens, pack_tokens
from tillside.fitting.rules import NOTHING_SAID, Terms
from tillside.policy import (
    ItemFacts,
    ModelCandidates,
    Placement,
    PlacementRequest,
    Shelves,
    parse_policy,
    place,
    read_feed,
)
from tillside.policy.items.facts import NO_VECTORS
from tillside.policy.requests import CART, VIEW, Dismissed
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable

NOW_MS = 1_780_000_000_000
"""2026-05-28, 20:26 UTC."""


@dataclass(frozen=True)
class Item:
    """One item; ``stock`` and what follows come by feed."""

    id: str
    price: float | None = 10.0
    category: str | None = None
    brand: str | None = None
    name: str = ""
    stock: int | None = None
    clearance: float = 0.0
    margin: float | None = None
    new: bool = False
    minimum_age: int = 0
    vector: tuple[float, float] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shop:
    """Everything that ``place`` wants, from ids.

    Attributes:
        items: the most popular first.
        pairs: relation, from, to, strength.
        manual: relation, from, to, action.
        bundles: ids and strength.
        feed_age_ms: how long before NOW_MS the feed was made; None for no feed.
        order: the catalogue's order of the items, by number.
        fitting: what fits what.
    """

    items: Sequence[Item]
    pairs: Sequence[tuple[str, str, str, float]] = ()
    manual: Sequence[tuple[str, str, str, str]] = ()
    bundles: Sequence[tuple[Sequence[str], float]] = ()
    feed_age_ms: int | None = 0
    order: Sequence[int] | None = None
    fitting: Terms = NOTHING_SAID
    _number: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._number.clear()
        self._number.update({item.id: number for number, item in enumerate(self.catalogued)})

    @property
    def catalogued(self) -> list[Item]:
        order = range(len(self.items)) if self.order is None else self.order
        return [self.items[number] for number in order]

    def reordered(self, order: Sequence[int]) -> "Shop":
        return replace(self, order=order, _number={})

    def numbers(self, ids: Iterable[str]) -> np.ndarray:
        return np.array([self._number[item] for item in ids], np.int64)

    def ids(self, numbers: Iterable[int]) -> list[str]:
        return [self.catalogued[number].id for number in numbers]

    def facts(self) -> ItemFacts:
        rows = self.catalogued
        tokens = [
            attribute_tokens({"category": item.category, "brand": item.brand, **item.attributes}) for item in rows
        ]
        vocabulary, token_ids, offsets = pack_tokens(tokens)
        prices = [np.nan if item.price is None else item.price for item in rows]
        catalogue = Catalogue(
            item_ids=[item.id for item in rows],
            trained=len(rows),
            counts_NB=np.zeros((len(rows), 3), np.int64),
            prices_N=np.array(prices, np.float32),
            names=[item.name for item in rows],
            vocabulary=vocabulary,
            token_ids=token_ids,
            token_offsets=offsets,
        )
        rows_WD = np.array([[*(item.vector or (0.0, 0.0)), 1.0] for item in rows], np.float32)
        facts = replace(ItemFacts.of_catalogue(catalogue), vectors=replace(NO_VECTORS, rows_WD=rows_WD))
        facts = facts if self.feed_age_ms is None else facts.with_feed(read_feed(self.feed()))
        return facts.fitted(self.fitting)

    def feed(self) -> bytes:
        lines: list[dict[str, Any]] = [{"time_ms": NOW_MS - (self.feed_age_ms or 0)}]
        for item in self.catalogued:
            line = {"item_id": item.id, "stock": item.stock, "clearance": item.clearance, "margin": item.margin}
            lines.append(line | {"new_until_ms": NOW_MS + 1 if item.new else 0, "minimum_age": item.minimum_age})
        return "\n".join(map(json.dumps, lines)).encode()

    def shelves(self) -> Shelves:
        return Shelves.of(self.facts(), popular_N=self.numbers(item.id for item in self.items))

    def relations(self) -> Relations:
        tables = {}
        for relation in RELATIONS:
            rows = [row for row in self.pairs if row[0] == relation]
            anchors, others = self.numbers(row[1] for row in rows), self.numbers(row[2] for row in rows)
            strengths = np.array([row[3] for row in rows], np.float32)
            tables[relation] = RelationTable.of(anchors, others, strengths, items=len(self.items), most=99)
        manual = [
            (relation, self._number[anchor], self._number[item], action, None, 0, NOW_MS + 1)
            for relation, anchor, item, action in self.manual
        ]
        sets = [tuple(self.numbers(ids).tolist()) for ids, _ in self.bundles]
        return Relations(tables, ManualPairs.of(manual), Bundles.from_sets(sets, [s for _, s in self.bundles]))

    def request(self, placement: str = "here", **given: Any) -> PlacementRequest:
        """A request whose items are ids; a session is of views, or of (id, kind)."""
        session = [each if isinstance(each, tuple) else (each, VIEW) for each in given.pop("session", ())]
        known = {
            "session_L": self.numbers(item for item, _ in session),
            "kinds_L": np.array([kind for _, kind in session], np.int64),
            "cart_M": self.numbers(given.pop("cart", ())),
            "excluded": frozenset(self.numbers(given.pop("excluded", ())).tolist()),
            "scene": tuple(self.numbers(given.pop("scene", ())).tolist()),
            "impressions": {self._number[item]: row for item, row in given.pop("impressions", {}).items()},
        }
        if "dismissed" in given:
            rows = [
                row | ({"item": self._number[row["item"]]} if "item" in row else {}) for row in given.pop("dismissed")
            ]
            known["dismissed"] = tuple(Dismissed(**{"time_ms": NOW_MS, **row}) for row in rows)
        if "host" in given:
            known["host"] = self._number[given.pop("host")]
        return PlacementRequest(placement=placement, **{"now_ms": NOW_MS, **known, **given})

    def model(self, scores: Mapping[str, float], tier: str = "model") -> ModelCandidates:
        """Candidates by score, ties in the order of the catalogue."""
        rows = sorted((-score, self._number[item]) for item, score in scores.items())
        values = np.array([-score for score, _ in rows], np.float32)
        return ModelCandidates(np.array([number for _, number in rows], np.int64), values, tier)  # type: ignore[arg-type]

    def place(
        self,
        policy: str,
        *,
        model: Mapping[str, float] | None = None,
        tier: str = "model",
        rng: np.random.Generator | None = None,
        **given: Any,
    ) -> Placement:
        """The answer of a policy's text to a request."""
        found = self.model(model, tier) if model is not None else None
        parsed, request = parse_policy(policy), self.request(**given)
        return place(parsed, request, shelves=self.shelves(), relations=self.relations(), model=found, rng=rng)

    def shown(self, policy: str, **given: Any) -> list[str]:
        """The ids of the answer."""
        return self.ids(item.item for item in self.place(policy, **given).items)


__all__ = ["CART", "NOW_MS", "VIEW", "Item", "Shop"]
