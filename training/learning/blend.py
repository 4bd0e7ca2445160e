"""Tunes session kNN on validation, and what its votes, repeats, trends and likeness weigh beside the model.

Coordinate-wise grid search by recall@20 + MRR@20 on validation cases: first the neighbourhood's settings by its votes
alone, then the blend with the model's scores, then likeness, at last the floor once more. Per case the model's top
items and the top candidates by votes contain whatever can reach the blend's top 20, so a grid point costs no second
pass over the catalogue.

Shapes: C cases, E entries of all cases (case by case), B cases of a batch, N rankable items, G grid values, P and Q
entries as in training.learning.rivals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.ranking import MISSED
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, IntArray, SessionMemory
from training.cli.progress import progress, step
from training.evaluation.ranking import quality
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases
from training.learning.blend_candidates import CANDIDATES, Candidates, Entries, case_rows
from training.learning.neighbour_votes import likeness_votes, neighbour_votes, strongest_of
from training.learning.rivals import Bonuses, Contest, Rivals, worth

SETTINGS_CASES: Final = 4_000
BLEND_CASES: Final = 8_000
SAMPLE_CASES: Final = 2_000
"""Cases on which all neighbourhoods are tried; the best of them meet again on BLEND_CASES."""
MIN_CASES: Final = 300
"""A behaviour with fewer validation cases takes the weights tuned on all cases together."""
AGE_DECAYS: Final = (0.0, 2.0, 1.0)
"""Not below 1: a faster decay suits the sessions right after the training part, but overfits to them."""
ITEM_DECAYS: Final = (4.0, 2.0, 1.0)
REACHES: Final = (4.0, 1.0, 0.25)
"""From nearly a bag of items (4) to hardly more than the next event (0.25), best for invoices in catalogue order."""
ALIKE: Final = (0.3, 1.0, 3.0, 8.0)
"""Grid of the weight of attribute likeness in the votes; above the last value it would outweigh past sessions."""
LEVEL: Final = 0.005
"""Relative difference in quality below which two settings count as equal."""
TREND_WEIGHTS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
WEIGHTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
FLOORS: Final = (1e-3, 3e-3, 1e-2, 0.1)
REPEATS: Final = 6
PULLS: Final = (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.0, -2.0, 3.0)
BONUSES: Final = (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.0, -2.0, 3.0, 4.0, -4.0, 6.0, -8.0)


Floors = tuple[float, ...]


@dataclass(frozen=True)
class Learned:
    """A neighbourhood, the best blend with its votes, and the trend weight per behaviour asked for."""

    reached: float
    settings: Neighbourhood
    blend: Blend
    trends: tuple[float, ...]
    votes_CN: csr_array


def choose_neighbours(sessions: Sessions, cases: Cases, *, items: int) -> SessionNeighbours:
    """Session kNN index of the training sessions, with the settings that rank validation cases best.

    Among settings within LEVEL of the best, the slowest decay is taken, then the longest reach.

    Args:
        sessions: the training part.
        cases: of the validation part.
        items: number of rankable items.
    """
    index = SessionNeighbours.fit(sessions, items=items, settings=Neighbourhood())
    chosen = spread(answerable(cases, items), SETTINGS_CASES)

    rows = list(case_rows(cases, chosen))
    sessions = [batch.session(row) for batch, targets_B, _ in rows for row in range(len(targets_B))]
    targets_C = np.concatenate([np.zeros(0, np.int64), *(targets_B for _, targets_B, _ in rows)])

    def best(tried: Sequence[Neighbourhood]) -> Neighbourhood:
        ranks: list[list[IntArray]] = [[np.zeros(0, np.int64)] for _ in tried]
        start = 0
        for chunk in _searched(index, sessions, tried):
            targets_B = targets_C[start : start + chunk[0].shape[0]]
            for found, votes_BN in zip(ranks, chunk, strict=True):
                found.append(_alone(votes_BN, targets_B))
            start += len(targets_B)
        reached = [quality(np.concatenate(found)) for found in ranks]
        return next(s for s, each in zip(tried, reached, strict=True) if each >= (1 - LEVEL) * max(reached))

    forgetting = best([Neighbourhood(item_decay=item, age_decay=age) for age, item in product(AGE_DECAYS, ITEM_DECAYS)])
    return index.under(best([replace(forgetting, reach=reach) for reach in REACHES]))


def learn_memory(
    scorer: Scorer,
    neighbours: SessionNeighbours,
    cases: Cases,
    *,
    trend_N: npt.NDArray[np.float32],
    behaviours: int,
    catalogue: Catalogue | None = None,
) -> tuple[SessionMemory, tuple[float, ...]]:
    """Blend of model scores and session kNN that ranks validation cases best; the neighbourhood is re-tuned with it.

    Beside the model, the best neighbourhood may have a faster age decay, a slower item decay and a shorter reach than
    alone. Likeness has one weight for items with and without past sessions.

    Args:
        scorer: the model alone, without trends.
        cases: of the validation part, which neither neighbours nor trends were fitted on.
        trend_N: trend of every rankable item.
        behaviours: number of behaviours.
        catalogue: source of the attributes for likeness; None: no likeness.

    Returns:
        The fitted memory, and the trend weight per behaviour asked for.
    """
    chosen, alone = spread(answerable(cases, len(trend_N)), BLEND_CASES), neighbours.settings
    ages = dict.fromkeys([alone.age_decay, alone.age_decay / 2, alone.age_decay / 4])
    nothing = Blend((0.0,) * behaviours, FLOORS[0], ((0.0,),) * behaviours)
    memory = SessionMemory.of(neighbours, nothing, catalogue)
    candidates = Candidates(scorer, cases, chosen, trend_N=trend_N, repeats=REPEATS)
    few = candidates
    if len(chosen) > SAMPLE_CASES:
        few = Candidates(scorer, cases, spread(chosen, SAMPLE_CASES), trend_N=trend_N, repeats=REPEATS)
        few = few if few.sessions else candidates

    def learned(
        candidates: Candidates, votes_CN: csr_array, settings: Neighbourhood, floors: Floors, likeness: float = 0.0
    ) -> Learned:
        reached, blend, trends = learn_blend(candidates.entries(votes_CN), behaviours=behaviours, floors=floors)
        return Learned(reached, settings, replace(blend, alike=(likeness, likeness)), trends, votes_CN)

    def blended(candidates: Candidates, tried: Sequence[Neighbourhood], floors: Floors) -> list[Learned]:
        found: list[list[csr_array]] = [[] for _ in tried]
        for chunk in _searched(neighbours, candidates.sessions, tried):
            for votes, votes_BN in zip(found, chunk, strict=True):
                votes.append(strongest_of(votes_BN, CANDIDATES))
        pairs = [(vstack(votes), settings) for votes, settings in zip(found, tried, strict=True) if votes]
        return [learned(candidates, *pair, floors) for pair in progress(pairs, "trying neighbourhoods")]

    if not candidates.sessions:
        empty = learned(candidates, csr_array((0, len(trend_N)), dtype=np.float32), alone, FLOORS)
        return replace(memory, blend=empty.blend), empty.trends

    def best_of(tried: Sequence[Neighbourhood], floors: Floors, finalists: int) -> Learned:
        ranked = sorted(blended(few, tried, floors), key=attrgetter("reached"), reverse=True)
        if few is not candidates:
            floor = (ranked[0].blend.floor,)
            ranked = blended(candidates, [each.settings for each in ranked[:finalists]], floor)
        return max(ranked, key=attrgetter("reached"))

    forgetting = [replace(alone, age_decay=age, item_decay=item) for age, item in product(ages, ITEM_DECAYS)]
    best = best_of(forgetting, FLOORS, finalists=2)
    floor = (best.blend.floor,)
    reaching = [replace(best.settings, reach=reach) for reach in REACHES if reach != alone.reach]
    best = max(best, best_of(reaching, floor, finalists=1), key=attrgetter("reached"))
    if memory.likeness is not None:
        [votes_CN] = map(vstack, zip(*_searched(neighbours, candidates.sessions, [best.settings]), strict=True))
        alike_CN = likeness_votes(memory.likeness, candidates.sessions, decay=best.settings.item_decay)
        needed = 1 + LEVEL
        for likeness in progress(ALIKE, "trying likeness"):
            both_CN = strongest_of(votes_CN + alike_CN * np.float32(likeness), CANDIDATES)
            tried = learned(candidates, both_CN, best.settings, floor, likeness)
            if tried.reached <= best.reached * needed:  # one hill, and likeness costs time in the server
                break
            best, needed = tried, 1.0
    others = tuple(each for each in FLOORS if each not in floor)
    again = learned(candidates, best.votes_CN, best.settings, others, best.blend.alike[0])
    best = max(best, again, key=attrgetter("reached"))
    return replace(memory, neighbours=neighbours.under(best.settings), blend=best.blend), best.trends


def learn_blend(
    entries: Entries, *, behaviours: int, floors: Floors | None = None
) -> tuple[float, Blend, tuple[float, ...]]:
    """Tune one floor, and per behaviour asked for weight, repeat bonuses, trend weight and earlier-session weight.

    Args:
        floors: the floors to try; None: FLOORS.

    Returns:
        The blend's quality on these cases, the blend, and the trend weight per behaviour.
    """
    cases_B, cases = np.bincount(entries.asked_C, minlength=behaviours), len(entries.asked_C)
    rivals, own_B = Rivals(entries, repeats=REPEATS), (cases_B >= MIN_CASES) & (cases_B < cases)
    best, found = -1.0, Blend((0.0,) * behaviours, FLOORS[0], ((0.0,) * REPEATS,) * behaviours)
    trends = (0.0,) * behaviours
    for floor in FLOORS if floors is None else floors:
        votes = [np.log1p(array / np.float32(floor)) for array in (rivals.votes_P, rivals.own[1])]
        whole = Contest(rivals, *votes, asked=None)
        alone_GC = whole.ranks([(weight, 0.0) for weight in WEIGHTS])
        common = None if own_B.all() else _tune(whole, alone_GC)
        tuned, total = [], 0.0
        for ask, apart in enumerate(own_B.tolist()):
            part = Contest(rivals, *votes, asked=ask)
            if apart or common is None:
                chosen, reached_C = _tune(part, alone_GC[:, part.cases])
            else:
                chosen, reached_C = common[0], common[1][part.cases]
            tuned.append(chosen)
            total += float(worth(reached_C[None])[0])
        if total > best:
            weights, repeats, trends, pulls = (tuple(each) for each in zip(*tuned, strict=True))
            best, found = total, Blend(weights, floor, repeats, earlier=pulls if any(pulls) else ())
    return best / max(cases, 1), found, trends


Weights = tuple[float, tuple[float, ...], float, float]


def _tune(contest: Contest, alone_GC: IntArray) -> tuple[Weights, IntArray]:
    """Weight, repeat bonuses, trend weight and earlier-session weight, by coordinate-wise grid search; ties go to the
    first grid value. The weight is searched again at the end.

    Args:
        alone_GC: ranks for each of WEIGHTS without anything else.

    Returns:
        The weights, and the ranks with them.
    """
    first = int(worth(alone_GC).argmax())
    weight, repeats = WEIGHTS[first], [0.0] * REPEATS
    bonuses = Bonuses(contest, weight, alone_GC[first])
    for place in range(REPEATS):
        ranks_GC = bonuses.repeat(place, BONUSES)
        taken = int(worth(ranks_GC).argmax())
        repeats[place] = BONUSES[taken]
        bonuses.take(place, BONUSES[taken], ranks_GC[taken])
    pull = (
        PULLS[int(worth(bonuses.pulled(PULLS)).argmax())] if bonuses.past_Q.any() or bonuses.past_C.any() else PULLS[0]
    )
    ranks_GC = contest.ranks([(weight, tried) for tried in TREND_WEIGHTS], repeats=repeats, pull=pull)
    trend = TREND_WEIGHTS[int(worth(ranks_GC).argmax())]
    ranks_GC = contest.ranks([(tried, trend) for tried in WEIGHTS], repeats=repeats, pull=pull)
    last = int(worth(ranks_GC).argmax())
    return (WEIGHTS[last], tuple(repeats), trend, pull), ranks_GC[last]


def _searched(
    index: SessionNeighbours, sessions: Sequence[IntArray], tried: Sequence[Neighbourhood]
) -> Iterator[list[csr_array]]:
    """Chunks of :func:`neighbour_votes`, told as progress."""
    with step("searching past sessions", len(sessions)) as searching:
        for chunk in neighbour_votes(index, sessions, tried):
            yield chunk
            searching.advance(chunk[0].shape[0])


def _alone(votes_BN: csr_array, targets_B: IntArray) -> IntArray:
    """Ranks [B] by the neighbours' votes alone; an item without votes is a miss."""
    sizes_B = np.diff(votes_BN.indptr)
    row = np.repeat(np.arange(len(targets_B)), sizes_B)
    own = votes_BN.indices == targets_B[row]
    own_B = np.full(len(targets_B), np.inf, np.float32)
    own_B[row[own]] = votes_BN.data[own]
    ranks_B = np.bincount(row[votes_BN.data >= own_B[row]], minlength=len(targets_B))
    return np.where(np.isfinite(own_B), ranks_B, MISSED)


def answerable(cases: Cases, items: int) -> npt.NDArray[np.int64]:
    """Indices of the cases with a non-empty prefix and a rankable target."""
    return np.flatnonzero((cases.targets_C < items) & (cases.prefix_lengths_C > 0))


def spread(cases: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    """At most ``limit`` of the cases, evenly spaced."""
    return cases[:: max(1, -(-len(cases) // limit))]
