"""What a shop calls: an answer of the server within a hard total time, or the shop's own list; never an error page.

    with Client("http://tillside:8080", fallback=["bag", "gift-card"]) as client:
        answer = client.recommend([Event("1004856", "cart")], behaviour="purchase", k=4)

Surprising: the hard total covers everything, name look-up and trickled bytes too. httpx's own time-outs count from byte
to byte, so below it lies a network backend that counts to the deadline (:mod:`tillside.client.deadlines`); the async
client is cancelled at it. Needs the extra ``client``, which is httpx.
"""

from tillside.client.breaker import Breaker
from tillside.client.clients import AsyncClient, Client
from tillside.client.messages import Event, Recommendation, RecommendedItem

__all__ = ["AsyncClient", "Breaker", "Client", "Event", "Recommendation", "RecommendedItem"]
