"""Offline = served for whole placements: the evaluator's answers are those of a server, over HTTP.

A shop whose policy uses every feature is asked a thousand of the evaluator's own questions, item for item, source for
source, reason for reason. Its model ranks cold items of the catalogue and of the feed, and past sessions are blended
in.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from msgspec import structs

from tests.datasets import START_MS, make_dataset, random_rows
from tests.models import make_trained
from tests.serving.server_process import ServerProcess
from tillside.bundle import open_bundle
from tillside.dataset import Dataset
from tillside.engine import Engine
from tillside.events import TIME_UNKNOWN
from tillside.policy import ItemFacts, Placement, PlacementRequest, Policy, event_kinds, read_feed, read_policy
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.counted_intent import CountedIntent
from tillside.relations import RELATIONS, Bundles, ManualPairs, Relations, RelationTable
from tillside.relations.chances import Chances, Together
from tillside.relations.lifts import Lifts
from training.bundle.write import export_run
from training.evaluation.placements.association_rules import AssociationRules
from training.evaluation.placements.engines import PlacementEngine
from training.evaluation.placements.proposals import propose, with_intents
from training.evaluation.placements.questions import Questions, ask_sessions
from training.evaluation.placements.shop import OfflineShop
from training.evaluation.placements.systems import Rivals
from training.evaluation.run import MODEL
from training.inputs.lookahead import taking
from training.inputs.visits import encode_visits
from training.mining.stored import FOLDER
from training.model.checkpoint import TrainedModel

pytestmark = pytest.mark.slow

DAY_MS = 86_400_000
TRAINED, DESCRIBED, ITEMS = 160, 170, 175
"""The model ranks the first 170 items, ten of them cold; of the last five nothing is known but that they sell."""
COLD = [f"new{number}" for number in range(12)]
"""Known to the feed alone."""
QUESTIONS = 1000
FEED_MS = START_MS + 30 * DAY_MS
POLICY = """
utc_offset_hours: 8
intent:
  curve: [{intent: 0, decided: 0}, {intent: 1, decided: 1}]
  repeat_views: {views: 2, price: 1}
  dwell: {seconds: 1, at_most_seconds: 90000}
  cart: {}
promotions:
  - {name: tiers, categories: [c1], steps: [{items: 2, percent: 10, off: cheapest}, {items: 4, percent: 20}]}
defaults:
  rules:
    stock: {feed_max_age_minutes: 30}
    age_limits: [{category: c4, years: 18}]
placements:
  checkout:
    sources: {model: 1, complement: 2, gift: 1, popular: 3}
    fusion: odds
    anchors: [cart]
    slots: 4
    bundles: 2
    rules:
      bans: [{name: brand, brand: b3}, {name: item, item: i12}]
      cap: {shown: 2, within_hours: 24}
      diversity: {strength: 0.3, vector: 0.5}
  cart:
    sources: {model: 1, complement: 1, downsell: 1}
    anchors: [cart, session]
    rules:
      price_band: {of: cart_dearest, low: 0.2, high: 0.9, hard: true}
      at_least: [{n: 2, brand: b1}]
      bans: [{name: late, category: c2, from: 2023-11-16}]
  product:
    behaviour: click
    sources: {model: 1, substitute: 1, series: 0.5, new: 0.3}
    anchors: [last]
    fill: false
    rules:
      hide_viewed: last
      price_band: {of: anchor, high: 1.2}
      pins: [{name: pin, item: i21, slot: 2}]
  home:
    behaviour: click
    sources: {model: 1, new: 0.8, clearance: 0.4, popular: 0.3}
    fusion: odds
    anchors: [session]
    slots: 10
    rules:
      hide_viewed: all
      categories: {never: [c5]}
      boosts:
        clearance: 0.5
        new: 0.2
        margin: 0.3
        seasons: [{name: week, categories: [c1], boost: 0.4, from: 2023-11-15, until: 2023-11-17}]
  shelf:
    behaviour: cart
    sources: {model: 1}
    slots: 12
    rules:
      categories: {only: [c0.d0, c1.d1]}
  long:
    behaviour: click
    sources: {model: 1}
    fusion: odds
    slots: 40
  live:
    behaviour: cart
    sources: {model: 0.5, scene: 3, complement: 1.5}
    anchors: [host, scene, cart]
    slots: 5
    steering: 0.5
segments:
  dormant:
    placements:
      home: {slots: 5, sources: {clearance: 2}, rules: {hide_viewed: none}}
      checkout: {fusion: strengths}
