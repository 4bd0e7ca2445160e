"""Vectorised session simulation: one event per active session and step, until all sessions have ended.

Events change the shopper's state (a suitable item raises desire, an out-of-stock one lowers it), and desire, intent and
cart set the next event's probabilities, so a prefix is informative about the outcome but does not determine it. Shapes:
S sessions, H events remembered, C cart slots, N items, R scenes, K scene items; 2 wishes.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from training.simulator import intents
from training.simulator.goods import Floats, Ints
from training.simulator.intents import Mode
from training.simulator.scenes import SCENE_ITEMS
from training.simulator.session_plans import CONSUMABLE, Plans, World, utility

CLICK, CART, PURCHASE = range(3)
MOST_STEPS: Final = 48
CART_PLACES: Final = 4
STAGES: Final = 5
DESIRES: Final = 8
LOOKS: Final = 3
STATES: Final = len(intents.INTENTS) * STAGES * DESIRES * LOOKS
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Habits:
    """Behaviour settings from the config, common to all sessions."""

    noise: float
    revisit: float
    attach: float


@dataclass(frozen=True)
class Trail:
    """Simulated events, all sessions' first step, then the second, ...; ``session`` indexes the plans."""

    session: Ints
    item: Ints
    behaviour: Ints
    time: Ints
    quantity: Ints
    state: Ints
    """Latent state after the event, 0 to STATES - 1."""
    because: Ints
    """For a purchase, the cart item that this one was a complement to, or -1."""
    begin_state: Ints
    """Per session: latent state before the first event."""


@dataclass
class Visit:
    """State of the active sessions; every field has one row per session."""

    session: Ints
    time: Ints
    desire: Floats
    wish: Ints  # index of the current wish, 0 or 1
    looks: Ints
    last: Ints
    last_kind: Ints
    good: Floats  # utility of the last item
    best: Ints
    best_good: Floats
    seen: Bools  # whether the last item was seen before
    seen_H: Ints
    cart_C: Ints
    quantity_C: Ints
    because_C: Ints
    because: Ints  # cart item that the last item is a complement to, or -1
    carted: Ints
    bought: Ints
    paying: Bools
    scene_place: Ints
    keep: Bools  # stays active

    def only(self, rows: Bools) -> None:
        """Keep only the given sessions, in place."""
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[rows])


_COLUMNS: Final = tuple(column.name for column in fields(Visit))


def walk(rng: np.random.Generator, world: World, plans: Plans, habits: Habits) -> Trail:
    """Simulate all planned sessions."""
    visit = _arrive(plans)
    begin_state = _state(visit, plans)
    steps: list[tuple[Ints, ...]] = []
    for step in range(MOST_STEPS):
        if not len(visit.session):
            break
        if step:
            _pass_time(rng, visit)
        steps.append(_step(rng, world, plans, habits, visit, step))
        visit.only(visit.keep)
    columns = [np.concatenate(column) for column in zip(*steps, strict=True)]
    return Trail(*columns, begin_state=begin_state)


def _arrive(plans: Plans) -> Visit:
    size = len(plans)
    none = np.full(size, -1)
    places = np.full((size, CART_PLACES), -1)
    return Visit(
        session=np.arange(size),
        time=plans.begin_S.copy(),
        desire=plans.desire_S.copy(),
        wish=np.zeros(size, np.int64),
        looks=np.zeros(size, np.int64),
        last=none.copy(),
        last_kind=none.copy(),
        good=np.zeros(size),
        best=none.copy(),
        best_good=np.full(size, -9.0),
        seen=np.zeros(size, bool),
        seen_H=np.full((size, MOST_STEPS), -1),
        cart_C=places.copy(),
        quantity_C=np.ones((size, CART_PLACES), np.int64),
        because_C=places.copy(),
        because=none.copy(),
        carted=np.zeros(size, np.int64),
        bought=np.zeros(size, np.int64),
        paying=np.zeros(size, bool),
        scene_place=none.copy(),
        keep=np.ones(size, bool),
    )


def _pass_time(rng: np.random.Generator, visit: Visit) -> None:
    """Advance the clocks: log-normal dwell time, longer for suitable items; under half a second between purchases."""
    size = len(visit.session)
    seconds = np.exp(rng.normal(3.2, 0.8, size) + 0.5 * visit.good + 0.3 * visit.desire)
    seconds = np.where(visit.paying & (visit.last_kind == PURCHASE), rng.uniform(0.02, 0.4, size), seconds)
    visit.time = visit.time + np.maximum(1, seconds * 1000).astype(np.int64)


