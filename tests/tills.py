"""A small shop with a till: a bundle with categories, prices, relations and token vectors, and a policy over it.

The encoder is that of tests.bundles: after one view the query is the item's vector and the intent sigmoid(1 - 2), for
two events sigmoid(0), and so on. Asked for a purchase, twice the first coordinate is added to each score.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.bundles import tiny_bundle
from tillside.catalogue import attribute_tokens
from tillside.recommenders import ItemPairs
from tillside.recommenders.blend import SessionMemory
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable

NOW_MS = 1_780_000_000_000
MINUTE_MS = 60_000
ITEMS: dict[str, tuple[tuple[float, float], str, float]] = {
    "phone": ((1.0, 0.0), "tech.phone", 500.0),
    "phone-se": ((0.9, 0.1), "tech.phone", 300.0),
    "wine": ((0.85, 0.1), "drinks.wine", 12.0),
    "case": ((0.8, 0.3), "tech.case", 20.0),
    "film": ((0.7, 0.4), "tech.film", 15.0),
    "cable": ((0.5, 0.6), "tech.cable", 9.99),
    "coat": ((0.0, 1.0), "fashion.coat", 180.0),
    "scarf": ((0.1, 0.9), "fashion.scarf", 45.0),
}
"""Vector, category and price; the first ones are the most popular."""
IDS = list(ITEMS)
PAIRS = [
    ("complement", "phone", "case", 0.8),
    ("complement", "phone", "film", 0.7),
    ("complement", "phone", "wine", 0.6),
    ("downsell", "phone", "phone-se", 0.6),
    ("complement", "coat", "scarf", 0.5),
]
POLICY = """\
intent:
  curve: [{intent: 0.0, decided: 0.0}, {intent: 1.0, decided: 1.0}]
promotions:
  - {name: tech-tiers, categories: [tech], steps: [{items: 2, percent: 10, off: cheapest}, {items: 4, percent: 20}]}
placements:
  checkout:
    behaviour: purchase
    sources: {model: 1, complement: 2}
    anchors: [cart]
    slots: 2
    bundles: 1
    rules:
      stock: {feed_max_age_minutes: 30}
      age_limits: [{category: drinks.wine, years: 18}]
  product:
    behaviour: click
    sources: {complement: 1, downsell: 1}
    anchors: [last, session]
    slots: 1
    rules:
      hide_viewed: last
      age_limits: [{category: drinks.wine, years: 18}]
  fashion:
    behaviour: click
    sources: {model: 1}
    slots: 3
    fill: false
    rules:
      categories: {only: [fashion]}
segments:
  dormant:
    placements:
      fashion: {slots: 1}
"""


def till(
    directory: Path, *, policy: str = POLICY, pairs: ItemPairs | None = None, memory: SessionMemory | None = None
) -> Path:
    """The shop's bundle, with the policy in it."""
    numbers = {item_id: number for number, item_id in enumerate(IDS)}
    tables = {}
    for relation in RELATIONS:
        rows = [row for row in PAIRS if row[0] == relation]
        anchors, partners = (np.array([numbers[row[place]] for row in rows], np.int64) for place in (1, 2))
        strengths = np.array([row[3] for row in rows], np.float32)
        tables[relation] = RelationTable.of(anchors, partners, strengths, items=len(IDS), most=9)
    bundles = Bundles.from_sets([tuple(numbers[item] for item in ("phone", "case", "film"))], [0.9])
    counts = np.arange(len(IDS), 0, -1)[:, None] * np.array([3, 2, 1])
    return tiny_bundle(
        directory,
        goldens=[
            {"request": {"session": [{"item_id": "phone"}], "k": 2}, "items": ["phone", "phone-se"]}
            | {"scores": [1.0, 0.9], "purchase_intent": 0.2689414}
        ],
        items_ND=np.array([vector for vector, _, _ in ITEMS.values()], np.float32),
        item_ids=IDS,
        counts_NA=counts.astype(np.int64),
        relations=Relations(tables, ManualPairs.of([]), bundles),
        pairs=pairs,
        tokens=[attribute_tokens({"category": category}) for _, category, _ in ITEMS.values()],
        token_vector=lambda token: (0.0, 0.5) if "fashion" in token else (2.0, 0.0),
        prices=[price for _, _, price in ITEMS.values()],
        names=[item_id.title() for item_id in IDS],
        policy=policy,
        memory=memory,
        about={"memory": memory.document() if memory else None},
    )


def feed(*items: dict[str, Any], minutes_ago: float = 0.0) -> bytes:
    """An items feed as JSON lines."""
    head = {"time_ms": NOW_MS - int(minutes_ago * MINUTE_MS)}
    return b"\n".join(json.dumps(row).encode() for row in (head, *items))


def in_stock(*leave_out: str) -> list[dict[str, Any]]:
    """Feed lines: nine of everything, but none of what is left out."""
    return [{"item_id": item_id, "stock": 0 if item_id in leave_out else 9} for item_id in IDS]


def ask(placement: str, *seen: str, cart: Sequence[str] | None = None, **fields: Any) -> dict[str, Any]:
    """A request's body: views, one a minute; of ``ITEM+`` instead that it was put into the cart."""
    session = [
        {
            "item_id": item.removesuffix("+"),
            "behaviour": "cart" if item.endswith("+") else "click",
            "timestamp": NOW_MS - MINUTE_MS * (len(seen) - number),
        }
        for number, item in enumerate(seen)
    ]
    body = {"session": session, "placement": placement, "timestamp": NOW_MS, **fields}
    return body if cart is None else body | {"cart": [{"item_id": item} for item in cart]}
