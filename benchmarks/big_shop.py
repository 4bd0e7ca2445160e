"""A synthetic shop of any size with everything a policy can ask for, and a policy with every rule switched on.

Its values mean nothing: it serves to time placements and to check them against the rules.

Shapes: N items, B behaviours, K partners of an item, L events of the session, M items in the cart, C candidates of the
model, W items with a vector of the model, D columns of it.
"""

import json
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tillside.catalogue import Catalogue, attribute_tokens, pack_tokens
from tillside.policy import ItemFacts, ModelCandidates, PlacementRequest, Policy, Shelves, parse_policy, read_feed
from tillside.policy.items.facts import NO_VECTORS
from tillside.policy.requests import CART, VIEW
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable

NOW_MS: Final = 1_780_000_000_000
"""2026-05-28, 20:26 UTC."""
PLACEMENT: Final = "checkout"
PARTNERS: Final = 20
CANDIDATES: Final = 100
SESSION: Final = 10
DIM: Final = 96
CATEGORIES: Final = [
    f"area{area}.kind{area}{kind}.sort{area}{kind}{sort}"
    for area in range(8)
    for kind in range(5)
    for sort in range(10)
]
EVERY_RULE: Final = """
utc_offset_hours: 8
intent:
  curve: [{intent: 0, decided: 0.1}, {intent: 0.3, decided: 0.6}, {intent: 1, decided: 1}]
  repeat_views: {views: 2, price: 20}
  dwell: {seconds: 30}
  cart: {grew: 0.2, shrank: -0.3}
promotions:
  - {name: tiers, categories: [area0, area1], steps: [{items: 2, percent: 10, off: cheapest}, {items: 9, percent: 20}]}
  - {name: all, from: 2026-05-01, until: 2026-06-01, steps: [{items: 5, percent: 5}]}
placements:
  checkout:
    sources:
      {model: 1, complement: 2, substitute: 0.4, upsell: 0.4, downsell: 0.6, bundle: 1, brand: 0.3, series: 0.3,
       scene: 0.5, gift: 0.6, popular: 0.3, new: 0.4, clearance: 0.4}
    fusion: odds
    anchors: [cart, last, session, host, scene]
    slots: 8
    bundles: 2
    rules:
      stock: {unknown: hide, feed_max_age_minutes: 30, when_stale: hide_all}
      hide_viewed: all
      hide_kind: {of: anchors}
      fits: anchors
      variants: style
      related_first: true
      categories: {only: [area0, area1, area2, area3, area4, area5, area6], never: [area6.kind60]}
      age_limits: [{category: area5, years: 18}]
      price_band: {of: cart_dearest, low: 0.02, high: 1.5, hard: true}
      cap: {shown: 3, within_hours: 24, category_shown: 40, placement_shown: 400}
      dismissals: {within_hours: 240, category_after: 3, placement_after: 9}
      at_least: [{n: 1, source: gift}, {n: 1, category: area2}]
      boosts:
        clearance: 0.3
        margin: 0.2
        new: 0.2
        same_brand: 0.2
        attributes: [{attribute: style, value: style7, boost: 0.2}]
        seasons: [{name: season, categories: [area1.kind11], from: 2026-05-01, until: 2026-07-01, boost: 0.3}]
        at_most: 1.6
      diversity: {strength: 0.3, vector: 0.5, most_of_a_kind: 2}
      pins: [{name: first, item: item-000123, slot: 2, from: 2026-05-01}]
      bans:
        - {name: recall, item: item-000999}
        - {name: quarrel, brand: brand3}
        - {name: season over, category: area4.kind44, from: 2026-05-01, until: 2026-09-01}
segments:
  high_value: {placements: {checkout: {rules: {price_band: {high: 3}}}}}
"""


