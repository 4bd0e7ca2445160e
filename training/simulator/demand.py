"""Demand and availability over time: seasons, long-tailed popularity, novelty boosts, out-of-stock spells.

Time is divided into periods of at least a week with constant weights. The first item of each kind is evergreen, always
on sale, so a shopper always finds something. Shapes: P periods, N items, F families, T kinds, K spells, E draws.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from training.simulator.goods import DAY_MS, Floats, Goods, Ints
from training.simulator.products import KINDS
from training.simulator.true_relations import Lists

ZIPF: Final = 0.75
SPELL_DAYS: Final = 5.0
MOST_PERIODS: Final = 64
FAR: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Demand:
    """Time-dependent distributions over kinds and items, and item availability.

    Attributes:
        start_ms, period_ms: start of the first period in epoch milliseconds, length of a period.
        kind_cumulative, item_cumulative: [P * T] and [P * N], the periods' CDFs concatenated; the CDF of period p runs
            from p to p + 1, so that one searchsorted serves all periods.
        goods: the items.
        evergreen_T: the first item of each kind.
        gone_from_NK, gone_until_NK: half-open out-of-stock spells in epoch milliseconds, padded with FAR.
    """

    start_ms: int
    period_ms: int
    kind_cumulative: Floats
    item_cumulative: Floats
    goods: Goods
    evergreen_T: Ints
    gone_from_NK: Ints
    gone_until_NK: Ints

    def period(self, time_E: Ints) -> Ints:
        """Period of each time, clipped to the last one, int64 [E]."""
        last = len(self.kind_cumulative) // len(KINDS) - 1
        return np.minimum((time_E - self.start_ms) // self.period_ms, last)

    def draw_kind(self, time_E: Ints, chance_E: Floats) -> Ints:
        """Sample a kind by the period's weights, int64 [E]; ``chance_E`` is uniform in [0, 1)."""
        period = self.period(time_E)
        place = np.searchsorted(self.kind_cumulative, period + chance_E, side="right")
        return np.minimum(place - period * len(KINDS), len(KINDS) - 1)

    def draw_item(self, kind_E: Ints, time_E: Ints, chance_E: Floats) -> Ints:
        """Sample an item of the given kind by its popularity at that time, int64 [E]."""
        first, end = self.goods.kind_ranges[kind_E], self.goods.kind_ranges[kind_E + 1]
        row = self.period(time_E) * len(self.goods)
        low = np.where(first > 0, self.item_cumulative[row + first - 1], row // len(self.goods))
        high = self.item_cumulative[row + end - 1]
        place = np.searchsorted(self.item_cumulative, low + chance_E * (high - low), side="right")
        return np.clip(place - row, first, end - 1)

    def on_sale(self, item_E: Ints, time_E: Ints) -> npt.NDArray[np.bool_]:
        """Whether each item is launched and not in an out-of-stock spell, bool [E]."""
        gone = (self.gone_from_NK[item_E] <= time_E[:, None]) & (time_E[:, None] < self.gone_until_NK[item_E])
        return (self.goods.launch_N[item_E] <= time_E) & ~gone.any(axis=1)

    def settle(self, rng: np.random.Generator, item_E: Ints, time_E: Ints, substitutes: Lists) -> Ints:
        """Replace items that are not on sale by a substitute (two attempts), else by the kind's evergreen."""
        settled = item_E.copy()
        for _ in range(2):
            bad = np.flatnonzero(~self.on_sale(settled, time_E))
            if not len(bad):
                return settled
            other = substitutes.draw(settled[bad], rng.random(len(bad)))
            settled[bad] = np.where(other >= 0, other, settled[bad])
        bad = ~self.on_sale(settled, time_E)
        return np.where(bad, self.evergreen_T[self.goods.kind_N[settled]], settled)


def make_demand(
    rng: np.random.Generator, goods: Goods, *, start_ms: int, days: int, day_of_year: int, out_of_stock: float
) -> Demand:
    """Draw the weights of every period, and out-of-stock spells that cover a share ``out_of_stock`` of the time."""
    periods = int(np.clip(days // 7, 1, MOST_PERIODS))
    period_ms = -(-days * DAY_MS // periods)
    middle_P = day_of_year + (np.arange(periods) + 0.5) * period_ms / DAY_MS
    peak_T = np.array([kind.peak for kind in KINDS])
    swing_T = np.array([kind.swing for kind in KINDS])
    wave_PT = 1 + swing_T * np.cos(2 * np.pi * (middle_P[:, None] - peak_T) / 365.25)
    drift_PT = np.exp(np.cumsum(rng.normal(0, 0.05, (periods, len(KINDS))), axis=0))
    kind_PT = np.array([kind.pull for kind in KINDS]) * wave_PT * drift_PT

    evergreen_T = goods.kind_ranges[:-1].copy()
    gone_from, gone_until = _spells(rng, goods, start_ms=start_ms, days=days, share=out_of_stock, never=evergreen_T)
    item_PN = _popularity(rng, goods, start_ms + np.arange(periods) * period_ms, period_ms)
    return Demand(
        start_ms=start_ms,
        period_ms=period_ms,
        kind_cumulative=_end_to_end(kind_PT),
        item_cumulative=_end_to_end(item_PN),
        goods=goods,
        evergreen_T=evergreen_T,
        gone_from_NK=gone_from,
        gone_until_NK=gone_until,
    )


def _popularity(rng: np.random.Generator, goods: Goods, begin_P: Ints, period_ms: int) -> Floats:
    """Item weights [P, N]: Zipf over a kind's families, a boost for middle models, random drift, decaying novelty."""
    family_F = np.zeros(len(goods.families))
    kinds_F = np.array([family.kind for family in goods.families])
    for kind in range(len(KINDS)):
        members = np.flatnonzero(kinds_F == kind)
        family_F[members] = rng.permutation(np.arange(1, len(members) + 1) ** -ZIPF)
    model_N = np.exp(rng.normal(0, 0.35, len(goods))) * np.where(goods.rung_N == 1, 1.4, 1.0)
    drift_PF = np.exp(np.cumsum(rng.normal(0, 0.12, (len(begin_P), len(family_F))), axis=0))
    age_PN = (begin_P[:, None] + period_ms - goods.launch_N) / DAY_MS
    novelty_PN = np.where(goods.launch_N >= begin_P[0], 2.0 * np.exp(-np.maximum(age_PN, 0) / 28), 0.0)
    return (family_F * drift_PF)[:, goods.family_N] * model_N * (1 + novelty_PN) * (age_PN > 0)


def _end_to_end(weights: Floats) -> Floats:
    cumulative = np.cumsum(weights, axis=1)
    return (cumulative / cumulative[:, -1:] + np.arange(len(weights))[:, None]).ravel()


def _spells(
    rng: np.random.Generator, goods: Goods, *, start_ms: int, days: int, share: float, never: Ints
) -> tuple[Ints, Ints]:
    length = min(SPELL_DAYS, days / 2)
    count_N = rng.poisson(share * days / length, len(goods))
    count_N[never] = 0
    most = max(1, int(count_N.max()))
    used_NK = np.arange(most) < count_N[:, None]
    begin_NK = np.sort(np.where(used_NK, rng.random((len(goods), most)) * days * DAY_MS, np.inf), axis=1)
    end_NK = begin_NK + (0.25 + rng.exponential(length, (len(goods), most))) * DAY_MS
    end_NK[:, :-1] = np.minimum(end_NK[:, :-1], begin_NK[:, 1:])
    begin_NK, end_NK = (np.where(used_NK, when_NK, 0.0).astype(np.int64) + start_ms for when_NK in (begin_NK, end_NK))
    return np.where(used_NK, begin_NK, FAR), np.where(used_NK, end_NK, FAR)
