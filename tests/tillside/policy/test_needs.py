"""What a policy needs and a shop has not, by hand."""

from tests.shops import Item, Shop
from tillside.policy import parse_policy
from tillside.policy.needs import unmet_needs

BARE = Shop([Item("a", None), Item("b", None)], feed_age_ms=None)
FULL = Shop(
    [Item("a", 10, "x", new=True, clearance=0.5, margin=0.2, stock=1), Item("b", 5, "y", stock=1)],
    pairs=[("complement", "a", "b", 0.5)],
    manual=[("gift", "a", "b", "add")],
)
POLICY = """
placements:
  checkout:
    sources: {complement: 1, gift: 1, scene: 0}
    rules:
      stock: {feed_max_age_minutes: 30}
      price_band: {high: 1}
  home:
    sources: {new: 1, clearance: 1}
    rules:
      boosts: {margin: 1}
      at_least: [{n: 1, source: downsell}]
"""


def needs(shop: Shop, text: str, *, intent: bool = True) -> list[str]:
    return unmet_needs(parse_policy(text), shop.facts(), shop.relations(), intent=intent)


def test_a_shop_that_has_nothing_is_told_all_that_is_missing() -> None:
    assert needs(BARE, POLICY) == [
        "placement checkout: its stock rule needs an items feed, and there is none, "
        "so it shows nothing until one comes",
        "placement checkout: source complement has no pairs; python -m training.relate mines them, or set them by hand",
        "placement checkout: source gift has no pairs; python -m training.relate mines them, or set them by hand",
        "placement checkout: its price band needs prices, and no item has one",
        "placement checkout: no item has a category, so rivals of what is in the cart cannot be told and are shown",
        "placement home: source new has no items; new_until_ms of the items feed says what is new",
        "placement home: source clearance has no items; clearance of the items feed says what is to go",
        "placement home: at_least wants source downsell, which is not among its sources",
        "placement home: it boosts margins, and no item has one; they come by items feed",
    ]


def test_a_shop_that_has_all_is_told_only_of_mistakes() -> None:
    assert needs(FULL, POLICY) == ["placement home: at_least wants source downsell, which is not among its sources"]


def test_a_model_without_intent_is_told_once_where_it_would_steer() -> None:
    steered = "placements: {here: {sources: {model: 1}}, there: {sources: {model: 1}}}"
    assert needs(FULL, steered, intent=False) == [
        "the model tells no purchase intent, so steering follows the session's signals alone"
    ]
    assert needs(FULL, "placements: {here: {sources: {model: 1}, steering: 0}}", intent=False) == []