def _step(
    rng: np.random.Generator, world: World, plans: Plans, habits: Habits, visit: Visit, step: int
) -> tuple[Ints, ...]:
    """Simulate one event of each session that does not leave; sets ``visit.keep``."""
    size = len(visit.session)
    intent = plans.intent_S[visit.session]
    can_cart = (visit.last_kind == CLICK) & (visit.carted < CART_PLACES)
    can_cart &= ~(visit.cart_C == visit.last[:, None]).any(axis=1)
    pending = visit.carted > visit.bought
    cart = intents.CART[intent] + 0.55 * visit.desire + 0.9 * visit.good + 0.6 * visit.seen
    cart += np.where(visit.because >= 0, 2.0, 0.0)
    buy = intents.BUY[intent] + 0.45 * visit.desire - 0.25
    leave = intents.LEAVE[intent] - 0.25 * visit.desire + 0.03 * visit.looks + np.where(visit.bought > 0, 1.0, 0.0)
    weights = np.stack(
        [np.where(can_cart, np.exp(cart), 0), np.where(pending, np.exp(buy), 0), np.exp(leave) * (step > 0)], axis=1
    )
    choice = (rng.random(size)[:, None] * (1 + weights.sum(axis=1))[:, None] >= np.cumsum(weights, axis=1)).sum(axis=1)
    choice = np.where(visit.paying, 1, choice)  # 0 cart, 1 pay, 2 leave, 3 click

    behaviour = np.where(choice == 0, CART, np.where(choice == 1, PURCHASE, CLICK))
    to_pay = visit.cart_C[np.arange(size), np.minimum(visit.bought, CART_PLACES - 1)]
    item = np.where(choice == 1, to_pay, visit.last)
    clicks = np.flatnonzero(choice == 3)
    item[clicks] = _next_click(rng, world, plans, habits, visit, clicks)

    missing = (choice != 2) & ~world.demand.on_sale(item, visit.time)  # went out of stock since the click
    visit.desire = visit.desire - 0.5 * missing
    happens = (choice != 2) & ~missing & (visit.time < world.end_ms)
    visit.keep = (choice != 2) & (visit.time < world.end_ms)
    _drop_from_cart(visit, np.flatnonzero(missing & (choice == 1)))
    _remember(rng, world, plans, visit, np.flatnonzero(happens), item=item, behaviour=behaviour, step=step)

    rows = np.flatnonzero(happens)
    place = np.where(behaviour == PURCHASE, visit.bought - 1, visit.carted - 1)[rows].clip(0)
    carts = behaviour[rows] != CLICK
    quantity = np.where(carts, visit.quantity_C[rows, place], 1)
    because = np.where(behaviour[rows] == PURCHASE, visit.because_C[rows, place], -1)
    state = _state(visit, plans)[rows]
    return visit.session[rows], item[rows], behaviour[rows], visit.time[rows], quantity, state, because


def _next_click(rng: np.random.Generator, world: World, plans: Plans, habits: Habits, visit: Visit, rows: Ints) -> Ints:
    """Choose the clicked item of each given row."""
    size = len(rows)
    goods, relations = world.goods, world.relations
    session, time, last = visit.session[rows], visit.time[rows], visit.last[rows]
    intent, looks = plans.intent_S[session], visit.looks[rows]
    chance = rng.random((9, size))

    mode = (chance[0][:, None] >= intents.MODES[intent]).sum(axis=1).clip(0, len(Mode) - 1)
    held = visit.carted[rows] > 0
    # mostly complements of the first cart item, sometimes of the last, which is often itself an accessory
    asked = np.where(chance[1] < 0.7, 0, (visit.carted[rows] - 1).clip(0))
    lead = np.where(held, visit.cart_C[rows, asked], -1)
    attaches = held & (chance[2] < np.minimum(0.95, habits.attach * intents.GOES_WITH[intent]))
    mode = np.where(attaches, Mode.COMPLEMENT, mode)
    visit.wish[rows] = np.where(mode == Mode.OTHER_WISH, 1 - visit.wish[rows], visit.wish[rows])
    wanted = plans.wish_S2[session, visit.wish[rows]]

    rival = relations.substitutes.draw(wanted, chance[3])
    rival = np.where(rival >= 0, rival, wanted)
    shown = np.where(last >= 0, last, wanted)
    near = relations.substitutes.draw(shown, chance[3])
    goes = relations.complements.draw(goods.family_N[np.where(held, lead, wanted)], chance[3])
    direction = np.where(goods.position_N[shown] > plans.price_S[session], -1, 1)
    rung = np.clip(shown + direction, 0, len(goods) - 1)
    rung = np.where(goods.family_N[rung] == goods.family_N[shown], rung, np.where(near >= 0, near, rival))
    popular = world.demand.draw_item(goods.kind_N[wanted], time, chance[3])
    target = np.where(chance[4] < 0.5, wanted, rival)
    item = np.select(
        [mode == Mode.LADDER, mode == Mode.RIVAL_OF_LAST, mode == Mode.COMPLEMENT, mode == Mode.CATEGORY],
        [rung, np.where(near >= 0, near, rival), np.where(goes >= 0, goes, rival), popular],
        np.where(mode == Mode.OTHER_WISH, target, rival),
    )
    item = np.where(looks == 0, np.where(chance[4] < intents.DIRECT[intent], wanted, rival), item)

    scene = plans.scene_S[session]
    follows = (scene >= 0) & (chance[5] < 0.6) & ~attaches
    visit.scene_place[rows] += follows
    item = np.where(follows, world.scenes.items_RK[scene, visit.scene_place[rows].clip(0) % SCENE_ITEMS], item)

    back = (looks >= 2) & (chance[6] < habits.revisit * intents.REVISITS[intent]) & ~attaches
    distance = 1 + (chance[7] * np.minimum(4, looks - 1)).astype(np.int64)
    earlier = visit.seen_H[rows, (looks - 1 - distance).clip(0)]
    earlier = np.where((chance[4] < 0.55) & (visit.best[rows] != last), visit.best[rows], earlier)
    item = np.where(back & (earlier >= 0), earlier, item)
    item = np.where(item == last, np.where(near >= 0, near, item), item)

    wanders = chance[8] < habits.noise
    kind = world.demand.draw_kind(time, chance[0])
    item = np.where(wanders, world.demand.draw_item(kind, time, chance[3]), item)
    fits = (goes >= 0) & (item == goes) & held & (mode == Mode.COMPLEMENT) & ~wanders
    item = world.demand.settle(rng, item, time, relations.substitutes)
    visit.because[rows] = np.where(fits & (item == goes), lead, -1)
    return item


