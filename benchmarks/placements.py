"""What a policy adds to an answer: one process, one bundle, the same sessions with and without a placement.

    python -m benchmarks.placements --bundle runs/benchmarks/bundles/model-100000

Facts, relations and carts are random, and nothing is served over HTTP. ``all-rules`` is the checkout of the example
policy with every rule of the policy language on; ``all-rules-and-sources`` asks nine sources about the whole session.
A round asks each question both ways, one after the other, so that whatever else the machine does falls on both alike.
The figures stand with those of benchmarks.policy, in the result file ``policy``.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from benchmarks.results import RESULTS, read_rows, write_results
from serving.answering.recommender import Recommender
from serving.bundles.loading import load_recommender
from serving.protocol.decoding import decode_request
from serving.protocol.limits import Limits
from serving.protocol.messages import RecommendRequest, encode_answer
from tillside.policy import ItemsFeed, read_feed
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable

NOW_MS: Final = 1_796_000_000_000
CATEGORIES: Final = (
    "electronics.phones.handset",
    "electronics.phones.case",
    "electronics.phones.film",
    "electronics.power",
    "electronics.audio.tips",
    "electronics.audio.headphones",
    "electronics.video.tv",
    "household.climate.heater",
    "household.kitchen.kettle",
    "alcohol.wine",
    "gifts.cards",
)
EVERY_RULE: Final[dict[str, Any]] = {
    "stock": {"feed_max_age_minutes": 30},
    "hide_viewed": "all",
    "categories": {"never": ["household.kitchen"]},
    "age_limits": [{"category": "alcohol", "years": 18}],
    "price_band": {"of": "cart_dearest", "low": 0.01, "high": 5.0},
    "cap": {"shown": 3, "within_hours": 24},
    "at_least": [{"n": 1, "source": "complement"}, {"n": 1, "category": "electronics"}],
    "boosts": {
        "clearance": 0.2,
        "margin": 0.1,
        "new": 0.1,
        "attributes": [{"attribute": "style", "value": "style-7", "boost": 0.2}],
        "at_most": 1.5,
        "seasons": [{"name": "winter", "categories": ["household.climate"], "boost": 0.3}],
    },
    "related_first": True,
    "variants": "style",
    "diversity": {"strength": 0.3, "most_of_a_kind": 2},
    "pins": [{"name": "voucher", "item": "{first}", "slot": 2}],
    "bans": [
        {"name": "recall", "item": "{second}"},
        {"name": "cards", "category": "gifts.cards"},
        {"name": "dispute", "brand": "brand-9"},
    ],
}
EVERY_SOURCE: Final[dict[str, Any]] = {"downsell": 0.5, "substitute": 0.3, "popular": 0.2, "new": 0.2, "clearance": 0.2}
"""Sources that the example's checkout lacks, and their weights."""
SYSTEMS: Final = {"all-rules": False, "all-rules-and-sources": True}
"""Whether each has every source."""
PARTNERS: Final = 20
EVENTS, CART, SHOWN = 8, 3, 30
NOTE: Final = (
    "added: an answer with a placement less the same without one, in one process, every rule on; policy: of that the "
    "policy's function; p05: the quickest twentieth, when nobody else computes. all-rules-and-sources: with nine "
    "sources, up to eight anchors, eight slots and two bundles, where the example's checkout has four, three, four and "
    "one."
)
QUICK: Final = 0.05
"""Quantile that shows the machine undisturbed, when nothing else computes on it."""


def write_policy(out: Path, *, ids: Sequence[str], like: Path, every_source: bool) -> Path:
    """Write policy ``like`` to ``out`` with every rule at checkout and, if asked, every source on the whole session."""
    words = like.read_text(encoding="utf-8").replace("off:", "'off':")  # a boolean in YAML 1.1, a key in a policy
    document = yaml.safe_load(words)
    checkout = document["placements"]["checkout"]
    text = json.dumps(EVERY_RULE).replace("{first}", ids[0]).replace("{second}", ids[1])
    checkout["rules"] = json.loads(text)
    if every_source:
        checkout["sources"] |= EVERY_SOURCE
        checkout |= {"anchors": ["cart", "last", "session"], "slots": 8, "bundles": 2}
    out.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return out


def random_feed(ids: Sequence[str], *, new: int, seed: int) -> ItemsFeed:
    """Feed with every field for every item, and for ``new`` items that the catalogue does not know."""
    rng = np.random.default_rng(seed)
    lines: list[dict[str, Any]] = [{"time_ms": NOW_MS}]
    for number, item_id in enumerate([*ids, *(f"new-{number}" for number in range(new))]):
        draw = rng.random(6)
        lines.append(
            {
                "item_id": item_id,
                "stock": int(draw[0] > 0.1) * 9,
                "price": round(float(np.exp(2 + 4 * draw[1])), 2),
                "clearance": round(float(max(0.0, draw[2] - 0.8)), 3),
                "margin": round(float(draw[3]), 3),
                "new_until_ms": NOW_MS + 1 if draw[4] > 0.98 else 0,
                "minimum_age": 18 if draw[5] > 0.98 else 0,
                "name": f"Item {item_id}",
                "attributes": {
                    "category": CATEGORIES[int(draw[1] * len(CATEGORIES))],
                    "brand": f"brand-{int(draw[2] * 300)}",
                    "style": f"style-{number // 3}",
                },
            }
        )
    return read_feed(b"\n".join(json.dumps(line).encode() for line in lines))


