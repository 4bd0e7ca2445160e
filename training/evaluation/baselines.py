"""Baseline recommenders by name, and how each is fitted to a data set.

Each is as good as it can be by itself: what settings it has are chosen on validation, as the model's are, before it is
fitted to all that the model learns from. So is whether it leaves out what a session holds: where shoppers hardly return
to an item, those would stand first for nothing.

Shapes: C cases, N items, B behaviours.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, Final

from tillside.dataset import Dataset, Sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import CoVisitation, ItemKnn, SequentialRules, SessionPopularity
from training.evaluation.ranking import quality, rank
from training.evaluation.scorers import Scorer, WithoutSeen, popularity_of
from training.inputs.cases import cases_of
from training.settings.evaluate import Baseline

VALIDATION_CASES: Final = 4_000
SEEN_CASES: Final = 1_000
"""Maximum of the cases that say whether seen items are left out."""
DISTANCES: Final = (10, 3, 1)
"""Grid of how many events apart two of a session may be to count as a pair."""
GRIDS: Final[dict[Baseline, list[dict[str, Any]]]] = {
    Baseline.covisitation: [{"window": distance} for distance in DISTANCES],
    Baseline.sequential_rules: [{"steps": distance} for distance in DISTANCES],
    Baseline.item_knn: [
        {"decay": decay, "damping": damping} for damping, decay in product((20.0, 100.0), (0.5, 0.8, 0.25))
    ],
}
"""Settings of each baseline that has some, the defaults first."""


def fit_baseline(baseline: Baseline, dataset: Dataset, *, refit: bool = True) -> Scorer:
    """The baseline fitted to the sessions that the model learns from; by default all before the test part.

    It scores all rankable items, those without an event among them last.

    Args:
        refit: as in :meth:`tillside.dataset.Dataset.learned`.
    """
    train = dataset.learned(refit=refit)
    settings = choose_settings(baseline, dataset) if baseline in GRIDS else {}

    def fitted(train: Sessions, *, refit: bool) -> Scorer:
        return _fitted(baseline, dataset, train, refit=refit, settings=settings)

    scorer = fitted(train, refit=refit)
    if baseline is Baseline.session_popularity:  # what a session holds is all it is about
        return scorer
    return at_its_best(scorer, dataset, lambda known: fitted(known, refit=False) if refit else scorer)


def at_its_best(scorer: Scorer, dataset: Dataset, fit: Callable[[Sessions], Scorer]) -> Scorer:
    """The scorer, without what the session holds if validation is ranked better so.

    Args:
        fit: the same scorer of the sessions that it is given: those of the training part.
    """
    spec, items = EncodingSpec(collapse_repeats=dataset.collapse_repeats), dataset.catalogue.rankable
    cases = cases_of(dataset, "validation", spec=spec, limit=SEEN_CASES)
    if not len(cases):
        return scorer
    earlier = fit(dataset.learned(refit=False))
    kept, left_out = (
        quality(rank(each, cases, items=items, coverage=False).ranks_C) for each in (earlier, WithoutSeen(earlier))
    )
    return WithoutSeen(scorer) if left_out > kept else scorer


def choose_settings(baseline: Baseline, dataset: Dataset) -> dict[str, Any]:
    """The settings of GRIDS with which the baseline, fitted to the training part, ranks validation cases best.

    The first of equals; without a validation case the first of all, which are the defaults.
    """
    tried, items = GRIDS[baseline], dataset.catalogue.rankable
    spec = EncodingSpec(collapse_repeats=dataset.collapse_repeats)
    cases = cases_of(dataset, "validation", spec=spec, limit=VALIDATION_CASES)
    if not len(cases):
        return tried[0]
    train, reached = dataset.learned(refit=False), []
    for settings in tried:
        scorer = _fitted(baseline, dataset, train, refit=False, settings=settings)
        reached.append(quality(rank(scorer, cases, items=items, coverage=False).ranks_C))
    return tried[reached.index(max(reached))]


def _fitted(baseline: Baseline, dataset: Dataset, train: Sessions, *, refit: bool, settings: dict[str, Any]) -> Scorer:
    items = dataset.catalogue.rankable
    match baseline:
        case Baseline.popularity:
            return popularity_of(dataset, refit=refit)
        case Baseline.session_popularity:
            return SessionPopularity(popularity_of(dataset, refit=refit).scores_by_behaviour)
        case Baseline.covisitation:
            return CoVisitation.fit(train, items=items, **settings)
        case Baseline.sequential_rules:
            return SequentialRules.fit(train, items=items, **settings)
        case Baseline.item_knn:
            return ItemKnn.fit(train, items=items, **settings)
