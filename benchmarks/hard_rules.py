"""Random requests to every shipped policy and a stricter one, checked by code that shares nothing with the product.

    python -m benchmarks.hard_rules --bundle BUNDLE [--bundle OTHER] [--requests 2000]

Relations and the items feed are random (benchmarks.placements), categories those that the policies speak of. The
command prints how many answers broke what, and ends with 1 if any did.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from benchmarks.foreign import ForeignChecker
from benchmarks.placements import CATEGORIES, NOW_MS, random_relations
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import encode_answer
from tillside.policy import read_feed
from training.cli.console import say

POLICIES: Final = tuple(sorted(Path("configs/policy").glob("*.yaml")))
KINDS: Final = (
    *CATEGORIES,
    "electronics.phones.smartphone",
    "electronics.computers.laptop",
    "electronics.tablets.tablet",
    "fashion.coat.wool",
    "fashion.shoes",
)
STRICT: Final = """
utc_offset_hours: 8
placements:
  cart:
    sources: {model: 1, complement: 1, bundle: 1, popular: 0.5}
    anchors: [cart, last]
    slots: 5
    bundles: 2
    rules:
      stock: {unknown: hide, feed_max_age_minutes: 30, when_stale: hide_all}
      hide_viewed: all
      hide_kind: {of: anchors, depth: 2, but: [gifts, fashion]}
      categories: {never: [household.kitchen]}
      age_limits: [{category: alcohol, years: 18}]
      price_band: {of: cart_total, low: 0.05, high: 0.8, hard: true}
      dismissals: {within_hours: 100, category_after: 2, placement_after: 4}
      cap: {shown: 2, placement_shown: 60}
      at_least: [{n: 2, category: electronics}, {n: 1, brand: brand-3}, {n: 1, source: complement}]
      bans: [{name: a, brand: brand-7}, {name: b, category: gifts}, {name: c, category: alcohol, until: 2020-01-01}]
  product:
    sources: {model: 1, substitute: 1, new: 0.5, clearance: 0.5}
    anchors: [last, host, scene]
    slots: 6
    rules:
      hide_viewed: last
      hide_kind: {of: cart, depth: 1}
      categories: {only: [electronics, fashion]}
      price_band: {of: anchor, low: 0.2, high: 3, hard: true}
      boosts: {same_brand: 1, new: 0.3}
      diversity: {strength: 0.5}
"""
"""Hard rules that no shipped policy uses."""
SEGMENTS: Final = ("new", "returning", "dormant", "high_value")
TOLD: Final = 5


def rows_of(ids: Sequence[str], *, seed: int) -> list[dict[str, Any]]:
    """Lines of a feed with random facts of every item; some of them unknown."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = [{"time_ms": NOW_MS}]
    for item_id in ids:
        kind, brand = KINDS[int(rng.integers(len(KINDS)))], f"brand-{int(rng.integers(12))}"
        row: dict[str, Any] = {"item_id": item_id, "attributes": {"category": kind, "brand": brand}}
        row["stock"] = [None, 0, 3, 9, 9, 9][int(rng.integers(6))]
        row["price"] = None if rng.random() < 0.05 else round(float(np.exp(2 + 4 * rng.random())), 2)
        row |= {"minimum_age": 18 if rng.random() < 0.05 else 0, "clearance": round(float(rng.random()) / 2, 3)}
        row["new_until_ms"] = NOW_MS + 10**9 if rng.random() < 0.1 else 0
        rows.append(row)
    return rows