"""


def feed() -> bytes:
    """What is in stock, new, on clearance, and the items that only the feed knows."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = [{"time_ms": FEED_MS}]
    for item in range(ITEMS):
        stock = int(rng.choice([0, 3, 9]))
        row = {"item_id": f"i{item}", "stock": stock, "clearance": float(item % 5 == 0) / 2, "margin": (item % 4) / 10}
        rows.append(row | {"new_until_ms": START_MS + 2 * DAY_MS if item % 6 == 0 else 0})
    for number, item_id in enumerate(COLD):
        attributes = {"category": f"c{number % 6}.d{number % 6}", "brand": f"b{number % 5}"}
        rows.append({"item_id": item_id, "stock": 3, "price": 2.0 + number / 2, "attributes": attributes})
    return "\n".join(map(json.dumps, rows)).encode()


def related(dataset: Dataset) -> Relations:
    """Random relations and lifts, with pairs pinned and pairs banned by hand, and what they and the model are worth."""
    rng = np.random.default_rng(3)
    tables = {}
    for name in RELATIONS:
        anchors, items = np.nonzero((rng.random((ITEMS, ITEMS)) < 0.05) & ~np.eye(ITEMS, dtype=bool))
        strengths = rng.uniform(0.01, 1, len(anchors)).astype(np.float32)
        tables[name] = RelationTable.of(anchors, items, strengths, items=ITEMS, most=9)
    manual = [
        ("complement", item, (item + 1) % ITEMS, "pin" if item % 2 else "ban", None, 0, FEED_MS)
        for item in range(0, ITEMS, 7)
    ]
    sets = [tuple(sorted(rng.choice(ITEMS, 3, replace=False).tolist())) for _ in range(40)]
    paths = ("c0", *(f"c{number}.d{number}" for number in range(6)))
    lifts = Lifts(paths, rng.normal(size=(len(paths), len(paths))).astype(np.float32))
    slopes = {"model": 0.5, "complement": 0.6, "related": 0.2, "popular": 0.1, "lift": 0.7, "viewed": 1.5}
    chances = Chances(together={"attach": Together(-5.0, slopes)})
    about = {"dataset": {"digest": dataset.digest}, "chances": chances.document()}
    bundles = Bundles.from_sets(sets, [0.5] * len(sets))
    return Relations(tables, ManualPairs.of(manual), bundles, about, lifts=lifts)


@dataclass(frozen=True)
class World:
    """A log, its model and its bundle."""

    dataset: Dataset
    trained: TrainedModel
    relations: Relations
    policy: Policy
    bundle: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("placements")
    train = random_rows(300, items=TRAINED, seed=1)
    test = random_rows(230, items=ITEMS, longest=14, seed=2)
    tokens = [[f"category=c{n % 6}", f"category=c{n % 6}.d{n % 6}", f"brand=b{n % 5}"] for n in range(DESCRIBED)]
    dataset = make_dataset(
        folder / "data", train=train, test=test, trained=TRAINED, newcomers=ITEMS - TRAINED, tokens=tokens
    )
    blend = {"weights": [1.0, 2.0, 0.5], "floor": 0.01, "repeats": [[-2.0, 0.5], [1.0, -1.0], [-4.0, 1.0]]}
    memory = SessionMemory.fit(
        dataset.part("train"),
        items=dataset.catalogue.rankable,
        document={"neighbourhood": asdict(Neighbourhood()), "blend": blend | {"alike": [0.5, 2.0]}},
        behaviours=3,
        catalogue=dataset.catalogue,
    )
    counted = CountedIntent((-0.5, *[0.2] * 13))
    trained = replace(make_trained(dataset), memory=memory, counted_intent=counted)
    relations = related(dataset)
    (dataset.path / FOLDER).mkdir()
    relations.save(dataset.path / FOLDER)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "feed.jsonl").write_bytes(feed())
    out = folder / "bundle"
    metrics = {"systems": {MODEL: {"all": {}}}}
    export_run(trained, dataset, out, metrics=metrics, run_id="tiny", policy=folder / "policy.yaml")
    return World(dataset, trained, relations, read_policy(folder / "policy.yaml"), out)


@dataclass(frozen=True)
class Asked:
    """Questions of one placement in the evaluator's terms."""

    ask: int
    questions: Questions
    requests: list[PlacementRequest]


