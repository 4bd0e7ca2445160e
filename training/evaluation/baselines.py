"""Baseline recommenders by name, and how each is fitted to a data set.

Shapes: N items, B behaviours.
"""

from tillside.dataset import Dataset
from tillside.recommenders import CoVisitation, ItemKnn, SequentialRules, SessionPopularity
from training.evaluation.scorers import Scorer, popularity_of
from training.settings.evaluate import Baseline


def fit_baseline(baseline: Baseline, dataset: Dataset, *, refit: bool = True) -> Scorer:
    """The baseline fitted to the sessions that the model learns from; by default all before the test part.

    It scores all rankable items, those without an event among them last.

    Args:
        refit: as in :meth:`tillside.dataset.Dataset.learned`.
    """
    train, items = dataset.learned(refit=refit), dataset.catalogue.rankable
    match baseline:
        case Baseline.popularity:
            return popularity_of(dataset, refit=refit)
        case Baseline.session_popularity:
            return SessionPopularity(popularity_of(dataset, refit=refit).scores_by_behaviour)
        case Baseline.covisitation:
            return CoVisitation.fit(train, items=items)
        case Baseline.sequential_rules:
            return SequentialRules.fit(train, items=items)
        case Baseline.item_knn:
            return ItemKnn.fit(train, items=items)