def requests(
    ids: Sequence[str], placements: Sequence[str], behaviours: Sequence[str], *, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Random requests; each optional field stands in some of them."""
    rng = np.random.default_rng(seed)

    def some(most: int) -> list[str]:
        return [ids[int(item)] for item in rng.integers(len(ids), size=int(rng.integers(most + 1)))]

    def sometimes(chance: float = 0.2) -> bool:
        return bool(rng.random() < chance)

    for number in range(count):
        now = NOW_MS + int(rng.choice([1_000, 20 * 60_000, 90 * 60_000]))
        session = [
            {"item_id": item, "behaviour": str(rng.choice(behaviours)), "timestamp": now - 60_000 * (9 - place)}
            for place, item in enumerate(some(8))
        ]
        seen = [event["item_id"] for event in session]
        cart = list(dict.fromkeys([*some(2), *(seen[-1:] if sometimes(0.6) else ())]))
        asked: dict[str, Any] = {
            "placement": placements[number % len(placements)],
            "session": session,
            "cart": [{"item_id": item, "quantity": int(rng.integers(1, 4))} for item in cart],
            "timestamp": now,
            "exclude": some(3),
        }
        asked |= {"k": int(rng.integers(1, 9))} if sometimes() else {}
        asked |= {"segment": str(rng.choice(SEGMENTS))} if sometimes(0.4) else {}
        asked |= {"age": int(rng.integers(10, 40))} if sometimes(0.5) else {}
        asked |= {"hide_seen": True} if sometimes() else {}
        asked |= {"host": ids[int(rng.integers(len(ids)))]} if sometimes() else {}
        asked |= {"scene": some(4)} if sometimes() else {}
        asked |= {"candidates": [*some(200), *seen, ids[0]]} if sometimes() else {}
        if sometimes():
            asked["filter"] = {"categories": [str(rng.choice(KINDS)).rpartition(".")[0]], "price": {"at_most": 200}}
        if sometimes():
            gone = [{"item_id": item, "timestamp": now - int(rng.integers(10**9))} for item in some(4)]
            asked["dismissed"] = [*gone, {"category": str(rng.choice(KINDS)), "timestamp": now - 1}]
        shown = dict.fromkeys(some(30))
        asked["impressions"] = [{"item_id": item, "count": 3, "timestamp": now - 1} for item in shown]
        yield asked


def check(
    recommender: Recommender, ids: Sequence[str], text: str, rows: Sequence[Mapping[str, Any]], *, count: int, seed: int
) -> Counter[str]:
    """What was broken in the answers to ``count`` requests; each is answered by the model and by the lower tiers."""
    behaviours = recommender.bundle.behaviours.names
    checker = ForeignChecker(text, rows, goal=behaviours[-1])
    broken: Counter[str] = Counter()
    placements = list(checker.document["placements"])
    for asked in requests(ids, placements, behaviours, count=count, seed=seed):
        question = recommender.read(decode_request(json.dumps(asked).encode(), Limits()))
        for outcome in (*recommender.answer_questions([question]), recommender.degraded(question, "deadline")):
            answer = json.loads(encode_answer(outcome.answer))
            broken.update(checker.broken(asked, answer))
    return broken


def main(arguments: Sequence[str] | None = None) -> None:
    """Check every policy on every bundle, and say what was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, action="append", required=True)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"), help="folder for a policy of stricter rules")
    given = parser.parse_args(arguments)
    wrong = 0
    strict = given.scratch / "strict.yaml"
    strict.write_text(STRICT, encoding="utf-8")
    for bundle in given.bundle:
        ids = json.loads((bundle / "catalogue/catalogue.json").read_text(encoding="utf-8"))["item_ids"]
        rows = rows_of(ids, seed=0)
        feed = read_feed(b"\n".join(map(msgspec.json.encode, rows)))
        for policy in (*POLICIES, strict):
            recommender = load_recommender(bundle, Limits(), policy=policy, feed=feed)
            assert recommender.assortment is not None
            changed = replace(recommender.assortment, relations=random_relations(len(ids), seed=1))
            recommender.assortment = changed.restocked(feed)
            broken = check(
                recommender, ids, policy.read_text(encoding="utf-8"), rows, count=given.requests, seed=given.requests
            )
            wrong += broken.total()
            say(f"{bundle.name}, {policy.stem}: {given.requests} requests, {broken.total()} broken")
            for sentence, count in broken.most_common(TOLD):
                say(f"  {count} times: {sentence}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