def asked(world: World, name: str) -> Asked:
    """The evaluator's questions, made harder: logs do not record age, impressions, exclusions, host and scene."""
    dataset, placement = world.dataset, world.policy.placement(name)
    sessions, behaviours = dataset.part("test"), dataset.behaviours
    ask = behaviours.index(placement.behaviour or behaviours.goal)
    questions = ask_sessions(sessions, taken=taking(3), asked=ask, at_cart="cart" in placement.anchors)
    requests = questions.requests(sessions, placement=name, k=placement.slots, kinds_B=event_kinds(behaviours))
    rng = np.random.default_rng(len(name))
    return Asked(ask, questions, [harder(request, row, rng) for row, request in enumerate(requests)])


def harder(request: PlacementRequest, row: int, rng: np.random.Generator) -> PlacementRequest:
    host, *scene = rng.integers(0, ITEMS, 4).tolist()
    return structs.replace(
        request,
        k=None if row % 3 else request.k,
        age=(None, 12, 40)[row % 3],
        segment="dormant" if row % 7 == 0 else None,
        excluded=frozenset(rng.integers(0, ITEMS, 5).tolist() if row % 4 == 0 else ()),
        impressions={int(item): (2, request.now_ms - 5) for item in rng.integers(0, ITEMS, 60)} if row % 2 else {},
        host=host,
        scene=tuple(scene),
        explain=row % 5 == 0,
        language="zh" if row % 6 == 0 else "en",
    )


def body(world: World, question: Asked, row: int) -> dict[str, Any]:
    """A question as the shop's backend would send it."""
    dataset, request = world.dataset, question.requests[row]
    sessions, ids = dataset.part("test"), dataset.catalogue.item_ids
    start, end = int(sessions.offsets[question.questions.sessions_Q[row]]), int(question.questions.events_Q[row])
    session = [
        {
            "item_id": ids[int(sessions.items[place])],
            "behaviour": dataset.behaviours.names[int(sessions.behaviours[place])],
            "timestamp": None if sessions.times[place] == TIME_UNKNOWN else int(sessions.times[place]),
        }
        for place in range(start, end)
    ]
    optional = {"k": request.k, "age": request.age, "segment": request.segment}
    return {
        "placement": request.placement,
        "timestamp": request.now_ms,
        "session": session,
        "cart": [{"item_id": ids[item]} for item in request.cart_M.tolist()],
        "exclude": [ids[item] for item in request.excluded],
        "impressions": [
            {"item_id": ids[item], "count": count, "timestamp": last_ms}
            for item, (count, last_ms) in request.impressions.items()
        ],
        "host": ids[request.host],  # type: ignore[index]
        "scene": [ids[item] for item in request.scene],
        "explain": request.explain,
        "language": request.language,
        **{name: value for name, value in optional.items() if value is not None},
    }


def offline(world: World, engine: PlacementEngine | None, together: int) -> Iterator[tuple[str, Placement, ItemFacts]]:
    """The evaluator's answers to all questions: their tier, and the placement."""
    shop = OfflineShop.of(world.trained, world.dataset, feed=read_feed(feed()), engine=engine, together=together)
    rules = AssociationRules.of({}, sessions=1, items=ITEMS)
    sessions = world.dataset.part("test")
    encoded = encode_visits(sessions, spec=shop.spec, known_items=world.dataset.catalogue.rankable)
    for name in world.policy.placements:
        question = asked(world, name)
        proposals = propose(
            shop, world.policy, question.requests, encoded, question.questions.events_Q, ask=question.ask, k=20
        )
        rivals = Rivals(world.policy, shop.shelves_B[question.ask], world.relations, rules)
        for request, model in zip(with_intents(question.requests, proposals), proposals.candidates, strict=True):
            placement = rivals.answer(world.policy, request, model)
            yield model.tier if placement.items else "empty", placement, shop.facts


def told(tier: str, placement: Placement, facts: ItemFacts, *, digits: int) -> dict[str, Any]:
    """What an offline answer and a served one must have in common."""
    ids = facts.item_ids
    return {
        "tier": tier,
        "mode": placement.mode,
        "why": list(placement.why),
        "items": [
            {
                "item_id": ids[item.item],
                "score": round(item.score, digits),
                "source": item.source,
                "because": None if item.anchor is None else ids[item.anchor],
                "rule": item.rule,
                "reason_key": item.reason_key,
                "reason": item.reason,
                "parts": {name: round(part, digits) for name, part in (item.parts or {}).items()},
            }
            for item in placement.items
        ],
        "bundles": [[ids[item] for item in bundle.items] for bundle in placement.bundles],
        "promotion": placement.promotion and placement.promotion.text,
    }


