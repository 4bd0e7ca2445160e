"""Rates of pairs, each shrunk towards what was believed before, by one kind of evidence after the other.

A kind of evidence is a count of sessions by pair: what was taken with the anchor, or looked at after the anchor was
taken. First the rest of the anchor's series speaks, then the pair itself, each by a gamma-Poisson posterior (DuMouchel,
1999): with expected count E and count n a rate is multiplied by (n + k) / (E + k), where k, how much support n
outweighs, is learned by maximum likelihood from all pairs that are considered, those never seen included.
Shapes: N items, P pairs, U different pairs, G series, K kin.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy import special

from training.mining.counting import Floats, Ints, Pairs

UNLEARNED: Final = 10.0
"""Support where no pair was seen at all: rates that all are too high and rates that differ cannot be told apart."""
SURE: Final = 0.95
SUPPORTS: Final = np.geomspace(0.01, 100, 41)


@dataclass(frozen=True)
class Considered:
    """The pairs whose rates are estimated, sorted by anchor, then item, each [P], of N items.

    Attributes:
        kin: number of the kin that makes each pair.
        series_N: series of each item; an item without one is alone in its own.
        trials_N: sessions that took each item, decayed with time.
        unit: what one session weighs, see ``counting.Acts``.
    """

    anchors: Ints
    items: Ints
    kin: Ints
    series_N: Ints
    trials_N: Floats
    unit: float = 1.0


class Shrunk(NamedTuple):
    """Rates after one kind of evidence.

    Attributes:
        rates, at_most: the rates [P], and what each is below with probability SURE.
        supports: the learned k of series and of pairs.
    """

    rates: Floats
    at_most: Floats
    supports: tuple[float, float]


def shrunk(rates: Floats, pairs: Considered, seen: Pairs, *, by_kin: bool = False) -> Shrunk:
    """Rates after one kind of evidence.

    Args:
        rates: before it.
        seen: the evidence, ``recent`` of each pair; pairs that are not considered do not count.
        by_kin: the counts say which items of a kin are meant, not how often the kin is taken: of each kin as many are
            expected as were seen.
    """
    size = len(pairs.series_N)
    recent = seen.recent / pairs.unit
    own = counts_of(seen.anchors * size + seen.items, recent, pairs.anchors * size + pairs.items)
    # the rest of the series: all of it less the anchor itself, so that nothing is counted twice
    trials_N = pairs.trials_N / pairs.unit
    trials_G = np.bincount(pairs.series_N, weights=trials_N)
    series = pairs.series_N[pairs.anchors]
    wanted = series * size + pairs.items
    keys, place = np.unique(pairs.series_N[seen.anchors] * size + seen.items, return_inverse=True)
    of_series = counts_of(keys, np.bincount(place, weights=recent, minlength=len(keys)), wanted)
    once_U = np.unique(wanted, return_index=True)[1]
    alone, trials = trials_N[pairs.anchors], trials_G[series]
    scale = 1.0
    if by_kin:
        due_K, had_K = (np.bincount(pairs.kin[once_U], weights=each[once_U]) for each in (trials * rates, of_series))
        scale = np.divide(had_K, due_K, out=np.zeros(len(due_K)), where=due_K > 0)[pairs.kin]
    expected = rates * scale
    by_series = support(of_series[once_U], (trials * expected)[once_U])
    more = (of_series - own + by_series) / ((trials - alone) * expected + by_series)
    by_pair = support(own, alone * expected * more)
    more *= (own + by_pair) / (alone * expected * more + by_pair)
    shape = own + by_pair  # of the posterior
    return Shrunk(rates * more, rates * more * special.gammaincinv(shape, SURE) / shape, (by_series, by_pair))


def counts_of(keys: Ints, counts: Floats, wanted: Ints) -> Floats:
    """Counts by ascending key, 0 for a wanted one that is not there."""
    if not len(keys):
        return np.zeros(len(wanted))
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0.0)


def support(counts: Floats, expected: Floats) -> float:
    """The k under which counts are likeliest, if each rate is expected times a gamma variable of mean 1 and shape k."""
    asked = expected > 0
    counts, expected = counts[asked], expected[asked]
    if not counts.any():
        return UNLEARNED
    worth = [
        float(
            (
                special.gammaln(counts + k)
                - special.gammaln(k)
                + k * np.log(k / (k + expected))
                + counts * np.log(expected / (k + expected))
            ).sum()
        )
        for k in SUPPORTS
    ]
    return float(SUPPORTS[int(np.argmax(worth))])