@dataclass(frozen=True)
class BigShop:
    """Facts, relations, a policy, and random requests to it."""

    policy: Policy
    shelves: Shelves
    relations: Relations

    @classmethod
    def make(cls, *, items: int, seed: int = 0) -> "BigShop":
        """A shop of ``items`` items, deterministic in ``seed``."""
        rng = np.random.default_rng(seed)
        facts = _facts(items, rng)
        tables = {}
        for name in RELATIONS:
            steps_K = rng.choice(np.arange(1, items), min(PARTNERS, items - 1), replace=False)
            partners_NK = (np.arange(items)[:, None] + steps_K) % items
            strengths_NK = np.sort(rng.uniform(0.01, 1, partners_NK.shape).astype(np.float32), axis=1)[:, ::-1]
            offsets = np.arange(items + 1) * len(steps_K)
            tables[name] = RelationTable(offsets, partners_NK.ravel().astype(np.int32), strengths_NK.ravel())
        sets = {tuple(sorted(set(row))) for row in rng.integers(0, items, (items // 10, 3)).tolist()}
        sets = {each for each in sets if len(each) > 1}
        bundles = Bundles.from_sets(sorted(sets), [0.5] * len(sets))
        manual = [
            (name, item, (item + 7) % items, action, None, 0, NOW_MS + 1)
            for name, action in (("complement", "pin"), ("substitute", "add"), ("gift", "ban"))
            for item in range(0, items, 50)
        ]
        shelves = Shelves.of(facts, popular_N=rng.permutation(items))
        return cls(parse_policy(EVERY_RULE), shelves, Relations(tables, ManualPairs.of(manual), bundles))

    def questions(self, count: int, *, seed: int = 0) -> list[tuple[PlacementRequest, ModelCandidates]]:
        """Random requests, each with the model's candidates."""
        rng, items = np.random.default_rng(seed), len(self.shelves.facts)
        found = []
        for number in range(count):
            session_L = rng.integers(0, items, SESSION)
            session_L[-2] = session_L[0]  # viewed again
            kinds_L = np.full(SESSION, VIEW)
            kinds_L[[3, 6]] = CART
            request = PlacementRequest(
                placement=PLACEMENT,
                now_ms=NOW_MS,
                session_L=session_L,
                kinds_L=kinds_L,
                times_L=NOW_MS - 60_000 * np.arange(SESSION, 0, -1),
                cart_M=session_L[[3, 6]],
                segment=(None, "new", "high_value")[number % 3],
                age=(None, 16, 40)[number % 3],
                impressions=dict.fromkeys(rng.integers(0, items, 30).tolist(), (4, NOW_MS - 60000)),
                excluded=frozenset(rng.integers(0, items, 10).tolist()),
                intent=float(rng.random()),
                host=int(rng.integers(0, items)),
                scene=tuple(rng.integers(0, items, 3).tolist()),
                explain=True,
                language=("en", "zh")[number % 2],  # type: ignore[arg-type]
            )
            scores_C = np.sort(rng.normal(size=min(CANDIDATES, items)).astype(np.float32))[::-1]
            found.append((request, ModelCandidates(rng.choice(items, len(scores_C), replace=False), scores_C)))
        return found


def _facts(items: int, rng: np.random.Generator) -> ItemFacts:
    """Facts of a catalogue, completed by an items feed."""
    names = [f"item-{number:06d}" for number in range(items)]
    tokens = [
        attribute_tokens(
            {
                "category": CATEGORIES[number % len(CATEGORIES)],
                "brand": f"brand{number % 97}",
                "style": f"style{number // 3}",
            }
        )
        for number in range(items)
    ]
    vocabulary, token_ids, offsets = pack_tokens(tokens)
    catalogue = Catalogue(
        item_ids=names,
        trained=items,
        counts_NB=np.ones((items, 3), np.int64),
        prices_N=rng.lognormal(3.5, 1, items).astype(np.float32),
        names=[f"Item {number}" for number in range(items)],
        vocabulary=vocabulary,
        token_ids=token_ids,
        token_offsets=offsets,
    )
    rows = [
        {
            "item_id": name,
            "stock": (None, 0, 5, 5, 5, 5, 5, 5, 5, 5)[number % 10],
            "clearance": 0.5 if number % 20 == 0 else 0,
            "margin": 0.3,
            "new_until_ms": NOW_MS + 1 if number % 50 == 0 else 0,
            "minimum_age": 18 if number % 100 == 0 else 0,
        }
        for number, name in enumerate(names)
    ]
    feed = "\n".join(map(json.dumps, [{"time_ms": NOW_MS - 60_000}, *rows]))
    facts = ItemFacts.of_catalogue(catalogue).with_feed(read_feed(feed.encode()))
    rows_WD = rng.normal(size=(items, DIM + 1)).astype(np.float32)
    return replace(facts, vectors=replace(NO_VECTORS, rows_WD=rows_WD))