def heard(answer: dict[str, Any], *, digits: int) -> dict[str, Any]:
    """The same of a served answer; which session item explains one of the model's is the server's own addition."""
    items = [
        {
            **{name: item[name] for name in ("item_id", "source", "rule", "reason_key", "reason")},
            "score": round(item["score"], digits),
            "because": None if item["source"] == "model" else item["because"],
            "parts": {name: round(part, digits) for name, part in item.get("parts", {}).items()},
        }
        for item in answer["items"]
    ]
    return {
        **{name: answer[name] for name in ("tier", "mode", "why")},
        "items": items,
        "bundles": [bundle["items"] for bundle in answer["bundles"]],
        "promotion": answer["promotion"] and answer["promotion"]["text"],
    }


@pytest.fixture(scope="module")
def served(world: World) -> list[dict[str, Any]]:
    """A server's answers to all questions, in the same order."""
    folder = world.bundle.parent
    bodies = [
        body(world, question, row)
        for question in (asked(world, name) for name in world.policy.placements)
        for row in range(len(question.requests))
    ]
    server = ServerProcess(world.bundle, folder / "log", "--items-feed", str(folder / "feed.jsonl"))
    try:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            responses = [client.post("/v1/recommend", json=each) for each in bodies]
    finally:
        assert server.stop() == 0
    assert {response.status_code for response in responses} == {200}
    return [response.json() for response in responses]


def test_a_thousand_placements_are_judged_as_they_are_served(world: World, served: list[dict[str, Any]]) -> None:
    """With the bundle's own engine, one session at a time, to the last digit; every part of the policy has its say."""
    opened = open_bundle(world.bundle)
    answers = list(offline(world, Engine(opened.path, opened.items_ND, opened.search), 1))
    assert len(answers) == len(served) >= QUESTIONS
    for answer, own in zip(served, answers, strict=True):
        assert heard(answer, digits=12) == told(*own, digits=12)
    unknown = [answer for answer in served if answer["degraded_reason"] == "unknown_items"]
    assert unknown  # of those what was done tells the intent, which steers
    assert all(answer["purchase_intent"] is not None and "intent unknown" not in answer["why"] for answer in unknown)
    shown = [item for answer in served for item in answer["items"]]
    sources = Counter(item["source"] for item in shown)
    assert sources.keys() >= {"model", "popular", "new", "clearance", "complement", "scene", "gift", "pinned"}
    assert {item["rule"] for item in shown} >= {"pin", "manual pair"}
    assert {answer["tier"] for answer in served} >= {"model", "popularity"}
    for known in (COLD, [f"i{number}" for number in range(TRAINED, DESCRIBED)]):
        assert {item["item_id"] for item in shown if item["source"] == "model"} & set(known)


def test_torch_alone_gives_the_same_up_to_what_fp32_holds_level(world: World, served: list[dict[str, Any]]) -> None:
    """What ``training.evaluate policy=FILE`` computes, in its own batches: only items with level scores change places,
    or are parted otherwise by the last slot.

    Items of the same attributes have the same vector, so there are some; else the encoders differ by 1e-5 at most. One
    that is level with the end of the model's list stands in one list and not in the other, and all shares of the list
    move by what it has of it, some thousandths; which ones that are depends on the processor.
    """
    swapped, moved = 0, 0
    for answer, (tier, placement, facts) in zip(served, offline(world, None, 256), strict=True):
        assert (answer["tier"], len(answer["items"])) == (tier, len(placement.items))
        own = [(facts.item_ids[item.item], item.score, item.source, item.reason) for item in placement.items]
        scores = [item.score for item in placement.items]
        moved += [item["score"] for item in answer["items"]] != pytest.approx(scores, abs=1e-4)
        for item, (item_id, score, source, reason) in zip(answer["items"], own, strict=True):
            assert item["score"] == pytest.approx(score, abs=1e-4, rel=5e-3)
            if item["item_id"] == item_id:
                assert (item["source"], item["reason"]) == (source, reason)
                continue
            swapped += 1
            level = [other for other in own if other[0] == item["item_id"]]
            if level:
                assert level[0][1] == pytest.approx(score, abs=1e-4, rel=5e-3)
            else:  # one level with the last item: of those that the slots part either may stand inside
                assert own[-1][1] == pytest.approx(score, abs=1e-4, rel=5e-3)
    assert max(swapped, moved) < QUESTIONS / 20
