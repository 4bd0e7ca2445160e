"""A placement's answer in messages, by hand: ids, names where they are asked for, and the offers' prices."""

from msgspec import UNSET

from serving.answering.request_indexer import RequestIndexer
from serving.policy.assortment import Assortment
from serving.policy.placed_answer import placed_answer
from serving.policy.policy_file import load_policy
from serving.protocol.messages import CartLine, CommonFields, PlacedAnswer, RecommendRequest
from tests.tills import NOW_MS, feed, in_stock, till
from tillside.bundle import open_bundle
from tillside.policy import read_feed

COMMON = CommonFields(
    recommendation_id="r", degraded_reason=None, behaviour="purchase", purchase_intent=None, unknown_items=[],
    model_version="v", bundle="v",
)  # fmt: skip


def answered(tmp_path, *, names: bool) -> PlacedAnswer:
    """The answer of tests.tills' checkout to a phone in the cart, without a model's candidates."""
    bundle = open_bundle(till(tmp_path / "bundle"))
    loaded = load_policy(bundle, None)
    assert loaded is not None
    assortment = Assortment.of(bundle, loaded, feed=read_feed(feed(*in_stock("cable"))))
    cart = [CartLine("phone")]
    asked = RecommendRequest([], placement="checkout", cart=cart, timestamp=NOW_MS)
    indexed = RequestIndexer(bundle).index(asked, assortment).placement
    assert indexed is not None
    seen = frozenset(["case"])
    return placed_answer(
        indexed, indexed.place(None, 0.5), tier="static", common=COMMON, because={}, seen_ids=seen, names=names
    )


def test_items_are_ids_again_and_have_names_where_they_are_asked_for(tmp_path):
    answer = answered(tmp_path, names=True)
    assert [(item.item_id, item.name, item.because, item.seen) for item in answer.items] == [
        ("case", "Case", "phone", True),
        ("film", "Film", "phone", False),
    ]
    assert answer.items[0].parts is answer.removed is UNSET  # nobody asked for an explanation
    assert {item.name for item in answered(tmp_path / "again", names=False).items} == {UNSET}


def test_a_bundle_has_the_prices_of_the_offer(tmp_path):
    """500 + 20 + 15, and of three tech items the cheapest is 10 % off: 1.5."""
    [bundle] = answered(tmp_path, names=False).bundles
    assert (bundle.items, bundle.missing) == (["phone", "case", "film"], ["case", "film"])
    assert (bundle.price, bundle.discounted_price) == (535.0, 533.5)
