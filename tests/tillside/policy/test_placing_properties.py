"""What must hold for any shop, policy, cart and feed; hard rules are judged here from the items alone."""

import copy
import json
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shops import NOW_MS, Item, Shop
from tillside.policy import Placement, parse_policy, place
from tillside.relations import RELATIONS

CATEGORIES = ["a", "a.x", "a.y", "b", "b.x"]
BRANDS = ["m", "n"]
SOURCES = ["model", *RELATIONS, "popular", "new", "clearance"]
TIERS = ["model", "covisitation", "popularity", "static"]
SHARES = st.sampled_from([0.1, 0.3, 0.5, 0.5, 1.0])
LIMITS = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Three to fourteen items whose ids are not in the order of their popularity."""
    size = draw(st.integers(3, 14))
    ids = draw(st.permutations([f"i{number:02d}" for number in range(size)]))
    return [
        Item(
            each,
            price=draw(st.sampled_from([None, 5, 10, 10, 40])),
            category=draw(st.sampled_from([None, *CATEGORIES])),
            brand=draw(st.sampled_from([None, *BRANDS])),
            stock=draw(st.sampled_from([None, 0, 3, 3, 3])),
            clearance=draw(st.sampled_from([0, 0, 0.5])),
            margin=draw(st.sampled_from([None, 0.3])),
            new=draw(st.booleans()),
            minimum_age=draw(st.sampled_from([0, 0, 0, 18])),
            vector=draw(st.sampled_from([None, (1.0, 0.0), (0.6, 0.8), (-1.0, 2.0)])),
            attributes={"style": draw(st.sampled_from([None, "s", "t"]))},
        )
        for each in ids
    ]


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    """Shops with relations, pairs set by hand, bundles, and a feed of any age or none."""
    rows = draw(items())
    ids = st.sampled_from([row.id for row in rows])
    pair = st.tuples(st.sampled_from(RELATIONS), ids, ids)
    pairs = draw(st.lists(st.tuples(pair, SHARES), max_size=25, unique_by=lambda row: row[0]))
    manual = draw(st.lists(st.tuples(pair, st.sampled_from(["pin", "add", "ban"])), max_size=4))
    sets = draw(st.lists(st.tuples(st.lists(ids, min_size=2, max_size=4, unique=True), SHARES), max_size=5))
    return Shop(
        rows,
        pairs=[(*key, strength) for key, strength in pairs if key[1] != key[2]],
        manual=[(*key, action) for key, action in manual if key[1] != key[2]],
        bundles=[(tuple(each), strength) for each, strength in sets],
        feed_age_ms=draw(st.sampled_from([None, 0, 600_000, 6_000_000])),
    )


@st.composite
def policies(draw: st.DrawFn, shop: Shop) -> dict[str, Any]:
    """Any mixture of all rules."""
    ids = st.sampled_from([row.id for row in shop.items])
    few_categories = st.sampled_from([[], [], [], ["a.x"], ["b"], ["a", "b.x"]])
    rules: dict[str, Any] = {
        "stock": draw(
            st.fixed_dictionaries(
                {
                    "unknown": st.sampled_from(["show", "show", "hide"]),
                    "when_stale": st.sampled_from(["hide_unknown", "hide_all"]),
                },
                optional={"feed_max_age_minutes": st.sampled_from([30, 600])},
            )
        ),
        "related_first": draw(st.booleans()),
        "hide_viewed": draw(st.sampled_from(["none", "last", "all"])),
        "categories": {"only": draw(few_categories), "never": draw(few_categories)},
        "age_limits": draw(
            st.lists(st.fixed_dictionaries({"category": st.sampled_from(CATEGORIES), "years": st.just(16)}), max_size=1)
        ),
        "at_least": draw(
            st.lists(
                st.fixed_dictionaries({"n": st.integers(1, 3), "category": st.sampled_from(CATEGORIES)})
                | st.fixed_dictionaries({"source": st.sampled_from(SOURCES)}),
                max_size=2,
            )
        ),
        "boosts": {
            "clearance": 0.4,
            "margin": 0.2,
            "new": draw(st.sampled_from([0, 0.5])),
            "same_brand": draw(st.sampled_from([0, 0.5])),
            "at_most": 1.5,
        },
        "diversity": {
            "strength": draw(st.sampled_from([0, 0.4, 1])),
            "vector": draw(st.sampled_from([0, 0.5, 1])),
            "most_of_a_kind": draw(st.sampled_from([None, 1, 2])),
        },
        "cap": draw(st.sampled_from([None, {"shown": 2}])),
        "price_band": draw(
            st.none()
            | st.fixed_dictionaries(
                {
                    "of": st.sampled_from(["cart_dearest", "cart_total", "anchor"]),
                    "low": st.sampled_from([0, 0.5]),
                    "high": st.sampled_from([1, 2.5]),
                    "hard": st.booleans(),
                }
            )
        ),
        "pins": draw(
            st.lists(st.fixed_dictionaries({"name": st.just("p"), "item": ids, "slot": st.integers(1, 6)}), max_size=2)
        ),
        "bans": draw(
            st.lists(
                st.fixed_dictionaries({"name": st.just("b"), "item": ids})
                | st.fixed_dictionaries({"name": st.just("b"), "brand": st.sampled_from(BRANDS)})
                | st.fixed_dictionaries({"name": st.just("b"), "category": st.sampled_from(CATEGORIES)}),
                max_size=2,
            )
        ),
    }
    here = {
        "sources": draw(st.dictionaries(st.sampled_from(SOURCES), st.sampled_from([0, 0.5, 1, 2]), max_size=13)),
        "anchors": draw(st.lists(st.sampled_from(["cart", "last", "session", "host", "scene"]), unique=True)),
        "fusion": draw(st.sampled_from(["strengths", "odds"])),
        "most_anchors": draw(st.sampled_from([1, 4, 16])),
        "slots": draw(st.integers(1, 8)),
        "bundles": draw(st.integers(0, 3)),
        "rules": rules,
        "explore": draw(
            st.none()
            | st.fixed_dictionaries(
                {
                    "share": st.sampled_from([0.5, 1]),
                    "of": st.sampled_from(["answers", "slots"]),
                    "among": st.sampled_from([2, 20]),
                    "temperature": st.sampled_from([0.5, 1, 9]),
                }
            )
        ),
    }
    promotion = {
        "name": "tiers",
        "steps": [{"items": 2, "percent": 10, "off": "cheapest"}, {"items": 3, "percent": 20}],
    }
    intent: dict[str, Any] = {"repeat_views": {"views": 2}, "dwell": {}, "cart": {}}
    return {"placements": {"here": here}, "promotions": [promotion], "intent": intent}


@st.composite
def requests(draw: st.DrawFn, shop: Shop) -> dict[str, Any]:
    """Any request, by ids."""
    ids = st.sampled_from([row.id for row in shop.items])
    return {
        "k": draw(st.none() | st.integers(0, 12)),
        "session": draw(st.lists(st.tuples(ids, st.integers(0, 2)), max_size=5)),
        "cart": draw(st.lists(ids, max_size=3)),
        "excluded": draw(st.lists(ids, max_size=2)),
        "scene": draw(st.lists(ids, max_size=2)),
        "host": draw(ids),
        "age": draw(st.sampled_from([None, 12, 17, 30])),
        "impressions": draw(st.dictionaries(ids, st.tuples(st.integers(1, 3), st.just(NOW_MS - 1000)), max_size=3)),
        "intent": draw(st.sampled_from([None, 0.0, 0.3, 0.8, 1.0])),
        "explain": draw(st.booleans()),
        "model": draw(st.none() | st.dictionaries(ids, st.sampled_from([0.0, 0.0, 0.0, 2.5]))),
        "tier": draw(st.sampled_from(TIERS)),
    }


@st.composite
def cases(draw: st.DrawFn) -> tuple[Shop, dict[str, Any], dict[str, Any]]:
    shop = draw(shops())
    return shop, draw(policies(shop)), draw(requests(shop))


def answered(shop: Shop, policy: dict[str, Any], request: dict[str, Any]) -> Placement:
    return shop.place(json.dumps(policy), rng=np.random.default_rng(1), **copy.deepcopy(request))


def inside(item: Item, paths: list[str]) -> bool:
    """Whether the item's category is one of the paths or lies below one."""
    return item.category is not None and any(f"{item.category}.".startswith(f"{path}.") for path in paths)


