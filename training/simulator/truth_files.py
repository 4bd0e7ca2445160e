"""Ground-truth files beside the log: session intents, item relations, out-of-stock spells, scenes.

The true purchase probability of a session has no closed form, so it is estimated as the share of buyers among all
sessions in the same latent state (intent, cart, desire, looks), accumulated while the sessions are generated.
Shapes: S sessions, N items, F families, K list entries or spells, R scenes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tillside.events import BRAND, CATEGORY, ITEM_ID, NAME, PRICE, SCENE_ID, SESSION_ID
from training.simulator import intents
from training.simulator.demand import FAR, Demand
from training.simulator.event_log import ids
from training.simulator.goods import BRAND_STRIDE, DEPARTMENTS, Floats, Goods, Ints
from training.simulator.products import BRANDS, KINDS
from training.simulator.scenes import Scenes
from training.simulator.session_plans import Plans
from training.simulator.true_relations import Relations
from training.simulator.walk import CLICK, PURCHASE, STATES, Trail

OTHER_ID = "other_id"


class Outcomes:
    """Accumulates session outcomes batch by batch, and estimates purchase probabilities from them."""

    def __init__(self, items: int) -> None:
        self._items = items
        self._begin = np.zeros((2, STATES))
        self._event = np.zeros((2, STATES))
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []
        self._sold: list[Ints] = []
        self.behaviours = np.zeros(3, np.int64)
        self.repeats = 0
        self.later = 0

    def add(self, plans: Plans, trail: Trail, *, follows: Ints) -> None:
        """Add a batch; ``trail`` must be sorted by session, ``follows`` is the session followed up on, or -1."""
        sizes = np.bincount(trail.session, minlength=len(plans))
        ends = np.cumsum(sizes)
        last_purchase = np.full(len(plans), -1)
        purchases = np.flatnonzero(trail.behaviour == PURCHASE)
        last_purchase[trail.session[purchases]] = purchases
        still = np.arange(len(trail.session)) < last_purchase[trail.session]
        bought = last_purchase >= 0
        for table, state, outcome in ((self._begin, trail.begin_state, bought), (self._event, trail.state, still)):
            table[0] += np.bincount(state, minlength=STATES)
            table[1] += np.bincount(state, weights=outcome, minlength=STATES)
        begin, state, intent = trail.begin_state.astype(np.uint16), trail.state.astype(np.uint16), plans.intent_S
        self._parts.append((intent.astype(np.int8), begin, sizes, state, bought, follows))
        because = trail.because >= 0
        self._sold.append(trail.because[because] * self._items + trail.item[because])
        self.behaviours += np.bincount(trail.behaviour, minlength=3)
        self.repeats += len(trail.item) - len(np.unique(trail.session * self._items + trail.item))
        self.later += len(trail.item) - len(plans)
        assert ends[-1] == len(trail.session)
        assert (trail.behaviour[ends - sizes] == CLICK).all()

    def sold(self) -> tuple[Ints, Ints]:
        """Codes (item * N + other) of the pairs bought together as complements, ascending, and their counts."""
        return np.unique(np.concatenate(self._sold), return_counts=True)

    def buyers(self) -> float:
        """Share of sessions with a purchase."""
        return float(self._begin[1].sum() / self._begin[0].sum())

    def write(self, path: Path) -> None:
        """Write intent.parquet, one row per session."""
        begin, event = (table[1] / np.maximum(1, table[0]) for table in (self._begin, self._event))
        intent, state, sizes, events, bought, follows = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        columns = {
            SESSION_ID: ids("s", np.arange(len(sizes))),
            "intent": pa.array(intents.NAMES).take(pa.array(intent)),
            "follows": ids("s", follows),
            "will_purchase": pa.array(bought.astype(bool)),
            "probability": pa.array(begin[state].astype(np.float32)),
            "probabilities": pa.LargeListArray.from_arrays(offsets, pa.array(event[events].astype(np.float32))),
        }
        _write(path, columns)


def write_items(path: Path, goods: Goods) -> None:
    """Write items.parquet: the shop's own item data."""
    brands = [BRANDS[name] for name in DEPARTMENTS]
    families = [goods.families[family] for family in goods.family_N.tolist()]
    columns = {
        ITEM_ID: goods.item_ids(),
        NAME: [name for family in goods.families for name in family.names],
        CATEGORY: [KINDS[family.kind].path for family in families],
        BRAND: [_brand(brands, family.brand) for family in families],
        PRICE: goods.price_N,
        "series": [family.series for family in families],
        "fits": pa.array([goods.series_of(family.fits) or None for family in families], pa.string()),
        "connector": pa.array([family.connector or None for family in families], pa.string()),
        "launch": goods.launch_N,
    }
    _write(path, columns)


