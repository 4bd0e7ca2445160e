"""Recommenders that learn by counting: popularity, co-visitation, sequential rules, item kNN and session kNN.

They stand beside every model as baselines; the server's fallback tiers answer with co-visitation and popularity alone.
The package also holds what is added to the model's scores (blend, attribute_walks), the vectors of cold items
(cold_vectors) and the purchase intent of sessions without a known item (counted_intent).
"""

from tillside.recommenders.item_pairs import ItemPairs
from tillside.recommenders.session_knn import Neighbourhood, SessionNeighbours
from tillside.recommenders.simple import (
    CoVisitation,
    ItemKnn,
    Popularity,
    SequentialRules,
    SessionPopularity,
    popular_events,
    popularity,
    recent_events,
)

__all__ = [
    "CoVisitation",
    "ItemKnn",
    "ItemPairs",
    "Neighbourhood",
    "Popularity",
    "SequentialRules",
    "SessionNeighbours",
    "SessionPopularity",
    "popular_events",
    "popularity",
    "recent_events",
]
