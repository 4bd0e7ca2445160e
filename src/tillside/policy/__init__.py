"""Placement policy: a policy file, item facts, and one pure function that answers a placement request.

``read_policy`` and ``read_feed`` parse files, ``ItemFacts`` and ``Shelves`` are built when a catalogue or feed arrives,
and ``place`` answers with them. A server calls its two halves, ``prepare`` and ``PreparedPlacement.place``, and queries
its model between them. There are no item ids inside: requests and answers hold item numbers of the facts.
"""

from tillside.policy.file.reader import parse_policy, policy_version, read_policy
from tillside.policy.file.terms import PlacementPolicy, Policy
from tillside.policy.file.values import ConflictError
from tillside.policy.items.facts import ItemFacts
from tillside.policy.items.feed import ItemsFeed, read_feed
from tillside.policy.items.shelves import Shelves
from tillside.policy.placing import PreparedPlacement, place, prepare
from tillside.policy.reasons import origin
from tillside.policy.requests import (
    ModelCandidates,
    OfferedBundle,
    PlacedItem,
    Placement,
    PlacementRequest,
    PromotionHint,
    event_kinds,
)

__all__ = [
    "ConflictError",
    "ItemFacts",
    "ItemsFeed",
    "ModelCandidates",
    "OfferedBundle",
    "PlacedItem",
    "Placement",
    "PlacementPolicy",
    "PlacementRequest",
    "Policy",
    "PreparedPlacement",
    "PromotionHint",
    "Shelves",
    "event_kinds",
    "origin",
    "parse_policy",
    "place",
    "policy_version",
    "prepare",
    "read_feed",
    "read_policy",
]
