"""The same shop written against the package that openapi-python-client makes; prints what it was answered as JSON.

Run with the generated packages ``main_client`` and ``admin_client`` on the path.
"""

import json
import sys

from admin_client import AuthenticatedClient
from admin_client.api.shop import put_items
from admin_client.models import FeedItem, FeedReport, ItemsFeed
from main_client import Client
from main_client.api.operations import model
from main_client.api.recommendations import page, recommend
from main_client.models import (
    Answer,
    CartLine,
    Event,
    Filter,
    Language,
    Model,
    PageAnswer,
    PagePlacement,
    PlacedAnswer,
    PriceRange,
    Problem,
    PromotionHint,
    RecommendRequest,
    TrainedOn,
)


def main(url: str, admin_url: str, token: str, now: str) -> None:
    """Feed, checkout, product page, list, plain request and refusal."""
    timestamp = int(now)
    items = [FeedItem(item_id, stock=9) for item_id in ("phone", "phone-se", "case", "film", "cable")]
    feed = ItemsFeed(timestamp, [*items, FeedItem("coat", stock=0, price=None)])
    fed = put_items.sync(client=AuthenticatedClient(admin_url, token), body=feed)
    assert isinstance(fed, FeedReport), fed
    client = Client(url)

    def ask(request: RecommendRequest) -> Answer | PlacedAnswer:
        answer = recommend.sync(client=client, body=request)
        assert isinstance(answer, (Answer, PlacedAnswer)), answer
        return answer

    carted = [Event("phone", behaviour="cart")]
    checkout = ask(RecommendRequest(carted, placement="checkout", cart=[CartLine("phone", 1)], timestamp=timestamp))
    product = ask(
        RecommendRequest([Event("phone")], placement="product", language=Language.ZH, explain=True, timestamp=timestamp)
    )
    assert isinstance(checkout, PlacedAnswer)
    assert isinstance(checkout.promotion, PromotionHint)
    assert isinstance(product, PlacedAnswer)
    cheap = Filter(price=PriceRange(at_most=100))
    asked = ["ghost", "scarf", "coat", "film"]
    listed = ask(RecommendRequest([Event("phone")], candidates=asked, filter_=cheap, names=True))
    places = [PagePlacement("product"), PagePlacement("fashion", k=1)]
    several = page.sync(client=client, body=RecommendRequest([Event("phone")], placements=places, timestamp=timestamp))
    assert isinstance(several, PageAnswer), several
    plain = ask(RecommendRequest([Event("phone", timestamp=None)]))
    about = model.sync(client=client)
    assert isinstance(about, Model)
    assert isinstance(about.dataset, TrainedOn)
    refusal = recommend.sync(client=client, body=RecommendRequest([], k=0))
    assert isinstance(refusal, Problem)
    said = {
        "fed": fed.items,
        "checkout": [item.item_id for item in checkout.items],
        "slots": len(checkout.items),
        "reason": checkout.items[0].reason,
        "percent": checkout.promotion.percent,
        "bundles": [bundle.missing for bundle in checkout.bundles],
        "product": [bool(item.parts) for item in product.items],
        "list": [item.name for item in listed.items],
        "page": [[item.item_id for item in answer.items] for answer in several.placements],
        "plain": len(plain.items),
        "digest": about.dataset.digest,
        "refusal": [refusal.field, refusal.allowed],
    }
    print(json.dumps(said))


main(*sys.argv[1:])