def forbidden(item: Item, shop: Shop, policy: dict[str, Any], request: dict[str, Any]) -> bool:
    """The hard rules, from their words."""
    here = policy["placements"]["here"]
    rules, by_id = here["rules"], {row.id: row for row in shop.items}
    viewed = [each for each, _ in request["session"]]
    viewed = {"none": [], "last": viewed[-1:], "all": viewed}[rules["hide_viewed"]]
    if item.id in [*request["cart"], *request["excluded"], *viewed]:
        return True
    limit, stock, age = rules["stock"].get("feed_max_age_minutes"), rules["stock"], shop.feed_age_ms
    stale = limit is not None and (age is None or age > limit * 60_000)
    if stale and stock["when_stale"] == "hide_all":
        return True
    known = item.stock if age is not None else None
    if known == 0 or (known is None and (stale or stock["unknown"] == "hide")):
        return True
    if inside(item, rules["categories"]["never"]):
        return True
    if rules["categories"]["only"] and not inside(item, rules["categories"]["only"]):
        return True
    years = request["age"] or 0
    if age is not None and item.minimum_age > years:
        return True
    if any(years < each["years"] and inside(item, [each["category"]]) for each in rules["age_limits"]):
        return True
    for ban in rules["bans"]:
        if ban.get("item") == item.id or (item.brand and ban.get("brand") == item.brand):
            return True
        if "category" in ban and inside(item, [ban["category"]]):
            return True
    latest = [each for each, _ in request["session"]][-1:]
    if latest and latest[0] in request["cart"] and (kind := by_id[latest[0]].category) and inside(item, [kind]):
        return True  # more of what was just put into the cart
    band = rules["price_band"]
    if not band or not band["hard"]:
        return False
    groups = {
        "cart": request["cart"][::-1],
        "last": [each for each, _ in request["session"]][-1:],
        "session": [each for each, _ in request["session"]][::-1],
        "host": [request["host"]],
        "scene": request["scene"],
    }
    anchors = [each for name in here["anchors"] for each in groups[name]]
    compared = anchors[:1] if band["of"] == "anchor" else request["cart"]
    prices = [price for price in (by_id[each].price for each in compared) if price is not None]
    if not prices:
        return False
    price = sum(prices) if band["of"] == "cart_total" else max(prices)
    return item.price is None or not band["low"] * price <= item.price <= band["high"] * price


