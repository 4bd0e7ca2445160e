"""Reasons for shown items: a short sentence for the shopper, in English or Chinese, and the origin for shop staff.

A sentence names an item or category only if its name is known, and avoids what a shopper might mind: no cheaper choice
is called cheap, no shopper is told what they did. Shops that write their own sentences use the reason's key.

Shapes: N items.
"""

from collections.abc import Mapping
from typing import Final

from tillside.policy.items.facts import ItemFacts
from tillside.policy.requests import Language, PlacedItem

Sentences = tuple[str, str]
"""Sentence with a name (``{name}``), and without."""

REASONS: Final[Mapping[Language, Mapping[str, Sentences]]] = {
    "en": {
        "model": ("Picked for you", "Picked for you"),
        "covisitation": ("Often viewed together", "Often viewed together"),
        "popularity": ("Popular right now", "Popular right now"),
        "static": ("Recommended by the shop", "Recommended by the shop"),
        "complement": ("Goes well with {name}", "Goes well with your choice"),
        "substitute": ("Similar to {name}", "A similar choice"),
        "upsell": ("A step up from {name}", "A step up"),
        "downsell": ("Good value, similar to {name}", "Good value"),
        "bundle": ("Often bought together with {name}", "Often bought together"),
        "brand": ("Same brand as {name}", "From the same brand"),
        "series": ("Same series as {name}", "From the same series"),
        "scene": ("Shown together with {name}", "Shown together"),
        "gift": ("A little extra for {name}", "A little extra"),
        "popular": ("Popular in {name}", "Popular right now"),
        "new": ("New in {name}", "New"),
        "clearance": ("On offer in {name}", "On offer"),
        "pinned": ("Recommended by the shop", "Recommended by the shop"),
        "host": ("On show right now", "On show right now"),
    },
    "zh": {
        "model": ("为您推荐", "为您推荐"),
        "covisitation": ("大家还看了", "大家还看了"),
        "popularity": ("当前热销", "当前热销"),
        "static": ("本店推荐", "本店推荐"),
        "complement": ("适合搭配{name}", "适合搭配您的选择"),
        "substitute": ("与{name}相似", "相似好物"),
        "upsell": ("{name}的升级之选", "升级之选"),
        "downsell": ("与{name}相似,更具性价比", "性价比之选"),
        "bundle": ("常与{name}一起购买", "常被一起购买"),
        "brand": ("与{name}同品牌", "同品牌好物"),
        "series": ("与{name}同系列", "同系列好物"),
        "scene": ("与{name}同场搭配", "同场搭配"),
        "gift": ("{name}的贴心小物", "贴心小物"),
        "popular": ("{name}热销", "当前热销"),
        "new": ("{name}新品", "新品"),
        "clearance": ("{name}特惠", "特惠好物"),
        "pinned": ("本店推荐", "本店推荐"),
        "host": ("正在讲解", "正在讲解"),
    },
}
OF_CATEGORY: Final = ("popular", "new", "clearance")


def reason_for(key: str, item: int, anchor: int | None, facts: ItemFacts, language: Language) -> str:
    """Sentence for the shopper."""
    name = category_of(item, facts) if key in OF_CATEGORY else "" if anchor is None else facts.name(anchor)
    with_name, without = REASONS[language][key]
    return with_name.format(name=name) if name else without


def category_of(item: int, facts: ItemFacts) -> str:
    """Last level of an item's finest category as words; empty if there is none or it is a number."""
    level = facts.categories.finest(int(facts.categories.codes_N[item])).rpartition(".")[2]
    return "" if level.isdigit() else level.replace("_", " ")


def origin(placed: PlacedItem, facts: ItemFacts) -> str:
    """Origin for shop staff: ``model``, ``complement of X``, ``pinned by rule R``, ``popular in category C``."""
    if placed.rule is not None:
        return f"pinned by rule {placed.rule}"
    if placed.anchor is not None:
        return f"{placed.source} of {facts.item_ids[placed.anchor]}"
    if placed.source in OF_CATEGORY:
        path = facts.categories.finest(int(facts.categories.codes_N[placed.item]))
        return f"{placed.source} in category {path}" if path else placed.source
    return placed.source
