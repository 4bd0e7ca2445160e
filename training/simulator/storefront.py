"""Visitors at the running shop: each has just put something into the cart, sees what the checkout offers, and acts.

What they think of an offer is the simulated shop's truth: they like what goes with what is in their cart. So what comes
of the answers can be read in the feedback, by the same rules as a real shop's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tillside.dataset import Dataset
from tillside.feedback import events as kinds
from training.simulator.visitors import Habits

PLACEMENT: Final = "checkout"
LIKED, NOT_LIKED = 0.9, 0.15
"""How much a visitor likes what goes with the cart, and anything else."""
ANYWAY: Final = 0.05
"""Chance that an order holds something that goes with the cart, whatever was shown."""
VISITS: Final = 2
"""Of a shopper."""
BATCH: Final = 500
"""Events that are reported at once."""
HABITS: Final = Habits(order=0.6, click=0.5)
Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Cart:
    """A session up to the moment at which ``anchor`` went into the cart."""

    session: tuple[Mapping[str, Any], ...]
    anchor: str


def carts_of(dataset: Dataset, *, longest: int = 10) -> list[Cart]:
    """The moments of the test part at which something went into the cart, with at most ``longest`` events before."""
    part, item_ids, names = dataset.part("test"), dataset.catalogue.item_ids, dataset.behaviours.names
    carts = []
    for start, end in zip(part.offsets[:-1], part.offsets[1:], strict=True):
        for at in range(start, end):
            if names[part.behaviours[at]] == kinds.CART:
                events = range(max(start, at - longest), at + 1)
                session = [{"item_id": item_ids[part.items[e]], "behaviour": names[part.behaviours[e]]} for e in events]
                carts.append(Cart(tuple(session), item_ids[part.items[at]]))
    return carts


@dataclass(frozen=True)
class Storefront:
    """The shop's side: whom it asks, whom it tells, and what its visitors like.

    Attributes:
        ask: a request's body to the answer.
        report: takes events, as the collector reads them.
        goes_with: the items that go with an item.
        prices: by item.
        now_ms: the shop's clock.
    """

    ask: Ask
    report: Callable[[Sequence[Mapping[str, Any]]], None]
    goes_with: Mapping[str, Sequence[str]]
    prices: Mapping[str, float]
    now_ms: Callable[[], int]

    def receive(self, carts: Sequence[Cart], *, visitors: int, seed: int) -> None:
        """Let visitors come, one after another, each with one of the carts."""
        rng = np.random.default_rng(seed)
        told: list[Mapping[str, Any]] = []
        for number in range(visitors):
            told += self.visit(carts[rng.integers(len(carts))], number, rng)
            if len(told) >= BATCH:
                self.report(told)
                told = []
        if told:
            self.report(told)

    def visit(self, cart: Cart, number: int, rng: np.random.Generator) -> list[Mapping[str, Any]]:
        """What one visitor does, as events; ``number`` counts the visits."""
        keys = {"shopper": f"visitor-{number // VISITS}", "session": f"visit-{number}"}
        body = {"session": cart.session, "placement": PLACEMENT, "cart": [{"item_id": cart.anchor}]}
        answer = self.ask(body | {"shopper_id": keys["shopper"], "session_id": keys["session"]})
        shown = {**keys, "recommendation_id": answer["recommendation_id"], "placement": PLACEMENT}
        time_ms, liked = self.now_ms(), self.goes_with.get(cart.anchor, ())
        events: list[Mapping[str, Any]] = []

        def note(kind: str, item: str, position: int) -> None:
            own = {"event_id": f"{number}-{kind}-{position}", "kind": kind, "time": time_ms}
            events.append({**own, **shown, "item": item, "position": position})

        added = []
        for position, item in enumerate((each["item_id"] for each in answer["items"]), 1):
            look, click, add, dismiss = rng.random(4)
            if look >= 1 / (1 + HABITS.decay * (position - 1)):
                continue
            note(kinds.IMPRESSION, item, position)
            liking = LIKED if item in liked else NOT_LIKED
            if click < HABITS.click * liking:
                note(kinds.CLICK, item, position)
                if add < HABITS.add:
                    note(kinds.CART, item, position)
                    added.append(item)
            elif dismiss < HABITS.dismiss * (1 - liking):
                note(kinds.DISMISS, item, position)
        order, anyway, which = rng.random(3)
        if order < HABITS.order:
            bought = [cart.anchor, *(item for item in added if rng.random() < HABITS.take)]
            if liked and anyway < ANYWAY:
                bought.append(liked[int(which * len(liked))])
            lines = [{"item": item, "price": self.prices[item]} for item in dict.fromkeys(bought)]
            own = {"event_id": f"{number}-order", "kind": kinds.PURCHASE, "time": time_ms}
            events.append({**own, **keys, "order_id": f"order-{number}", "lines": lines})
        return events
