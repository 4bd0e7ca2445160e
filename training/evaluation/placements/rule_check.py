"""The hard rules of a policy once more, in plain words: what no answer may break, whoever made it.

Nothing here is shared with ``tillside.policy`` but the words of the policy file and the facts' columns: an item is
looked at alone, by id and attribute tokens, where the policy works on masks over candidates. A mistake in one of the
two shows as a violation.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from tillside.events import BRAND, CATEGORY
from tillside.policy import ItemFacts, PlacementRequest, Policy


def broken_rules(items: Sequence[int], policy: Policy, request: PlacementRequest, facts: ItemFacts) -> Counter[str]:
    """How often an answer breaks each hard rule: once an item and rule; and more than k items, or an item twice.

    Args:
        items: the answer's item numbers.
    """
    broken = Counter(rule for item in items for rule in forbidding(item, policy, request, facts))
    slots = policy.of(request.segment).placement(request.placement).slots
    if len(items) > (slots if request.k is None else request.k):
        broken["too_many"] += 1
    if len(set(items)) < len(items):
        broken["twice"] += len(items) - len(set(items))
    return broken


def forbidding(item: int, policy: Policy, request: PlacementRequest, facts: ItemFacts) -> list[str]:
    """The hard rules that forbid one item."""
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
            found.append("price")  # an unknown price, NaN, too
    viewed = {"none": [], "last": request.session_L[-1:].tolist(), "all": request.session_L.tolist()}
    if item in viewed[rules.hide_viewed]:
        found.append("viewed")
    return found


def _on(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or day >= since) and (until is None or day < until)


def _no_stock(item: int, policy: Policy, request: PlacementRequest, facts: ItemFacts) -> bool:
    """Out of stock; or of unknown stock where that is hidden, because the file says so or because the feed is old."""
    rule = policy.placement(request.placement).rules.stock
    limit, made = rule.feed_max_age_minutes, facts.feed_time_ms
    stale = limit is not None and (made is None or (request.now_ms - made) / 60_000 > limit)
    if stale and rule.when_stale == "hide_all":
        return True
    in_stock, out_of_stock = facts.stock_N[item] > 0, facts.stock_N[item] < 0
    return bool(out_of_stock or (not in_stock and (stale or rule.unknown == "hide")))


def _compared_price(policy: Policy, request: PlacementRequest, facts: ItemFacts) -> float | None:
    """The price that a price band is relative to, or None where there is none."""
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
