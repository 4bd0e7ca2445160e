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
from tillside.policy.requests import GOAL

DECIDED = ("cart", "checkout", "order_confirmed")
"""Placements that hide the basket's kinds unless told otherwise."""


def broken_rules(items: Sequence[int], policy: Policy, request: PlacementRequest, facts: ItemFacts) -> Counter[str]:
    """Count an answer's violations: one per item and hard rule, plus ``too_many`` (above k), ``twice`` (duplicates) and
    ``variant`` (the same thing in another size or colour).

    Args:
        items: catalogue indices of the answer's items.
    """
    broken = Counter(rule for item in items for rule in forbidding(item, policy, request, facts))
    slots = policy.of(request.segment).placement(request.placement).slots
    if len(items) > (slots if request.k is None else min(request.k, slots)):
        broken["too_many"] += 1
    if len(set(items)) < len(items):
        broken["twice"] += len(items) - len(set(items))
    attribute = policy.of(request.segment).placement(request.placement).rules.variants
    things = [_thing(item, attribute, facts) for item in set(items) if 0 <= item < len(facts.item_ids)]
    known = [thing for thing in things if thing]
    if len(set(known)) < len(known):
        broken["variant"] += len(known) - len(set(known))
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
    basket = _basket(request, facts)
    if rules.hide_kind.of != "none":
        decided = rules.hide_kind.of != "by_placement" or request.placement in DECIDED
        latest = set(request.session_L.tolist()[-1:]) & set(request.cart_M.tolist())
        compared_with = [
            *(basket if decided else latest),
            *(_anchors(policy, request, facts) if rules.hide_kind.of == "anchors" else []),
        ]
        kinds = {kind for other in compared_with if (kind := _kind(other, policy, request, facts))}
        if kinds & categories:
            found.append("kind")
    if rules.fits != "none":
        compared_with = [*(_anchors(policy, request, facts) if rules.fits == "anchors" else []), *basket[::-1]]
        judged = [verdict for other in compared_with if (verdict := _fits(item, other, facts)) is not None]
        if judged and not judged[0]:
            found.append("misfit")
    thing = _thing(item, rules.variants, facts)
    held = [*basket, *_anchors(policy, request, facts), *([] if request.host is None else [request.host])]
    if thing and any(other != item and _thing(other, rules.variants, facts) == thing for other in held):
        found.append("variant")
    since = request.now_ms - rules.dismissals.within_hours * 3_600_000
    gone = [each for each in request.dismissed if each.time_ms > since]
    if any(each.item == item or each.category in categories for each in gone):
        found.append("dismissed")
    viewed = {"none": [], "last": request.session_L[-1:].tolist(), "all": request.session_L.tolist()}
    if item in viewed["all" if request.hide_seen else rules.hide_viewed]:
        found.append("viewed")
    return found


def _basket(request: PlacementRequest, facts: ItemFacts) -> list[int]:
    """The cart, or without one what the session bought."""
    items = request.cart_M.tolist()
    if not items:
        kinds = request.kinds_L.tolist()  # empty if unknown
        items = [item for item, kind in zip(request.session_L.tolist(), kinds, strict=False) if kind == GOAL]
    return [item for item in items if 0 <= item < len(facts.item_ids)]


def _thing(item: int, attribute: str | None, facts: ItemFacts) -> frozenset[str]:
    """What an item is a variant of; nothing if no attribute tells."""
    return frozenset(token for token in facts.tokens_of(item) if token.startswith(f"{attribute}="))


def _kind(item: int, policy: Policy, request: PlacementRequest, facts: ItemFacts) -> str:
    """Kind of an item: its deepest category, or the first levels of it; empty for one of which several are bought."""
    hide = policy.placement(request.placement).rules.hide_kind
    paths = [token.removeprefix(f"{CATEGORY}=") for token in facts.tokens_of(item) if token.startswith(f"{CATEGORY}=")]
    levels = min(paths, key=lambda path: (-path.count("."), path), default="").split(".")
    if any(levels[: len(other.split("."))] == other.split(".") for other in hide.but):
        return ""
    return ".".join(levels if hide.depth is None else levels[: hide.depth])


def _fits(item: int, other: int, facts: ItemFacts) -> bool | None:
    """Whether two items agree under every rule that covers them, in either order; None if none does."""
    verdicts = []
    for rule in facts.terms.rules:
        for one, two in ((item, other), (other, item)):
            mine, theirs = facts.tokens_of(one), facts.tokens_of(two)
            covered = f"{CATEGORY}={rule.one.category}" in mine and f"{CATEGORY}={rule.other.category}" in theirs
            if covered and rule.one.attribute and rule.other.attribute:
                ones = [
                    t.removeprefix(f"{rule.one.attribute}=") for t in mine if t.startswith(f"{rule.one.attribute}=")
                ]
                twos = [
                    t.removeprefix(f"{rule.other.attribute}=")
                    for t in theirs
                    if t.startswith(f"{rule.other.attribute}=")
                ]
                agree = {
                    "equal": lambda a, b: a == b,
                    "at_most": lambda a, b: float(a) <= float(b),
                    "at_least": lambda a, b: float(a) >= float(b),
                }[rule.compare]
                unknown = not ones or not twos
                verdicts.append(rule.unknown == "fits" if unknown else any(agree(a, b) for a in ones for b in twos))
    return all(verdicts) if verdicts else None


def _anchors(policy: Policy, request: PlacementRequest, facts: ItemFacts) -> list[int]:
    """Known items that the placement asks for partners of, most important first, each once, so many as it allows."""
    placement = policy.placement(request.placement)
    groups = {
        "cart": request.cart_M.tolist()[::-1],
        "last": request.session_L.tolist()[-1:],
        "session": request.session_L.tolist()[::-1],
        "host": [request.host] if request.host is not None else [],
        "scene": list(request.scene),
    }
    found = [item for name in placement.anchors for item in groups[name] if 0 <= item < len(facts.item_ids)]
    return list(dict.fromkeys(found))[: placement.most_anchors]


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
        cart = _anchors(policy, request, facts)[:1]
    prices = [price for price in map(float, facts.prices_N[cart]) if price == price]
    if not prices:
        return None
    return sum(prices) if wanted == "cart_total" else max(prices)
