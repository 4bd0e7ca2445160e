"""Client library for shops: the server's answer within a hard deadline, or else the shop's own list; never an error.

    with Client("http://tillside:8080", fallback=["bag", "gift-card"]) as client:
        answer = client.recommend([Event("1004856", "cart")], behaviour="purchase", k=4)
        checkout = client.place("checkout", Request(session=[Event("1004856")], cart=[CartLine("1004856")]))

Surprising: the deadline is total and includes DNS resolution and trickled bytes. httpx's own timeouts restart with
every read, so the sync client uses a network backend that enforces the deadline (:mod:`tillside.client.deadlines`); the
async client is cancelled at it. A shop's own machines talk to the admin port by ``AdminClient``, which raises instead.
Needs the extra ``client``, which is httpx.
"""

from tillside.client.admin import AdminClient, AdminError, AsyncAdminClient, FeedItem, FeedReport
from tillside.client.answers import (
    OfferedBundle,
    PlacedItem,
    PlacedRecommendation,
    PromotionHint,
    Recommendation,
    RecommendedItem,
)
from tillside.client.breaker import Breaker
from tillside.client.clients import AsyncClient, Client
from tillside.client.requests import Boost, CartLine, Dismissal, Event, Filter, Impression, PagePlacement, Request

__all__ = [
    "AdminClient",
    "AdminError",
    "AsyncAdminClient",
    "AsyncClient",
    "Boost",
    "Breaker",
    "CartLine",
    "Client",
    "Dismissal",
    "Event",
    "FeedItem",
    "FeedReport",
    "Filter",
    "Impression",
    "OfferedBundle",
    "PagePlacement",
    "PlacedItem",
    "PlacedRecommendation",
    "PromotionHint",
    "Recommendation",
    "RecommendedItem",
    "Request",
]
