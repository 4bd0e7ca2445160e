"""The target's rank among its rivals, for whole grids of a blend's weights at once.

A grid search asks for the same ranks thousands of times, so all that no weight can change is settled first: a case
without an entry of its target is a miss, and an entry that is behind the target in score, votes and trend stays behind,
one that is ahead stays ahead, where neither is repeated. What is left lies in rectangles that fit into the cache. A
bonus concerns few entries: only those are compared anew, except where the target itself gets it.

Numbers are added in the order and the precision of the blend itself, so a tie here is a tie there. Ties rank above the
target. Weights of votes and trends must not be negative.

Shapes: E entries of all cases, C cases in play, G grid values, P padded entries of all rectangles (flat), Q of them
that the session or an earlier one holds, R rows and W columns of one rectangle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from training.learning.blend_candidates import Entries

AT: Final = 20
WORTH: Final = np.array([0.0, *(1 + 1 / rank for rank in range(1, AT + 1)), 0.0])
"""Recall@20 + MRR@20 by rank; the last one is for all ranks beyond."""
SETTLED: Final = 1e-3
"""A lead in score that rounding cannot turn, whatever the weights."""
CELLS: Final = 2**16
"""Entries of a rectangle: with its four arrays, half of a core's cache."""
WORD: Final = 64
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rectangle:
    """Cases of one kind and of similar size: their range, and where their entries lie in the flat arrays."""

    first: int
    end: int
    start: int
    width: int
    kind: int

    @property
    def flat(self) -> slice:
        """Range of the entries."""
        return slice(self.start, self.start + (self.end - self.first) * self.width)

    def of(self, values_P: Floats) -> Floats:
        """The entries [R, W]."""
        return values_P[self.flat].reshape(-1, self.width)


class Rivals:
    """Entries that the weights can put before or behind their case's target, case by case in rectangles.

    Attributes:
        ranks_C: rank of the target among what is settled.
        asked_C: behaviour asked for, ascending.
        kind_C: index of the target's repeat bonus; ``repeats`` for none, ``repeats + 1`` if earlier sessions hold it.
        place_Q, case_Q, back_Q, past_Q: entries that may get a bonus: where they lie, whose they are, and which.
    """

    def __init__(self, entries: Entries, *, repeats: int) -> None:
        self.repeats = repeats
        sizes = np.diff(entries.offsets_C)
        case_E = np.repeat(np.arange(len(sizes)), sizes)
        in_play = entries.target_C >= 0
        if not in_play.any():
            entries, in_play, case_E = entries.only(np.zeros(0, np.int64)), in_play[:0], case_E[:0]
        target_C = entries.target_C
        target_E = np.where(in_play, target_C, 0)[case_E]
        plain_E = (entries.back_E == repeats) & (entries.past_E == 0)
        ahead_E = entries.scores_E - entries.scores_E[target_E]
        more_E = entries.votes_E - entries.votes_E[target_E]
        rising_E = entries.trends_E - entries.trends_E[target_E]
        both_E = plain_E & plain_E[target_E]
        behind_E = both_E & (ahead_E < -SETTLED) & (more_E <= 0) & (rising_E <= 0)
        before_E = both_E & (ahead_E > SETTLED) & (more_E >= 0) & (rising_E >= 0)
        ranks_C = 1 + np.bincount(case_E[before_E], minlength=len(in_play))
        in_play = in_play & (ranks_C <= AT)
        kept = np.flatnonzero(~behind_E & ~before_E & in_play[case_E] & (np.arange(len(case_E)) != target_E))
        left_C = np.bincount(case_E[kept], minlength=len(in_play))
        played = np.flatnonzero(in_play)
        back_C, past_C = entries.back_E[target_C[played]], entries.past_E[target_C[played]]
        kind_C = back_C + ((back_C == repeats) & (past_C != 0))
        order = np.lexsort((left_C[played], kind_C, entries.asked_C[played]))
        played, self.kind_C = played[order], kind_C[order]
        self.ranks_C, self.asked_C = ranks_C[played], entries.asked_C[played]
        self.own = tuple(array[target_C[played]] for array in (entries.scores_E, entries.votes_E, entries.trends_E))
        self.past_C = entries.past_E[target_C[played]]
        self.rectangles, starts_C = _rectangles(self.asked_C, self.kind_C, left_C[played])
        position_C = np.zeros(len(in_play), np.int64)
        position_C[played] = np.arange(len(played))
        case = position_C[case_E[kept]]
        firsts_C = np.cumsum(left_C) - left_C
        place = starts_C[case] + np.arange(len(kept)) - firsts_C[case_E[kept]]
        length = self.rectangles[-1].flat.stop if self.rectangles else 0
        self.scores_P = np.full(length, -np.inf, np.float32)
        self.scores_P[place] = entries.scores_E[kept]
        self.votes_P, self.trends_P = np.zeros((2, length), np.float32)
        self.votes_P[place], self.trends_P[place] = entries.votes_E[kept], entries.trends_E[kept]
        held = np.flatnonzero(~plain_E[kept])
        held = held[np.argsort(place[held])]
        self.place_Q, self.case_Q = place[held], case[held]
        self.back_Q, self.past_Q = entries.back_E[kept][held], entries.past_E[kept][held]