def _brand(brands: list[tuple[str, ...]], number: int) -> str:
    return brands[number // BRAND_STRIDE][number % BRAND_STRIDE]


def write_relations(directory: Path, goods: Goods, relations: Relations, sold: tuple[Ints, Ints]) -> None:
    """Write complements.parquet, substitutes.parquet and ladders.parquet."""
    item_ids = np.array(goods.item_ids())
    owners, others, weights, kinds = _directed(goods, relations)
    shared = _shared(goods, relations, known=set((owners * len(goods) + others).tolist()))
    owners, others = np.concatenate([owners, shared[0]]), np.concatenate([others, shared[1]])
    pairs, counts = sold
    codes = owners * len(goods) + others
    place = np.searchsorted(pairs, codes).clip(max=max(0, len(pairs) - 1))
    times = np.where(pairs[place] == codes, counts[place], 0) if len(pairs) else np.zeros(len(codes), np.int64)
    columns: dict[str, object] = {ITEM_ID: item_ids[owners], OTHER_ID: item_ids[others]}
    columns |= {"kind": [*kinds, *["shared"] * len(shared[0])], "strength": np.concatenate([weights, shared[2]])}
    _write(directory / "complements.parquet", columns | {"sold": times})

    weight_NK = relations.substitutes.weights()
    item, place = np.nonzero(relations.substitutes.items_K >= 0)
    other = relations.substitutes.items_K[item, place]
    columns = {ITEM_ID: item_ids[item], OTHER_ID: item_ids[other], "strength": weight_NK[item, place]}
    _write(directory / "substitutes.parquet", columns)

    rising = np.array([KINDS[kind].ladder for kind in goods.kind_N])
    below = np.flatnonzero(rising[:-1] & (goods.family_N[:-1] == goods.family_N[1:]))
    columns = {"ladder": goods.family_N[below], "rung": goods.rung_N[below], ITEM_ID: item_ids[below]}
    _write(directory / "ladders.parquet", columns | {"up_id": item_ids[below + 1]})


def _directed(goods: Goods, relations: Relations) -> tuple[Ints, Ints, Floats, list[str]]:
    lists = relations.complements
    item, place = np.nonzero(lists.items_K[goods.family_N] >= 0)
    family = goods.family_N[item]
    kinds = [relations.why_FK[row][column] for row, column in zip(family.tolist(), place.tolist(), strict=True)]
    return item, lists.items_K[family, place], lists.weights()[family, place], list(kinds)


def _shared(goods: Goods, relations: Relations, *, known: set[int]) -> tuple[Ints, Ints, Floats]:
    """Pairs of complements of one family, which are bought together too: the case and the charger of one phone."""
    weights_FK = relations.complements.weights()
    pairs: dict[tuple[int, int], float] = {}
    for row, weights in zip(relations.complements.items_K.tolist(), weights_FK.tolist(), strict=True):
        for place, item in enumerate(row):
            for other_place, other in enumerate(row):
                new = min(item, other) >= 0 and goods.kind_N[item] != goods.kind_N[other]
                if new and item * len(goods) + other not in known:
                    strength = weights[place] * weights[other_place]
                    pairs[item, other] = max(strength, pairs.get((item, other), 0.0))
    ordered = sorted(pairs)
    items, others = np.array(ordered, np.int64).reshape(-1, 2).T
    return items, others, np.array([pairs[pair] for pair in ordered])


def write_stock(path: Path, goods: Goods, demand: Demand) -> None:
    """Write stock.parquet: one row per out-of-stock spell, from (inclusive) until (exclusive), UTC milliseconds."""
    item, spell = np.nonzero(demand.gone_from_NK < FAR)
    columns = {
        ITEM_ID: np.array(goods.item_ids())[item],
        "from": demand.gone_from_NK[item, spell],
        "until": demand.gone_until_NK[item, spell],
    }
    _write(path, columns)


def write_scenes(path: Path, goods: Goods, scenes: Scenes) -> None:
    """Write scenes.parquet: each scene's items in the order shown."""
    count, places = scenes.items_RK.shape
    columns = {
        SCENE_ID: ids("live", np.repeat(np.arange(count), places)),
        ITEM_ID: np.array(goods.item_ids())[scenes.items_RK.ravel()],
        "place": np.tile(np.arange(places), count),
    }
    _write(path, columns)


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    pq.write_table(pa.table(columns), path, compression="zstd")