def random_relations(items: int, *, seed: int) -> Relations:
    """PARTNERS partners per item in every relation, and a product bundle drawn per item (duplicates fall away)."""
    rng = np.random.default_rng(seed)
    tables = {}
    anchors = np.repeat(np.arange(items), PARTNERS)
    for relation in RELATIONS:
        steps = rng.integers(1, items // PARTNERS, (items, PARTNERS)).cumsum(axis=1)
        partners = (np.arange(items)[:, None] + steps).ravel() % items
        strengths = rng.uniform(0.05, 1, len(partners))
        tables[relation] = RelationTable.of(anchors, partners, strengths, items=items, most=PARTNERS)
    starts = rng.integers(0, items - 3, items)
    sets = sorted({tuple(range(start, start + 2 + start % 3)) for start in starts.tolist()})
    bundles = Bundles.from_sets(sets, rng.uniform(0.05, 1, len(sets)).tolist())
    manual = [("complement", int(a), int(a + 1), "add", None, 0, 2 * NOW_MS) for a in range(0, items - 1, 100)]
    return Relations(tables, ManualPairs.of(manual), bundles)


def bodies(ids: Sequence[str], *, k: int, count: int, seed: int) -> list[tuple[bytes, bytes]]:
    """Request bodies (JSON): each session as a plain request and as a checkout."""
    rng = np.random.default_rng(seed)

    def some(number: int) -> list[str]:
        return [ids[int(item)] for item in (rng.random(number) ** 3 * len(ids)).astype(int)]

    made = []
    for _ in range(count):
        seen = some(EVENTS)
        session = [
            {
                "item_id": item,
                "behaviour": "cart" if n % 3 == 0 else "click",
                "timestamp": NOW_MS - 60_000 * (EVENTS - n),
            }
            for n, item in enumerate(seen)
        ]
        plain = {"session": session, "behaviour": "purchase", "k": k, "exclude": some(2)}
        checkout = {
            **plain,
            "placement": "checkout",
            "cart": [{"item_id": item, "quantity": 1} for item in seen[:CART]],
            "segment": "high_value",
            "age": 30,
            "impressions": [{"item_id": item, "count": 4, "timestamp": NOW_MS - 1000} for item in set(some(SHOWN))],
            "language": "zh",
            "timestamp": NOW_MS + 1000,
        }
        made.append((json.dumps(plain).encode(), json.dumps(checkout).encode()))
    return made


def added_ms(recommender: Recommender, pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, float]:
    """Milliseconds of plain answers, of what a placement adds, and of the policy alone: medians and p05."""
    limits = Limits()
    times = np.zeros((len(pairs), 2))
    policy = []
    for row, pair in enumerate(pairs):
        for column in (0, 1) if row % 2 else (1, 0):
            start = time.perf_counter()
            request: RecommendRequest = decode_request(pair[column], limits)
            outcome = recommender.answer(request)
            encode_answer(outcome.answer)
            times[row, column] = time.perf_counter() - start
            if column:
                assert outcome.failure is None
                assert outcome.answer.items
                policy.append(outcome.policy_seconds or 0.0)
    plain, placed = np.median(times, axis=0)
    quick_plain, quick_placed = np.quantile(times, QUICK, axis=0)
    return {
        "plain_p50_ms": float(plain * 1e3),
        "placed_p50_ms": float(placed * 1e3),
        "added_p50_ms": float((placed - plain) * 1e3),
        "policy_p50_ms": float(np.median(policy) * 1e3),
        "plain_p05_ms": float(quick_plain * 1e3),
        "added_p05_ms": float((quick_placed - quick_plain) * 1e3),
        "policy_p05_ms": float(np.quantile(policy, QUICK) * 1e3),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the result file."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.placements", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--like", type=Path, default=Path("configs/policy/electronics.yaml"))
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"), help="folder for the policy that is made")
    parser.add_argument("--new", type=int, default=100, help="items that only the feed knows")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the result file")
    given = parser.parse_args(arguments)
    ids = json.loads((given.bundle / "catalogue/catalogue.json").read_text(encoding="utf-8"))["item_ids"]
    feed, relations = random_feed(ids, new=given.new, seed=0), random_relations(len(ids), seed=1)
    rows = []
    for system, every_source in SYSTEMS.items():
        policy = write_policy(given.scratch / f"{system}.yaml", ids=ids, like=given.like, every_source=every_source)
        recommender = load_recommender(given.bundle, Limits(), policy=policy, feed=feed)
        assert recommender.assortment is not None
        recommender.assortment = replace(recommender.assortment, relations=relations)
        start = time.perf_counter()
        restocked = recommender.assortment.restocked(feed)
        print(f"{system}: a feed of {len(feed.items)} items is swapped in within {time.perf_counter() - start:.2f} s")
        recommender.assortment = restocked
        k = restocked.loaded.policy.placement("checkout").slots
        added_ms(recommender, bodies(ids, k=k, count=50, seed=3))
        for name, value in added_ms(recommender, bodies(ids, k=k, count=given.requests, seed=2)).items():
            print(f"{name}: {value:.3f}")
            about = {"log": "made-up", "system": system, "items": len(ids), "cases": given.requests}
            rows.append(about | {"metric": name, "value": value})
    publish(rows, folder=given.results)


def publish(fresh: Sequence[Mapping[str, Any]], *, folder: Path) -> None:
    """Replace the same figures in the result file ``policy`` by the fresh rows, and keep all others."""
    file = folder / "policy.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    measured = {(row["system"], row["metric"]) for row in fresh}
    kept = [row for row in read_rows(file) if (row["system"], row["metric"]) not in measured]
    title, notes = before.get("title", "Placements"), before.get("notes", "")
    if NOTE not in notes:
        notes = f"{notes} {NOTE}".strip()
    write_results("policy", [*kept, *fresh], title=title, notes=notes, folder=folder)


if __name__ == "__main__":
    main()
