"""Every example of docs/policy.md is run: policies, requests and their answers, the feed, the mistakes."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.shops import NOW_MS, VIEW, Item, Shop
from tillside.policy import Placement, origin, parse_policy, read_feed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/policy.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+ ?\w*)\n(.*?)```", TEXT, re.DOTALL)


def table(*columns: str) -> list[dict[str, str]]:
    """The rows of the page's table that has these columns."""
    for found in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines()]
        if rows[0] == list(columns):
            return [dict(zip(columns, row, strict=True)) for row in rows[2:]]
    raise AssertionError(f"no table of {columns}")


def shop() -> Shop:
    """The shop of the page."""
    rows = table("id", "name", "price", "category", "brand", "stock", "clearance", "new")
    items = [
        Item(
            row["id"],
            float(row["price"]),
            row["category"],
            row["brand"],
            row["name"],
            stock=int(row["stock"]),
            clearance=float(row["clearance"] or 0),
            new=row["new"] == "yes",
        )
        for row in rows
    ]
    pairs = [tuple(row.values()) for row in table("relation", "from", "to", "strength")]
    sets = re.search(r"two bundles: (.*), and (.*)\.", TEXT)
    assert sets
    bundles = [(tuple(re.findall(r"`([\w-]+)`", each)), 0.5) for each in sets.groups()]
    return Shop(items, pairs=[(a, b, c, float(d)) for a, b, c, d in pairs], bundles=bundles)


SHOP = shop()


@dataclass(frozen=True)
class Example:
    """A policy, a request and the answer that the page promises."""

    policy: str
    request: str
    answer: str


def examples() -> list[Example]:
    """A request is one to the policy above it."""
    found, policy, request = [], "", ""
    for kind, body in BLOCKS:
        if kind == "yaml policy":
            policy = body
        elif kind == "yaml request":
            request = body
        elif kind == "text answer":
            found.append(Example(policy, request, body))
    return found


def answer(example: Example) -> str:
    """The answer as the page writes it."""
    asked = yaml.safe_load(example.request)
    asked["model"] = {item: -float(rank) for rank, item in enumerate(asked.pop("model", []))} or None
    asked["session"] = [(item, VIEW) for item in asked.get("session", [])]
    asked["impressions"] = {item: (count, NOW_MS - 1) for item, count in asked.get("impressions", {}).items()}
    english, chinese = (SHOP.place(example.policy, **dict(asked), language=language) for language in ("en", "zh"))
    return "\n".join(lines(english, chinese)) + "\n"


def lines(english: Placement, chinese: Placement) -> list[str]:
    facts, found = SHOP.facts(), []
    for item, other in zip(english.items, chinese.items, strict=True):
        found.append(f"{facts.item_ids[item.item]:<8} {origin(item, facts):<24} {item.reason} | {other.reason}")
    for bundle in english.bundles:
        price = f"{bundle.price:g}"
        if bundle.discounted_price is not None:
            price += f" -> {bundle.discounted_price:g} ({bundle.promotion})"
        found.append(
            f"bundle: {' + '.join(SHOP.ids(bundle.items))}, missing {', '.join(SHOP.ids(bundle.missing))}, {price}"
        )
    if english.promotion and chinese.promotion:
        found.append(f"promotion: {english.promotion.text} | {chinese.promotion.text}")
    return [*found, f"mode: {english.mode} ({', '.join(english.why)})"]


@pytest.mark.parametrize("example", examples(), ids=lambda example: yaml.safe_load(example.request)["placement"])
def test_every_answer_is_what_the_page_says(example: Example) -> None:
    assert answer(example) == example.answer


def test_every_placement_has_an_example() -> None:
    asked = {yaml.safe_load(example.request)["placement"] for example in examples()}
    assert asked == {"checkout", "cart", "product", "search", "home", "order_confirmed", "live"}


def test_the_feed_of_the_page_is_read() -> None:
    feed = next(body for kind, body in BLOCKS if kind == "json feed")
    facts = SHOP.facts().with_feed(read_feed(feed.encode()))
    assert facts.name(facts.index_of["lamp"]) == "Moon Lamp"


def test_the_mistakes_of_the_page_are_found() -> None:
    blocks = dict(BLOCKS)
    with pytest.raises(ValueError) as caught:
        parse_policy(blocks["yaml mistake"], name="policy.yaml")
    assert f"{caught.value}\n" == blocks["text error"]
