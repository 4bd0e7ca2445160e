"""Hard rules of a policy file, read again from docs/policy.md: a checker that shares no code with the product.

It knows YAML and JSON alone: the policy's text, the rows of an items feed, a request and its answer. It says what an
answer shows that the page forbids, and what it fails to show or to tell. Compatibility rules (``fits``) and soft rules
are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import yaml

DECIDED: Final = ("cart", "checkout", "order_confirmed")
HOUR_MS: Final = 3_600_000
CLOSE: Final = 1e-5
"""Prices are kept in single precision."""

Row = Mapping[str, Any]


def merged(lower: Any, upper: Any) -> Any:
    """One document laid over another, key by key."""
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    return lower | {key: merged(lower[key], own) if key in lower else own for key, own in upper.items()}


class ForeignChecker:
    """Checks answers under one policy in one shop.

    Args:
        text: the policy file; its key ``off`` may stand without quotes.
        rows: lines of the shop's items feed, of every item; the first says when it was made.
        goal: name of the log's last behaviour.
    """

    def __init__(self, text: str, rows: Sequence[Row], *, goal: str) -> None:
        self.document = yaml.safe_load(text.replace("off:", "'off':"))
        self.made_ms, self.goal = rows[0]["time_ms"], goal
        self.items: dict[str, Row] = {row["item_id"]: row for row in rows[1:]}

    def broken(self, request: Row, answer: Row) -> list[str]:
        """What is wrong with an answer, each a sentence."""
        document = merged(self.document, self.document.get("segments", {}).get(request.get("segment"), {}))
        own = merged(document.get("defaults", {}), document["placements"][request["placement"]])
        rules, shown = own.get("rules", {}), [item["item_id"] for item in answer["items"]]
        found = []
        slots = min(own.get("slots", 8), request.get("k", 100))
        if len(shown) > slots:
            found.append(f"{len(shown)} items in {slots} slots")
        if len(set(shown)) < len(shown):
            found.append("an item stands twice")
        if self._silent(own, request) and (shown or answer.get("bundles")):
            found.append("something is shown where nothing should be")
        for item in shown:
            found += [f"{item}: {rule}" for rule in self._forbidding(item, own, request, document)]
        cart = {line["item_id"] for line in request.get("cart", ())}
        bundles = answer.get("bundles", ())
        if len(bundles) > own.get("bundles", 0):
            found.append("more bundles than the placement offers")
        for bundle in bundles:
            if set(bundle["missing"]) != set(bundle["items"]) - cart or not bundle["missing"]:
                found.append(f"bundle {bundle['items']}: missing is {bundle['missing']}")
            for item in bundle["missing"]:
                wrong = [rule for rule in self._forbidding(item, own, request, document) if rule != "viewed"]
                found += [f"bundle with {item}: {rule}" for rule in wrong]
            total = sum(self.items[item].get("price") or 0.0 for item in bundle["items"])
            if abs(bundle["price"] - total) > CLOSE * total:
                found.append(f"bundle {bundle['items']} costs {total}, not {bundle['price']}")
            if bundle.get("discounted_price") is not None and bundle["discounted_price"] > bundle["price"]:
                found.append(f"bundle {bundle['items']} costs more by its promotion")
        found += self._pinned(own, request, document, shown, slots)
        for need in rules.get("at_least", ()):
            kind = next(name for name in ("category", "brand", "source") if name in need)
            met = sum(self._is(item, kind, need[kind]) for item in answer["items"])
            if shown and met < need.get("n", 1) and not any("at_least" in note for note in answer["notes"]):
                found.append(f"at_least {need} is not met and nobody is told")
        if not shown and not answer["notes"] and answer.get("degraded_reason") is None:
            found.append("nothing is shown, and no note says why")
        return found

    def _forbidding(self, item: str, own: Row, request: Row, document: Row) -> Iterator[str]:
        """Names of the hard rules that forbid an item."""
        rules, row, now = own.get("rules", {}), self.items.get(item), request["timestamp"]
        if row is None:
            yield "unknown"
            return
        paths = self._paths(item)
        cart = [line["item_id"] for line in request.get("cart", ())]
        seen = [event["item_id"] for event in request["session"] if event["item_id"] in self.items]
        if item in cart:
            yield "cart"
        if item in request.get("exclude", ()):
            yield "excluded"
        stock = rules.get("stock", {})
        limit = stock.get("feed_max_age_minutes")
        stale = limit is not None and now - self.made_ms > limit * 60_000
        unknown = row.get("stock") is None
        hidden = unknown and (stale or stock.get("unknown") == "hide")
        if row.get("stock") == 0 or hidden or (stale and stock.get("when_stale") == "hide_all"):
            yield "stock"
        categories = rules.get("categories", {})
        if categories.get("only") and not _within(paths, categories["only"]):
            yield "categories.only"
        if _within(paths, categories.get("never", ())):
            yield "categories.never"
        day = self._day(now, document)
        for ban in rules.get("bans", ()):
            named = ban.get("item") == item or ban.get("brand", "") in self._brands(item)
            if (named or _within(paths, [ban["category"]] if "category" in ban else ())) and _holds(ban, day):
                yield "banned"
        years = [limit["years"] for limit in rules.get("age_limits", ()) if _within(paths, [limit["category"]])]
        if max([row.get("minimum_age") or 0, *years]) > request.get("age", 0):
            yield "age"
        band = rules.get("price_band")
        if band and band.get("hard"):
            compared, price = self._compared(band, own, request, cart, seen), row.get("price")
            if compared is not None:
                low, high = band.get("low", 0.0) * compared, band.get("high", float("inf")) * compared
                if price is None or not low * (1 - CLOSE) <= price <= high * (1 + CLOSE):
                    yield "price"
        if _within(paths, self._kinds(own, request, cart, seen)):
            yield "kind"
        terms = rules.get("dismissals", {})
        gone = self._dismissed(terms, request)
        if any(
            each.get("item_id") == item or _within(paths, [each["category"]] if "category" in each else ())
            for each in gone
        ):
            yield "dismissed"
        viewed = "all" if request.get("hide_seen") else rules.get("hide_viewed", "none")
        if item in {"all": seen, "last": seen[-1:], "none": []}[viewed]:
            yield "viewed"
        if "candidates" in request and item not in request["candidates"]:
            yield "candidates"
        if not self._meets(row, paths, request.get("filter", {})):
            yield "filter"

    def _silent(self, own: Row, request: Row) -> bool:
        rules, now = own.get("rules", {}), request["timestamp"]
        cap = rules.get("cap", {})
        since = now - cap.get("within_hours", 24) * HOUR_MS
        seen = sum(
            each.get("count", 1)
            for each in request.get("impressions", ())
            if each["item_id"] in self.items and each["timestamp"] > since
        )
        gone = self._dismissed(rules.get("dismissals", {}), request)
        return (
            request.get("moment", "") in own.get("silent_during", ())
            or seen >= cap.get("placement_shown", float("inf"))
            or any(each.get("placement") == request["placement"] for each in gone)
            or len(gone) >= rules.get("dismissals", {}).get("placement_after", float("inf"))
        )

    def _dismissed(self, terms: Row, request: Row) -> list[Row]:
        since = request["timestamp"] - terms.get("within_hours", 720) * HOUR_MS
        gone = [each for each in request.get("dismissed", ()) if each["timestamp"] > since]
        finest = [self._finest(each["item_id"]) for each in gone if each.get("item_id") in self.items]
        after = terms.get("category_after", float("inf"))
        return gone + [{"category": path} for path in dict.fromkeys(finest) if path and finest.count(path) >= after]

    def _kinds(self, own: Row, request: Row, cart: Sequence[str], seen: Sequence[str]) -> list[str]:
        hide = own.get("rules", {}).get("hide_kind", {})
        of = hide.get("of", "by_placement")
        bought = [event["item_id"] for event in request["session"] if event.get("behaviour") == self.goal]
        basket = [item for item in (cart or bought) if item in self.items]
        if of == "none":
            return []
        if of == "by_placement" and request["placement"] not in DECIDED:
            basket = [item for item in seen[-1:] if item in cart]
        if of == "anchors":
            basket += self._anchors(own, request, cart, seen)
        paths = [path for path in map(self._finest, basket) if path and not _within([path], hide.get("but", ()))]
        return [".".join(path.split(".")[: hide.get("depth")]) for path in paths]

    def _anchors(self, own: Row, request: Row, cart: Sequence[str], seen: Sequence[str]) -> list[str]:
        given = {"cart": cart[::-1], "last": seen[-1:], "session": seen[::-1], "scene": request.get("scene", ())}
        given["host"] = [request["host"]] if "host" in request else []
        found = [item for name in own.get("anchors", ("cart", "session")) for item in given[name] if item in self.items]
        return list(dict.fromkeys(found))[: own.get("most_anchors", 4)]

    def _compared(self, band: Row, own: Row, request: Row, cart: Sequence[str], seen: Sequence[str]) -> float | None:
        pieces = [line["item_id"] for line in request.get("cart", ()) for _ in range(line.get("quantity", 1))]
        of = band.get("of", "cart_dearest")
        items = self._anchors(own, request, cart, seen)[:1] if of == "anchor" else pieces
        prices = [price for item in items if (price := self.items.get(item, {}).get("price")) is not None]
        return None if not prices else sum(prices) if of == "cart_total" else max(prices)

    def _pinned(self, own: Row, request: Row, document: Row, shown: Sequence[str], slots: int) -> Iterator[str]:
        day = self._day(request["timestamp"], document)
        pins = [pin for pin in own.get("rules", {}).get("pins", ()) if _holds(pin, day) and pin.get("slot", 1) <= slots]
        if self._silent(own, request) or len(pins) > slots:
            return
        for pin in pins:
            if pin["item"] not in shown and not any(self._forbidding(pin["item"], own, request, document)):
                yield f"{pin['item']} is pinned and not shown"

    def _meets(self, row: Row, paths: Sequence[str], asked: Row) -> bool:
        low = asked.get("price", {}).get("at_least", float("-inf"))
        high = asked.get("price", {}).get("at_most", float("inf"))
        price = row.get("price")
        if asked.get("price") and (price is None or not low * (1 - CLOSE) <= price <= high * (1 + CLOSE)):
            return False
        if asked.get("without") and _within(paths, asked["without"]):
            return False
        return not asked.get("categories") or _within(paths, asked["categories"])

    def _is(self, placed: Row, kind: str, value: str) -> bool:
        item = placed["item_id"]
        if kind == "source":
            return bool(placed["source"] == value)
        return _within(self._paths(item), [value]) if kind == "category" else value in self._brands(item)

    def _paths(self, item: str) -> list[str]:
        return _listed(self.items[item].get("attributes", {}).get("category", ()))

    def _brands(self, item: str) -> list[str]:
        return _listed(self.items[item].get("attributes", {}).get("brand", ()))

    def _finest(self, item: str) -> str:
        return min(self._paths(item), key=lambda path: (-path.count("."), path), default="")

    @staticmethod
    def _day(now_ms: int, document: Row) -> date:
        return (
            datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(hours=document.get("utc_offset_hours", 0))
        ).date()


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _within(paths: Sequence[str], among: Sequence[str]) -> bool:
    """Whether a path is one of these, or below one."""
    return any(path == other or path.startswith(f"{other}.") for path in paths for other in among)


def _holds(rule: Row, day: date) -> bool:
    since, until = (None if rule.get(end) is None else date.fromisoformat(str(rule[end])) for end in ("from", "until"))
    return (since is None or day >= since) and (until is None or day < until)