def as_ids(shop: Shop, answer: Placement) -> Any:
    """An answer in ids, for comparing shops whose numbers differ."""
    shown = [
        (
            shop.ids([each.item]),
            each.score,
            each.source,
            each.anchor is not None and shop.ids([each.anchor]),
            each.rule,
            each.parts,
            each.reason,
            round(each.propensity, 9),
        )
        for each in answer.items
    ]
    bundles = [
        (shop.ids(each.items), shop.ids(each.missing), each.price, each.discounted_price) for each in answer.bundles
    ]
    return shown, bundles, answer.mode, answer.decided, answer.why, answer.promotion, dict(answer.dropped)


@given(cases())
@LIMITS
def test_no_item_that_a_hard_rule_forbids_is_shown_and_k_is_honoured(case: Any) -> None:
    """From any source, at any rung, pins and bundles included; and as many as may be shown, up to k."""
    shop, policy, request = case
    answer = answered(shop, policy, request)
    may = {item.id for item in shop.items if not forbidden(item, shop, policy, request)}
    shown = shop.ids(each.item for each in answer.items)
    assert set(shown) <= may
    assert len(set(shown)) == len(shown)
    slots = policy["placements"]["here"]["slots"]
    k = slots if request["k"] is None else min(request["k"], slots)
    assert len(shown) == min(k, len(may))
    assert all(0 < each.propensity <= 1 + 1e-9 for each in answer.items)
    open_policy = copy.deepcopy(policy)
    open_policy["placements"]["here"]["rules"]["hide_viewed"] = "none"  # a bundle may be made of what was looked at
    for bundle in answer.bundles:
        missing = [item for item in shop.items if item.id in shop.ids(bundle.missing)]
        assert missing
        assert not any(forbidden(item, shop, open_policy, request) for item in missing)
        assert set(shop.ids(bundle.items)) - set(shop.ids(bundle.missing)) <= set(request["cart"])