def _drop_from_cart(visit: Visit, rows: Ints) -> None:
    """Remove the next item to pay from the cart, as it is out of stock; later slots move up."""
    places = np.arange(CART_PLACES)
    source = places + (places >= visit.bought[rows][:, None])
    for column, empty in ((visit.cart_C, -1), (visit.quantity_C, 1), (visit.because_C, -1)):
        moved = np.take_along_axis(column[rows], source.clip(max=CART_PLACES - 1), axis=1)
        column[rows] = np.where(source < CART_PLACES, moved, empty)
    visit.carted[rows] -= 1
    visit.paying[rows] = visit.carted[rows] > visit.bought[rows]


def _remember(
    rng: np.random.Generator,
    world: World,
    plans: Plans,
    visit: Visit,
    happened: Ints,
    *,
    item: Ints,
    behaviour: Ints,
    step: int,
) -> None:
    """Update the shoppers' state and carts with the events."""
    rows = happened[behaviour[happened] == CLICK]
    session = visit.session[rows]
    clicked = item[rows]
    visit.seen[rows] = (visit.seen_H[rows, :step] == clicked[:, None]).any(axis=1)
    visit.seen_H[rows, visit.looks[rows]] = clicked
    good = utility(world, plans.shopper_S[session], plans.price_S[session], clicked)
    good += np.where((clicked[:, None] == plans.wish_S2[session]).any(axis=1), 0.5, 0.0)
    good += rng.normal(0, 0.4, len(rows))
    visit.good[rows] = good
    better = good > visit.best_good[rows]
    visit.best[rows] = np.where(better, clicked, visit.best[rows])
    visit.best_good[rows] = np.maximum(good, visit.best_good[rows])
    visit.desire[rows] = np.clip(visit.desire[rows] + 0.15 * good - 0.05, -2.5, 2.5)
    visit.last[rows] = clicked
    visit.looks[rows] += 1

    rows = happened[behaviour[happened] == CART]
    place = visit.carted[rows]
    several = CONSUMABLE[world.goods.kind_N[item[rows]]] & (rng.random(len(rows)) < 0.3)
    visit.cart_C[rows, place] = item[rows]
    visit.quantity_C[rows, place] = np.where(several, rng.integers(2, 4, len(rows)), 1)
    visit.because_C[rows, place] = visit.because[rows]
    visit.carted[rows] += 1

    rows = happened[behaviour[happened] == PURCHASE]
    visit.bought[rows] += 1
    visit.paying[rows] = visit.carted[rows] > visit.bought[rows]
    visit.last_kind[happened] = behaviour[happened]


def _state(visit: Visit, plans: Plans) -> Ints:
    """Encode the latent state as one integer: intent, cart stage, desire bin and click-count bin."""
    pending = visit.carted > visit.bought
    stage = np.where(visit.paying, 4, pending + 2 * (visit.bought > 0))
    desire = np.clip(((visit.desire + 2.0) * 2).astype(np.int64), 0, DESIRES - 1)
    looks = np.searchsorted([3, 8], visit.looks, side="left")
    return ((plans.intent_S[visit.session] * STAGES + stage) * DESIRES + desire) * LOOKS + looks
