"""Tunes session kNN on validation, and what its votes, repeats, trends and likeness weigh beside the model.

Coordinate-wise grid search by recall@20 + MRR@20 on validation cases: first the neighbourhood's settings by its votes
alone, then the blend with the model's scores, at last likeness. Per case the model's top items and the top candidates
by votes contain whatever can reach the blend's top 20, so a grid point costs no second pass over the catalogue.

Shapes: C cases (in ``_alone`` also candidates by votes), E entries of all cases (case by case), B cases of a batch, N
rankable items.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.ranking import MISSED, mrr_at, recall_at
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.blend import Blend, SessionMemory
from training.evaluation.scorers import Scorer
from training.inputs.cases import Cases
from training.learning.blend_candidates import Entries, case_rows

SETTINGS_CASES: Final = 4_000
BLEND_CASES: Final = 8_000
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


Learned = tuple[float, Neighbourhood, Blend, tuple[float, ...]]


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

    def best(tried: Sequence[Neighbourhood]) -> Neighbourhood:
        reached = [_alone(index, settings, cases, chosen) for settings in tried]
        return next(s for s, each in zip(tried, reached, strict=True) if each >= (1 - LEVEL) * max(reached))

    forgetting = best([Neighbourhood(item_decay=item, age_decay=age) for age, item in product(AGE_DECAYS, ITEM_DECAYS)])
    index.settings = best([replace(forgetting, reach=reach) for reach in REACHES])
    return index


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

    def blended(settings: Neighbourhood, likeness: float = 0.0) -> Learned:
        neighbours.settings, alike = settings, (likeness, likeness)
        votes = replace(memory, blend=replace(nothing, alike=alike)).votes
        entries = Entries.gather(scorer, votes, cases, chosen, trend_N=trend_N, repeats=REPEATS)
        reached, blend, trends = learn_blend(entries, behaviours=behaviours)
        return reached, settings, replace(blend, alike=alike), trends

    forgetting = [replace(alone, age_decay=age, item_decay=item) for age, item in product(ages, ITEM_DECAYS)]
    best = max(map(blended, forgetting), key=itemgetter(0))
    reaching = [replace(best[1], reach=reach) for reach in REACHES if reach != alone.reach]
    best = max([best, *map(blended, reaching)], key=itemgetter(0))
    needed = 1 + LEVEL
    for likeness in ALIKE if memory.likeness is not None else ():
        tried = blended(best[1], likeness)
        if tried[0] <= best[0] * needed:  # one hill, and likeness costs time in the server
            break
        best, needed = tried, 1.0
    _, neighbours.settings, blend, trends = best
    return replace(memory, blend=blend), trends


def learn_blend(entries: Entries, *, behaviours: int) -> tuple[float, Blend, tuple[float, ...]]:
    """Tune one floor, and per behaviour asked for weight, repeat bonuses, trend weight and earlier-session weight.

    Returns:
        The blend's quality on these cases, the blend, and the trend weight per behaviour.
    """
    groups = [entries.asked_C == ask for ask in range(behaviours)]
    best, found = -1.0, Blend((0.0,) * behaviours, FLOORS[0], ((0.0,) * REPEATS,) * behaviours)
    trends = (0.0,) * behaviours
    for floor in FLOORS:
        logged = replace(entries, votes_E=np.log1p(entries.votes_E / np.float32(floor)))
        common = _tune(logged)
        parts = [logged.only(np.flatnonzero(group)) for group in groups]
        own = [MIN_CASES <= len(part.asked_C) < len(logged.asked_C) for part in parts]
        tuned = [_tune(part) if apart else common for part, apart in zip(parts, own, strict=True)]
        total = sum(_quality(part, *choice) * len(part.asked_C) for part, choice in zip(parts, tuned, strict=True))
        if total > best:
            weights, repeats, trends, pulls = (tuple(each) for each in zip(*tuned, strict=True))
            best, found = total, Blend(weights, floor, repeats, earlier=pulls if any(pulls) else ())
    return best / max(len(entries.asked_C), 1), found, trends


def _tune(logged: Entries) -> tuple[float, tuple[float, ...], float, float]:
    """Weight, repeat bonuses, trend weight and earlier-session weight, by coordinate-wise grid search; ties go to the
    first grid value. The weight is searched again at the end."""
    repeats = (0.0,) * REPEATS
    weight = max(WEIGHTS, key=lambda tried: _quality(logged, tried, repeats, 0.0))
    for place in range(REPEATS):
        tried = [(*repeats[:place], bonus, *repeats[place + 1 :]) for bonus in BONUSES]
        repeats = max(tried, key=lambda each: _quality(logged, weight, each, 0.0))
    pulls = PULLS if logged.past_E.any() else PULLS[:1]
    pull = max(pulls, key=lambda tried: _quality(logged, weight, repeats, 0.0, tried))
    trend = max(TREND_WEIGHTS, key=lambda tried: _quality(logged, weight, repeats, tried, pull))
    return max(WEIGHTS, key=lambda tried: _quality(logged, tried, repeats, trend, pull)), repeats, trend, pull


def _quality(logged: Entries, weight: float, repeats: Sequence[float], trend: float, pull: float = 0.0) -> float:
    """recall@20 + MRR@20 of the blend; ``logged.votes_E`` is log(1 + votes / floor). Ties rank above the target."""
    if not len(logged.asked_C):
        return 0.0
    blended_E = logged.scores_E + np.float32(weight) * logged.votes_E + np.float32(trend) * logged.trends_E
    blended_E += np.array([*repeats, 0.0], np.float32)[logged.back_E]
    if pull:
        blended_E += np.float32(pull) * logged.past_E
    found = logged.target_C >= 0
    target_C = np.where(found, blended_E[logged.target_C], np.inf)
    reached_E = blended_E >= np.repeat(target_C, np.diff(logged.offsets_C))
    counts_C = np.add.reduceat(reached_E.astype(np.int64), logged.offsets_C[:-1])
    return quality(np.where(found, counts_C, MISSED))


def _alone(index: SessionNeighbours, settings: Neighbourhood, cases: Cases, chosen: npt.NDArray[np.int64]) -> float:
    """Quality of ranking by the neighbours' votes alone; an item without votes is a miss."""
    index.settings = settings
    ranks = []
    for batch, targets_B, _ in case_rows(cases, chosen):
        for row, target in enumerate(targets_B.tolist()):
            items_C, share_C = index.evidence(batch.session(row))
            place = np.flatnonzero(items_C == target)
            ranks.append(int(np.count_nonzero(share_C >= share_C[place[0]])) if len(place) else MISSED)
    return quality(np.array(ranks, np.int64))


def quality(ranks_C: npt.NDArray[np.int64]) -> float:
    """Recall@20 + MRR@20, 0 without cases."""
    return float((recall_at(ranks_C, 20) + mrr_at(ranks_C, 20)).mean()) if len(ranks_C) else 0.0


def answerable(cases: Cases, items: int) -> npt.NDArray[np.int64]:
    """Indices of the cases with a non-empty prefix and a rankable target."""
    return np.flatnonzero((cases.targets_C < items) & (cases.prefix_lengths_C > 0))


def spread(cases: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
    """At most ``limit`` of the cases, evenly spaced."""
    return cases[:: max(1, -(-len(cases) // limit))]
