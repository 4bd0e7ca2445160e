"""Visitors: virtual shoppers who see what they are shown, and whose every act is known with and without it.

Each visit's chances are drawn once, as numbers from 0 to 1, before anything is shown. What a list makes of them is a
pure function of the list, so the same visit can be lived through with any list or none, and the difference is the true
effect of the list. A visitor looks at a slot the less the further down it is, clicks what they like, adds some of it,
and buys: because of the recommendation, or what they came for anyway, which a recommendation may claim without having
earned it. What is seen and unwelcome is sometimes dismissed, and annoys: the visit's own order suffers.

Shapes: S shoppers, V visits, I items, M candidates of a visit, L slots, D dimensions of a taste.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.policy.file.values import DAY_MS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DIMENSIONS: Final = 8
DEGRADED: Final = 0.01
"""Share of answers that a fallback tier gives."""


@dataclass(frozen=True)
class Habits:
    """How visitors behave.

    Attributes:
        visits: of a shopper, in the mean; how often each one comes is geometric, as in most logs.
        days: length of the time, and of the time before it.
        order: chance of an order in a visit, in the mean over shoppers.
        value, spread: median of an order without recommendations, and the deviation of its logarithm.
        decay: the slot at position p is looked at with probability 1 / (1 + decay * (p - 1)).
        click: chance that what is looked at and liked to the full is clicked.
        add: chance that what was clicked goes into the cart.
        take: chance that what is in the cart is bought along with the visit's own order.
        impulse: chance that it is bought where there would be no order.
        dismiss: chance that what is looked at and not liked at all is dismissed.
        annoyance: share of the chance of an order that each dismissal costs.
    """

    visits: float = 10.0
    days: int = 14
    order: float = 0.12
    value: float = 60.0
    spread: float = 0.8
    decay: float = 0.4
    click: float = 0.25
    add: float = 0.4
    take: float = 0.5
    impulse: float = 0.06
    dismiss: float = 0.02
    annoyance: float = 0.2


class Visitors:
    """Shoppers, their visits, and the chances of each visit.

    Args:
        shoppers: how many.
        seed: draws all.
        items, candidates, slots: of the shop; of each visit; of each list.

    Attributes:
        shopper_V: whose visit it is; a shopper's first visit is within the time.
        times_V: ms since the time began.
        candidates_VM: items that a list may show.
        liking_VM: how much the visitor likes each, from 0 to 1.
    """

    def __init__(
        self,
        shoppers: int,
        *,
        seed: int,
        habits: Habits = Habits(),
        items: int = 500,
        candidates: int = 12,
        slots: int = 4,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.habits, self.shoppers, self.slots = habits, shoppers, slots
        tastes_SD = rng.normal(size=(shoppers, DIMENSIONS)).astype(np.float32)
        items_ID = rng.normal(size=(items, DIMENSIONS)).astype(np.float32)
        self.prices_I = np.round(np.exp(rng.normal(2.8, 0.6, items)), 2)
        visits_S = rng.geometric(1 / habits.visits, shoppers)
        self.shopper_V = np.repeat(np.arange(shoppers), visits_S)
        visits = len(self.shopper_V)
        self.times_V = np.sort(rng.integers(0, habits.days * DAY_MS, visits))
        rng.shuffle(self.shopper_V)
        self.candidates_VM = rng.integers(0, items, (visits, candidates))
        own_VD = tastes_SD[self.shopper_V]
        liked_VM = np.einsum("vd,vmd->vm", own_VD, items_ID[self.candidates_VM], optimize=True)
        self.liking_VM: Floats = 1 / (1 + np.exp(-0.6 * liked_VM.astype(np.float64)))
        self.needed_V = self.candidates_VM[np.arange(visits), rng.integers(0, candidates, visits)]
        self._ordering_S = np.clip(rng.gamma(2, habits.order / 2, shoppers), 0, 0.9)
        self._spending_S = np.exp(rng.normal(0, habits.spread / 2, shoppers))
        self._value_V = habits.value * self._spending_S[self.shopper_V] * np.exp(
            rng.normal(0, habits.spread / 2, visits)
        )  # fmt: skip
        self._order_V, self._degraded_V = rng.random(visits), rng.random(visits) < DEGRADED
        self._look_VL, self._click_VL, self._add_VL, self._take_VL, self._dismiss_VL = rng.random((5, visits, slots))
        self._before_seed = int(rng.integers(1 << 62))

    def __len__(self) -> int:
        return len(self.shopper_V)

    @property
    def looks_L(self) -> Floats:  # noqa: N802
        """Probability that a slot is looked at, by position: the true position bias."""
        found: Floats = 1 / (1 + self.habits.decay * np.arange(self.slots))
        return found

    def expected_clicks_VL(self, picks_VL: Ints) -> Floats:  # noqa: N802
        """Probability of a click on each slot of some lists: their true worth."""
        found: Floats = self.looks_L * self.habits.click * np.take_along_axis(self.liking_VM, picks_VL, 1)
        return found

    def lived(self, picks_VL: Ints | None, shown_V: npt.NDArray[np.bool_] | None = None) -> dict[str, Floats]:
        """What every visit comes to, by column [V].

        Args:
            picks_VL: places of the shown items among each visit's candidates; None if nothing is shown to anybody.
            shown_V: who is shown the list; all if None.
        """
        habits, visits = self.habits, len(self)
        chance_V = self._ordering_S[self.shopper_V]
        nothing_VL = np.zeros((visits, self.slots), bool)
        clicked_VL = added_VL = dismissed_VL = seen_VL = nothing_VL
        prices_VL, needed_VL = np.zeros((visits, self.slots)), nothing_VL
        if picks_VL is not None:
            liking_VL = np.take_along_axis(self.liking_VM, picks_VL, 1)
            seen_VL, clicked_VL = self._seen_and_clicked(liking_VL, shown_V)
            items_VL = np.take_along_axis(self.candidates_VM, picks_VL, 1)
            prices_VL, needed_VL = self.prices_I[items_VL], items_VL == self.needed_V[:, None]
            added_VL = clicked_VL & (self._add_VL < habits.add)
            dismissed_VL = seen_VL & ~clicked_VL & (self._dismiss_VL < habits.dismiss * (1 - liking_VL))
        ordered_V = self._order_V < chance_V * (1 - habits.annoyance) ** dismissed_VL.sum(1)
        along_VL = added_VL & ~needed_VL & (self._take_VL < habits.take) & ordered_V[:, None]
        alone_VL = added_VL & (self._take_VL < habits.impulse) & ~ordered_V[:, None]
        extra_VL = along_VL | alone_VL
        claimed_VL = added_VL & needed_VL & ordered_V[:, None]  # bought anyway
        orders_V = ordered_V | alone_VL.any(1)
        own_V = ordered_V * (self._value_V + self.prices_I[self.needed_V])
        shown = np.ones(visits) if shown_V is None else shown_V.astype(float)
        counts: Mapping[str, npt.NDArray[np.generic]] = {
            "revenue": own_V + (extra_VL * prices_VL).sum(1),
            "orders": orders_V,
            "lines": 2 * ordered_V + extra_VL.sum(1),
            "seen": seen_VL.sum(1),
            "clicks": clicked_VL.sum(1),
            "carts": added_VL.sum(1),
            "bought": (extra_VL | claimed_VL).sum(1),
            "dismissed": dismissed_VL.sum(1),
            "answers": np.ones(visits),
            "degraded": self._degraded_V,
            "anchored": shown if picks_VL is not None else np.zeros(visits),
            "anchor_bought": ordered_V * (shown if picks_VL is not None else 0.0),
        }
        return {name: np.asarray(column, np.float64) for name, column in counts.items()}

    def clicks_VL(self, picks_VL: Ints) -> npt.NDArray[np.bool_]:  # noqa: N802
        """Which slots of some lists are clicked, as :meth:`lived` counts them."""
        return self._seen_and_clicked(np.take_along_axis(self.liking_VM, picks_VL, 1), None)[1]

    def _seen_and_clicked(
        self, liking_VL: Floats, shown_V: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        seen_VL = self._look_VL < self.looks_L
        if shown_V is not None:
            seen_VL = seen_VL & shown_V[:, None]
        return seen_VL, seen_VL & (self._click_VL < self.habits.click * liking_VL)

    def by_shopper(self, columns: Mapping[str, Floats]) -> dict[str, Floats]:
        """Sums of visits' columns by shopper [S], with ``converted``."""
        sums = {
            name: np.bincount(self.shopper_V, weights=column, minlength=self.shoppers)
            for name, column in columns.items()
        }
        return sums | {"converted": (sums["orders"] > 0).astype(float)}

    @cached_property
    def before(self) -> dict[str, Floats]:
        """Orders of the same shoppers in as long a time before, without recommendations [S]."""
        rng = np.random.default_rng(self._before_seed)
        visits = len(self)
        ordered_V = rng.random(visits) < self._ordering_S[self.shopper_V]
        spent_V = self.habits.value * self._spending_S[self.shopper_V]
        spent_V = spent_V * np.exp(rng.normal(0, self.habits.spread / 2, visits))
        own = self.by_shopper({"revenue": ordered_V * spent_V, "orders": ordered_V * 1.0, "lines": ordered_V * 2.0})
        return {f"{name}_before": column for name, column in own.items()}

    @cached_property
    def first_S(self) -> Ints:  # noqa: N802
        """Time of each shopper's first visit [S]."""
        found = np.full(self.shoppers, np.iinfo(np.int64).max)
        np.minimum.at(found, self.shopper_V, self.times_V)
        return found


def best(scores_VM: Floats, slots: int) -> Ints:
    """Places of the highest scores of each visit, best first [V, L]."""
    return np.argsort(-scores_VM, axis=1, kind="stable")[:, :slots]


def drawn(scores_VM: Floats, slots: int, *, temperature: float, rng: np.random.Generator) -> Ints:
    """Lists drawn by Plackett-Luce with weights score ** (1 / temperature), as a placement that explores draws them."""
    noise_VM = rng.gumbel(size=scores_VM.shape)
    return best(np.log(scores_VM) / temperature + noise_VM, slots)


def chances_of(picks_VL: Ints, scores_VM: Floats, *, temperature: float) -> Floats:
    """Probability of each slot of some lists under such a draw, given the slots before it [V, L]."""
    weights_VM = (scores_VM / scores_VM.max(1, keepdims=True)) ** (1 / temperature)
    own_VL = np.take_along_axis(weights_VM, picks_VL, 1)
    taken_VL = np.cumsum(own_VL, axis=1) - own_VL
    found: Floats = own_VL / (weights_VM.sum(1, keepdims=True) - taken_VL)
    return found
