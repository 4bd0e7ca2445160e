"""Nothing that a reload or a feed replaced stays alive: what is frozen out of garbage collection is free of cycles.

Garbage collection is off in the first test, so only reference counting frees, as in a server that froze its objects.
"""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serving.bundles import loading
from serving.bundles.loading import load_recommender, restock
from serving.protocol.limits import Limits
from serving.protocol.messages import CartLine, Event, RecommendRequest
from serving.service import Service
from serving.settings import Settings
from tests.bundles import GOLDENS_WITH_MEMORY, tiny_bundle, tiny_memory
from tillside.events import BRAND, CATEGORY
from tillside.fitting.rules import Kin, Rule, Side, Terms
from tillside.policy import ItemsFeed, read_feed
from tillside.relations import Relations

pytestmark = pytest.mark.slow

POLICY = """
defaults:
  rules:
    bans: [{name: none, brand: nobody}]
    boosts: {clearance: 0.5, new: 0.2}
    diversity: {strength: 0.5, vector: 1}
    price_band: {high: 2}
promotions:
  - {name: two, steps: [{items: 2, percent: 10}]}
placements:
  checkout: {sources: {model: 1, complement: 1, popular: 1, new: 1, clearance: 1}, anchors: [cart, session], bundles: 1}
segments:
  new: {placements: {checkout: {slots: 2}}}
"""
FITTING = Terms((Rule("r", Side("apple", "size"), Side("plum", "size")),), (Kin("apple", "plum", 0.5),))
FREEZE = loading._freeze
"""As it is before the tests' own replacement."""
TIMES = 20
RELOADS = 5
"""Fewer: each looks through all objects of the process, which in a run of all tests are millions."""


@pytest.fixture(autouse=True)
def frozen_as_in_a_server(monkeypatch) -> None:
    """Which other tests do without."""
    monkeypatch.setattr(loading, "_freeze", FREEZE)


@pytest.fixture
def whole(tmp_path) -> Path:
    """A bundle with everything that one can have: policy, relations, past sessions, tokens, prices, names."""
    return tiny_bundle(
        tmp_path / "whole",
        policy=POLICY,
        memory=tiny_memory(),
        goldens=GOLDENS_WITH_MEMORY,
        relations=replace(Relations.empty(items=6), fitting=FITTING),
        tokens=[[f"{CATEGORY}={kind}", f"{BRAND}=Lune", "size=1"] for kind in ("apple", "pear", "plum", "fig", "date")],
        token_vector=lambda token: (1.0, float(len(token))),
        prices=[1, 2, 3, 4, 5, 6],
        names=["Apple", "Pear", "Plum", "Fig", "Date", "Newcomer"],
    )


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No cycle is freed while the test runs; afterwards nothing stays frozen."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()


def feed(time_ms: int) -> ItemsFeed:
    return read_feed(b'{"time_ms": %d}\n{"item_id": "apple", "stock": 1}\n{"item_id": "kiwi", "price": 3}' % time_ms)


def request() -> RecommendRequest:
    return RecommendRequest([Event("apple")], placement="checkout", cart=[CartLine("pear")], explain=True)


def test_an_assortment_and_its_facts_end_with_the_feed_that_replaces_them(whole, uncollected):
    recommender = load_recommender(whole, Limits())
    replaced = []
    for time_ms in range(1, TIMES):
        assortment = recommender.assortment
        assert assortment is not None
        assert len(recommender.answer(request()).answer.items) > 1
        replaced += [weakref.ref(each) for each in (assortment, assortment.facts, assortment.proposer)]
        del assortment
        recommender.assortment = restock(recommender, feed(time_ms))
    assert [found for found in replaced if found() is not None] == []


def test_a_recommender_ends_with_the_reload_that_replaces_it(whole, monkeypatch):
    """Also with garbage collection on and everything frozen, as in the server."""
    service = Service(Settings(whole))
    replaced: list[weakref.ref] = []

    async def reloads() -> None:
        for number in range(RELOADS):
            await service.prepare(whole)
            await service.conclude({"result": "loaded", "at": "now", "folder": "whole", "bundle": "v", "reason": None})
            await service.stock(feed(number))
            recommender = service._recommender
            assert recommender is not None
            assert recommender.assortment is not None
            recommender.answer(request())
            parts = (recommender.bundle, recommender.engine, recommender.assortment.facts)
            replaced.extend(map(weakref.ref, parts))
            del recommender, parts

    gc.collect()
    asyncio.run(reloads())
    alive = [found() for found in replaced[:-3] if found() is not None]
    gc.unfreeze()
    assert alive == []
    assert all(found() is not None for found in replaced[-3:])


def test_open_files_do_not_grow_with_reloads(whole):
    """Every reload maps the bundle's arrays; those of the bundle before it are closed with it."""
    counts = []
    for _ in range(5):
        recommender = load_recommender(whole, Limits())
        counts.append(len(Path("/proc/self/maps").read_text(encoding="utf-8").split(str(whole))))
        del recommender
    gc.unfreeze()
    assert counts[0] > 1
    assert set(counts[1:]) == {counts[1]}