@given(cases(), st.data())
@LIMITS
def test_the_answer_does_not_depend_on_the_order_of_the_catalogue(case: Any, data: st.DataObject) -> None:
    shop, policy, request = case
    other = shop.reordered(data.draw(st.permutations(range(len(shop.items)))))
    assert as_ids(shop, answered(shop, policy, request)) == as_ids(other, answered(other, policy, request))


LEVEL = Shop(
    [Item(f"i{number}", category="a.x", brand="m", stock=1, new=True) for number in (3, 1, 4, 0, 5, 2)],
    pairs=[("complement", "i3", f"i{number}", 0.5) for number in (1, 4, 0, 5, 2)],
)


@given(st.permutations(range(6)), st.sampled_from(["complement", "model", "new"]))
@LIMITS
def test_items_that_are_level_go_by_id_in_any_order_of_the_catalogue(order: list[int], source: str) -> None:
    policy = f"placements: {{here: {{sources: {{{source}: 1}}, rules: {{diversity: {{strength: 0.4}}}}}}}}"
    model = {f"i{number}": 1.0 for number in range(6)}
    assert LEVEL.reordered(order).shown(policy, cart=["i3"], model=model, k=4) == ["i0", "i1", "i2", "i4"]


@given(cases())
@settings(LIMITS, max_examples=30)
def test_placing_is_pure(case: Any) -> None:
    """Asked twice of the same objects it answers the same, and changes none of them."""
    shop, policy, request = case
    given_ = copy.deepcopy(request)
    model, tier = given_.pop("model"), given_.pop("tier")
    parsed, shelves, relations = parse_policy(json.dumps(policy)), shop.shelves(), shop.relations()
    found, asked = (None if model is None else shop.model(model, tier)), shop.request(**given_)
    facts = shelves.facts
    arrays = [facts.prices_N, facts.stock_N, facts.rank_N, shelves.popular.items_P, asked.session_L, asked.cart_M]
    arrays += [table.items for table in relations.tables.values()] + (
        [] if found is None else [found.items, found.scores]
    )
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False  # writing would raise
    first = place(parsed, asked, shelves=shelves, relations=relations, model=found)
    assert place(parsed, asked, shelves=shelves, relations=relations, model=found) == first
    assert [array.tobytes() for array in arrays] == [array.tobytes() for array in before]


@given(cases())
@settings(LIMITS, max_examples=30)
def test_soft_rules_only_reorder(case: Any) -> None:
    """Without caps, soft bands, needs, diversity and boosts as many items are shown."""
    shop, policy, request = case
    bare = copy.deepcopy(policy)
    rules = bare["placements"]["here"]["rules"]
    for soft in ("cap", "at_least", "diversity", "boosts"):
        rules.pop(soft)
    if rules["price_band"] and not rules["price_band"]["hard"]:
        rules.pop("price_band")
    assert len(answered(shop, policy, request).items) == len(answered(shop, bare, request).items)


@LIMITS
@given(cases())
def test_of_one_style_one_item_is_shown_and_none_beside_another_that_is_held(case: Any) -> None:
    shop, policy, request = case
    policy["placements"]["here"]["rules"]["variants"] = "style"
    by_number = dict(enumerate(shop.catalogued))
    shown = [by_number[placed.item] for placed in answered(shop, policy, request).items]
    styles = [item.attributes["style"] for item in shown if item.attributes["style"]]
    assert len(styles) == len(set(styles))
    held = {row.id: row.attributes["style"] for row in shop.items if row.id in [*request["cart"], request["host"]]}
    assert not [
        item.id for item in shown if item.attributes["style"] in set(held.values()) - {None} and item.id not in held
    ]
