"""Independent reference implementation of a policy's hard rules, to check the answers of any system.

It shares only the policy file's terms and the facts' columns with ``tillside.policy``: it checks one item at a time by
id and attribute tokens, where the policy works on masks over candidates. A bug in either shows as a violation.
Shapes: N items, M items in the cart, L events seen.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from tillside.events import BRAND, CATEGORY
from tillside.policy import ItemFacts, PlacementRequest, Policy


def broken_rules(items: Sequence[int], policy: Policy, request: PlacementRequest, facts: ItemFacts) -> Counter[str]:
    """Count an answer's violations: one per item and hard rule, plus ``too_many`` (above k) and ``twice`` (duplicates).

    Args:
        items: catalogue indices of the answer's items.
    """
    broken = Counter(rule for item in items for rule in forbidding(item, policy, request, facts))
    slots = policy.of(request.segment).placement(request.placement).slots
    if len(items) > (slots if request.k is None else request.k):
        broken["too_many"] += 1
    if len(set(items)) < len(items):
        broken["twice"] += len(items) - len(set(items))
    return broken


def forbidding(item: int, policy: Policy, request: PlacementRequest, facts: ItemFacts) -> list[str]:
    """Hard rules that forbid one item."""
    policy = policy.of(request.segment)
    placement = policy.placement(request.placement)
    rules, day = placement.rules, policy.day(request.now_ms)
    if not 0 <= item < len(facts.item_ids):
        return ["unknown"]
    tokens = facts.tokens_of(item)
    categories = {token.removeprefix(f"{CATEGORY}=") for token in tokens if token.startswith(f"{CATEGORY}=")}
    brands = {token.removeprefix(f"{BRAND}=") for token in tokens if token.startswith(f"{BRAND}=")}
    found = []
    if item in request.cart_M:
        found.append("cart")
    if item in request.excluded:
        found.append("excluded")
    for ban in rules.bans:
        named = ban.item == facts.item_ids[item] or ban.category in categories or ban.brand in brands
        if named and _on(day, ban.since, ban.until):
            found.append("banned")
    if _no_stock(item, policy, request, facts):
        found.append("stock")
    if rules.categories.only and not categories.intersection(rules.categories.only):
        found.append("categories")
    if categories.intersection(rules.categories.never):
        found.append("categories")
    years = [
        int(facts.minimum_age_N[item]),
        *(limit.years for limit in rules.age_limits if limit.category in categories),
    ]
    if max(years) > (request.age or 0):
        found.append("age")
    if rules.price_band and rules.price_band.hard:
        compared = _compared_price(policy, request, facts)
        price = float(facts.prices_N[item])
        if compared is not None and not rules.price_band.low * compared <= price <= rules.price_band.high * compared:
            found.append("price")  # an unknown price (NaN) fails, too
    viewed = {"none": [], "last": request.session_L[-1:].tolist(), "all": request.session_L.tolist()}
    if item in viewed["all" if request.hide_seen else rules.hide_viewed]:
        found.append("viewed")
    return found


def _on(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or day >= since) and (until is None or day < until)


def _no_stock(item: int, policy: Policy, request: PlacementRequest, facts: ItemFacts) -> bool:
    """Whether the item is out of stock, or of unknown stock where that is hidden: by rule, or as the feed is stale."""
    rule = policy.placement(request.placement).rules.stock
    limit, made = rule.feed_max_age_minutes, facts.feed_time_ms
    stale = limit is not None and (made is None or (request.now_ms - made) / 60_000 > limit)
    if stale and rule.when_stale == "hide_all":
        return True
    in_stock, out_of_stock = facts.stock_N[item] > 0, facts.stock_N[item] < 0
    return bool(out_of_stock or (not in_stock and (stale or rule.unknown == "hide")))


def _compared_price(policy: Policy, request: PlacementRequest, facts: ItemFacts) -> float | None:
    """Reference price of the price band, None if unknown."""
    placement = policy.placement(request.placement)
    assert placement.rules.price_band is not None
    cart = [item for item in request.cart_M.tolist() if 0 <= item < len(facts.item_ids)]
    wanted = placement.rules.price_band.of
    if wanted == "anchor":
        groups = {
            "cart": request.cart_M.tolist()[::-1],
            "last": request.session_L.tolist()[-1:],
            "session": request.session_L.tolist()[::-1],
            "host": [request.host] if request.host is not None else [],
            "scene": list(request.scene),
        }
        anchors = [item for name in placement.anchors for item in groups[name] if 0 <= item < len(facts.item_ids)]
        cart = anchors[:1]
    prices = [price for price in map(float, facts.prices_N[cart]) if price == price]
    if not prices:
        return None
    return sum(prices) if wanted == "cart_total" else max(prices)
