"""Client library for shops: the server's answer within a hard deadline, or else the shop's own list; never an error.

    with Client("http://tillside:8080", fallback=["bag", "gift-card"]) as client:
        answer = client.recommend([Event("1004856", "cart")], behaviour="purchase", k=4)

Surprising: the deadline is total and includes DNS resolution and trickled bytes. httpx's own timeouts restart with
every read, so the sync client uses a network backend that enforces the deadline (:mod:`tillside.client.deadlines`); the
async client is cancelled at it. Needs the extra ``client``, which is httpx.
"""

from tillside.client.breaker import Breaker
from tillside.client.clients import AsyncClient, Client
from tillside.client.messages import Event, Recommendation, RecommendedItem

__all__ = ["AsyncClient", "Breaker", "Client", "Event", "Recommendation", "RecommendedItem"]
