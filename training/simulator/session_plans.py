"""Session plans, the latent state before the first click: shopper, time, intent, wanted items and preferred price.

First visits are drawn from demand; later visits follow from a purchase: a postponed accessory, a consumable that ran
out. A shopper often alternates between two wishes. Shapes: S sessions, 2 wishes, U shoppers, N items, B purchases.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from training.simulator import intents
from training.simulator.demand import Demand
from training.simulator.goods import DAY_MS, DEPARTMENTS, Floats, Goods, Ints
from training.simulator.products import KINDS
from training.simulator.scenes import Scenes
from training.simulator.shoppers import Shoppers
from training.simulator.true_relations import Relations

CONSUMABLE: Final = np.array([kind.consumable for kind in KINDS])
GIFT: Final = np.array([kind.gift for kind in KINDS])
DEPARTMENT: Final = np.array([DEPARTMENTS.index(kind.path.split(".")[0]) for kind in KINDS])
REPLENISH_DAYS: Final = 28.0
PUT_OFF_DAYS: Final = 3.0


@dataclass(frozen=True)
class World:
    """Everything that sessions are drawn from; ``end_ms`` is the end of the simulated period."""

    goods: Goods
    relations: Relations
    demand: Demand
    shoppers: Shoppers
    scenes: Scenes
    end_ms: int


@dataclass(frozen=True)
class Plans:
    """Latent state of S sessions at their start."""

    begin_S: Ints
    shopper_S: Ints
    known_S: Ints
    """1 if the log has the user id, 0 for an anonymous session."""
    intent_S: Ints
    wish_S2: Ints
    price_S: Floats
    """Preferred price position within a kind, 0 to 1."""
    desire_S: Floats
    scene_S: Ints
    """Scene that the session came from, or -1."""
    after_S: Ints
    """Session of the same batch that this one follows up on, or -1."""

    def __len__(self) -> int:
        return len(self.begin_S)

    def take(self, rows: Ints) -> "Plans":
        """Subset of the sessions' plans."""
        return Plans(*(getattr(self, field.name)[rows] for field in fields(self)))


def utility(world: World, shopper: Ints, price: Floats, item: Ints) -> Floats:
    """Utility of an item to a shopper from brand and price, about -1.5 to 1."""
    goods, shoppers = world.goods, world.shoppers
    brand = goods.brand_N[item]
    distance = np.abs(goods.position_N[item] - price) * (0.6 + 1.4 * shoppers.sensitivity_U[shopper])
    return 0.7 * (shoppers.brand(shopper, brand) == brand) + 0.3 - 1.3 * distance


def first_visits(rng: np.random.Generator, world: World, begin_S: Ints, *, anonymous: float, scenes: float) -> Plans:
    """Draw plans of sessions that start at ``begin_S``.

    Args:
        anonymous: share of the sessions without a user id.
        scenes: share of the sessions that come from a scene.
    """
    size = len(begin_S)
    shoppers = world.shoppers
    shopper = np.minimum(np.searchsorted(shoppers.arrival_U, rng.random(size)), len(shoppers.arrival_U) - 1)
    known = (rng.random(size) >= anonymous).astype(np.int64)
    intent = np.minimum(np.searchsorted(intents.SHARES, rng.random(size)), len(intents.INTENTS) - 1)
    price = np.clip(0.85 - 0.7 * shoppers.sensitivity_U[shopper] + rng.normal(0, 0.15, size), 0, 1)
    wish = np.stack([_wish(rng, world, begin_S, shopper, intent, price, kind=None), np.empty(size, np.int64)], axis=1)
    # the second wish is mostly of the same kind for comparing shoppers, of another kind for most others
    kind = world.goods.kind_N[wish[:, 0]]
    same = rng.random(size) < np.where(intent == intents.COMPARING, 0.7, 0.25)
    wish[:, 1] = _wish(rng, world, begin_S, shopper, intent, price, kind=np.where(same, kind, -1))
    owned = world.goods.family_N[wish[:, 0]]
    for place in range(2):
        goes = world.relations.complements.draw(owned, rng.random(size))
        wish[:, place] = np.where((intent == intents.ACCESSORY) & (goes >= 0), goes, wish[:, place])
    scene = np.where(rng.random(size) < scenes, world.scenes.at(begin_S), -1)
    return Plans(
        begin_S=begin_S,
        shopper_S=shopper,
        known_S=known,
        intent_S=intent,
        wish_S2=wish,
        price_S=price,
        desire_S=rng.normal(0, 0.8, size) + shoppers.eagerness_U[shopper],
        scene_S=scene,
        after_S=np.full(size, -1),
    )


def _wish(
    rng: np.random.Generator,
    world: World,
    begin: Ints,
    shopper: Ints,
    intent: Ints,
    price: Floats,
    *,
    kind: Ints | None,
) -> Ints:
    """Best of three popularity draws by utility, of the given kind if not -1, else of one that suits the intent."""
    size = len(begin)
    demand = world.demand
    drawn = demand.draw_kind(begin, rng.random(size))
    for _ in range(3):
        again = demand.draw_kind(begin, rng.random(size))
        misses = np.where(
            intent == intents.GIFT,
            ~GIFT[drawn],
            np.where(
                intent == intents.REPLENISHER,
                ~CONSUMABLE[drawn],
                (DEPARTMENT[drawn] != world.shoppers.department_U[shopper]) & (rng.random(size) < 0.5),
            ),
        )
        drawn = np.where(misses, again, drawn)
    if kind is not None:
        drawn = np.where(kind >= 0, kind, drawn)
    best = demand.draw_item(drawn, begin, rng.random(size))
    for _ in range(2):
        other = demand.draw_item(drawn, begin, rng.random(size))
        better = utility(world, shopper, price, other) > utility(world, shopper, price, best)
        best = np.where(better, other, best)
    return best


def later_visits(
    rng: np.random.Generator,
    world: World,
    plans: Plans,
    *,
    session_B: Ints,
    item_B: Ints,
    time_B: Ints,
    follow_up: float,
) -> Plans:
    """Draw follow-up visits to B purchases of known shoppers: for a complement, or to replenish the item."""
    size = len(session_B)
    again = CONSUMABLE[world.goods.kind_N[item_B]]
    goes = world.relations.complements.draw(world.goods.family_N[item_B], rng.random(size))
    also = world.relations.complements.draw(world.goods.family_N[item_B], rng.random(size))
    delay = np.where(again, rng.normal(REPLENISH_DAYS, 5, size), 0.1 + rng.exponential(PUT_OFF_DAYS, size))
    begin = time_B + (np.maximum(delay, 0.1) * DAY_MS).astype(np.int64)
    comes = (rng.random(size) < follow_up) & (plans.known_S[session_B] == 1) & (begin < world.end_ms - DAY_MS // 24)
    rows = np.flatnonzero(comes & (again | (goes >= 0)))
    size = len(rows)
    session, again = session_B[rows], again[rows]
    first = np.where(again, item_B[rows], goes[rows])
    second = np.where(also[rows] >= 0, also[rows], first)
    old = plans.take(session)
    return Plans(
        begin_S=begin[rows],
        shopper_S=old.shopper_S,
        known_S=np.ones(size, np.int64),
        intent_S=np.where(again, intents.REPLENISHER, intents.ACCESSORY),
        wish_S2=np.stack([first, second], axis=1),
        price_S=old.price_S,
        desire_S=rng.normal(0.4, 0.8, size) + world.shoppers.eagerness_U[old.shopper_S],
        scene_S=np.full(size, -1),
        after_S=session,
    )
