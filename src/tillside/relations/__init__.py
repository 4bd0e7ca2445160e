"""Relations between items: tables of partners and of item sets (tables), and all that a shop has of them (related)."""

from tillside.relations.related import (
    ABOUT,
    ACTIONS,
    ALWAYS,
    RELATIONS,
    LaterPair,
    ManualPairs,
    Partners,
    Relations,
)
from tillside.relations.tables import LEAST_BUNDLE, MOST_BUNDLE, Bundles, RelationTable

__all__ = [
    "ABOUT",
    "ACTIONS",
    "ALWAYS",
    "LEAST_BUNDLE",
    "MOST_BUNDLE",
    "RELATIONS",
    "Bundles",
    "LaterPair",
    "ManualPairs",
    "Partners",
    "RelationTable",
    "Relations",
]
