"""Baseline recommenders by name, and how each is fitted to a data set.

Shapes: N items, B behaviours.
"""

from tillside.dataset import Dataset
from tillside.recommenders import CoVisitation, ItemKnn, Popularity, SequentialRules, SessionPopularity, popularity
from training.evaluation.scorers import Scorer
from training.settings.evaluate import Baseline


def fit_baseline(baseline: Baseline, dataset: Dataset) -> Scorer:
    """The baseline fitted to everything before the test part, as the model is.

    It scores all rankable items, cold ones last.
    """
    train, items = dataset.before_test(), dataset.catalogue.rankable
    scores_by_behaviour = popularity(dataset.catalogue.popular_NB[:items])
    match baseline:
        case Baseline.popularity:
            return Popularity(scores_by_behaviour)
        case Baseline.session_popularity:
            return SessionPopularity(scores_by_behaviour)
        case Baseline.covisitation:
            return CoVisitation.fit(train, items=items)
        case Baseline.sequential_rules:
            return SequentialRules.fit(train, items=items)
        case Baseline.item_knn:
            return ItemKnn.fit(train, items=items)