def _rectangles(asked_C: Ints, kind_C: Ints, sizes_C: Ints) -> tuple[list[Rectangle], Ints]:
    """Cut sorted cases into rectangles; returns them and each case's start in the flat arrays."""
    found: list[Rectangle] = []
    starts_C = np.zeros(len(sizes_C), np.int64)
    keys = asked_C * (kind_C.max(initial=0) + 1) + kind_C
    bounds = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(keys)]
    start = 0
    for first, end in pairwise(bounds):
        while first < end:
            widths = np.maximum(-(-sizes_C[first:end] // WORD), 1) * WORD
            rows = max(1, int(np.count_nonzero(widths * np.arange(1, len(widths) + 1) <= CELLS)))
            each = Rectangle(first, first + rows, start, int(widths[rows - 1]), int(kind_C[first]))
            starts_C[first : first + rows] = start + np.arange(rows) * each.width
            found.append(each)
            start, first = each.flat.stop, first + rows
    return found, starts_C


class Contest:
    """Ranks of the targets of one behaviour's cases, or of all, under any weights; votes are on one floor's scale.

    Args:
        votes_P, own_votes_C: the rivals' votes and the targets'.
        asked: the behaviour; None for all cases.
    """

    def __init__(self, rivals: Rivals, votes_P: Floats, own_votes_C: Floats, *, asked: int | None) -> None:
        first, end = 0, len(rivals.asked_C)
        if asked is not None:
            first, end = np.searchsorted(rivals.asked_C, [asked, asked + 1]).tolist()
        self.first, self.cases = first, slice(first, end)
        self.rectangles = [each for each in rivals.rectangles if first <= each.first < end]
        flat = [each.flat for each in self.rectangles]
        self.flat = slice(flat[0].start, flat[-1].stop) if flat else slice(0, 0)
        self.held = slice(*np.searchsorted(rivals.place_Q, [self.flat.start, self.flat.stop]).tolist())
        self.rivals, self.votes_P, self.own_votes_C = rivals, votes_P, own_votes_C[self.cases]

    def ranks(self, tried: Sequence[tuple[float, float]], *, repeats: Sequence[float] = (), pull: float = 0.0) -> Ints:
        """Ranks [G, C] for pairs of a weight and a trend's weight, all else being equal."""
        rivals, cases, held = self.rivals, self.cases, self.held
        bonuses = np.array([*(repeats or [0.0] * rivals.repeats), 0.0], np.float32)
        bonus_Q = bonuses[rivals.back_Q[held]]
        pull_Q = np.float32(pull) * rivals.past_Q[held]
        any_bonus = bool(bonus_Q.any() or pull_Q.any())
        bounds = np.searchsorted(rivals.place_Q[held], [each.start for each in self.rectangles] + [self.flat.stop])
        ranks_GC = np.tile(rivals.ranks_C[cases], (len(tried), 1))
        own_GC = np.stack([self._own(weight, trend, bonuses, pull) for weight, trend in tried])
        for number, each in enumerate(self.rectangles):
            scores_RW, votes_RW, trends_RW = (
                each.of(array) for array in (rivals.scores_P, self.votes_P, rivals.trends_P)
            )
            blended_RW, part_RW = np.empty((2, *scores_RW.shape), np.float32)
            inside = slice(int(bounds[number]), int(bounds[number + 1]))
            places = rivals.place_Q[held][inside] - each.start
            rows = slice(each.first - self.first, each.end - self.first)
            for trial, (weight, trend) in enumerate(tried):
                np.multiply(votes_RW, np.float32(weight), out=blended_RW)
                blended_RW += scores_RW
                if trend:
                    blended_RW += np.multiply(trends_RW, np.float32(trend), out=part_RW)
                if any_bonus and len(places):
                    flat = blended_RW.reshape(-1)
                    flat[places] = flat[places] + bonus_Q[inside] + pull_Q[inside]
                ranks_GC[trial, rows] += _reaching(blended_RW, own_GC[trial, rows])
        return ranks_GC

    def _own(self, weight: float, trend: float, bonuses: Floats, pull: float) -> Floats:
        """What the targets reach [C]."""
        rivals, cases = self.rivals, self.cases
        scores_C, _, trends_C = (array[cases] for array in rivals.own)
        blended_C = scores_C + np.float32(weight) * self.own_votes_C + np.float32(trend) * trends_C
        blended_C += bonuses[np.minimum(rivals.kind_C[cases], rivals.repeats)]
        blended_C += np.float32(pull) * rivals.past_C[cases]
        return np.asarray(blended_C, np.float32)


class Bonuses:
    """Ranks of a contest while bonuses are found one after the other, the weight of the votes being known and that of
    the trends 0.

    Args:
        ranks_C: the ranks without a bonus.
    """

    def __init__(self, contest: Contest, weight: float, ranks_C: Ints) -> None:
        self.contest, self.ranks_C = contest, ranks_C
        rivals = contest.rivals
        self.blended_P = rivals.scores_P[contest.flat] + np.float32(weight) * contest.votes_P[contest.flat]
        self.own_C = contest._own(weight, 0.0, np.zeros(rivals.repeats + 1, np.float32), 0.0)
        self.place_Q = rivals.place_Q[contest.held] - contest.flat.start
        self.case_Q = rivals.case_Q[contest.held] - contest.first
        self.back_Q, self.past_Q = rivals.back_Q[contest.held], rivals.past_Q[contest.held]
        self.kind_C, self.past_C = rivals.kind_C[contest.cases], rivals.past_C[contest.cases]

    def repeat(self, place: int, tried: Sequence[float]) -> Ints:
        """Ranks [G, C] for values of one repeat bonus, which is 0 so far."""
        factor_Q, factor_C = (self.back_Q == place), (self.kind_C == place)
        return self._changed(tried, factor_Q.astype(np.float32), factor_C.astype(np.float32))

    def pulled(self, tried: Sequence[float]) -> Ints:
        """Ranks [G, C] for values of the coefficient of earlier sessions, which is 0 so far."""
        return self._changed(tried, self.past_Q, self.past_C)

    def take(self, place: int, bonus: float, ranks_C: Ints) -> None:
        """Give a repeat bonus for good."""
        self.blended_P[self.place_Q[self.back_Q == place]] += np.float32(bonus)
        self.own_C[self.kind_C == place] += np.float32(bonus)
        self.ranks_C = ranks_C

    def _changed(self, tried: Sequence[float], factor_Q: Floats, factor_C: Floats) -> Ints:
        """Ranks where entries and targets get a value times their factor."""
        chosen = np.flatnonzero(factor_Q)
        case, factor, before = self.case_Q[chosen], factor_Q[chosen], self.blended_P[self.place_Q[chosen]]
        moves_C, own_C = factor_C != 0, self.own_C
        ranks_GC = np.tile(self.ranks_C, (len(tried), 1))
        own_GC = np.stack([own_C + np.float32(value) * factor_C for value in tried])
        ranks_GC[:, moves_C] = self.contest.rivals.ranks_C[self.contest.cases][moves_C]
        for each in self.contest.rectangles:
            rows = slice(each.first - self.contest.first, each.end - self.contest.first)
            if moves_C[rows].any():
                local = slice(each.flat.start - self.contest.flat.start, each.flat.stop - self.contest.flat.start)
                blended_RW = self.blended_P[local].reshape(-1, each.width)
                for trial in range(len(tried)):
                    ranks_GC[trial, rows] += _reaching(blended_RW, own_GC[trial, rows]) * moves_C[rows]
        for trial, value in enumerate(tried):
            own = own_GC[trial, case]
            after = before + np.float32(value) * factor >= own
            gained = after.astype(np.int64) - (before >= own)  # for a target that moves, the rectangle counted before
            ranks_GC[trial] += np.bincount(case, gained, minlength=len(own_C)).astype(np.int64)
        return ranks_GC


def worth(ranks_GC: Ints) -> npt.NDArray[np.float64]:
    """Sum of recall@20 + MRR@20 over the cases [G]; equal where the ranks are equal, in whatever order."""
    clipped_GC = np.minimum(ranks_GC, AT + 1)
    return np.array([np.bincount(ranks_C, minlength=AT + 2) @ WORTH for ranks_C in clipped_GC])


def _reaching(blended_RW: Floats, own_R: Floats) -> Ints:
    """How many entries of each row reach its target."""
    bits = np.packbits(blended_RW >= own_R[:, None], axis=1).view(np.uint64)
    return np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
