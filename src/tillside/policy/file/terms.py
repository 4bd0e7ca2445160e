"""The words of a policy file, as types: placements, sources, rules, the intent curve, segments and promotions.

Every key that a file may hold stands here with its bounds, and nowhere else; ``reading`` turns YAML into these. Days
are the shop's own (``utc_offset_hours``); a span holds from the day ``from`` up to the day before ``until``. Keys that
are left out have the values below.
"""

import itertools
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

SourceName = Literal[
    "model",
    "complement",
    "substitute",
    "upsell",
    "downsell",
    "bundle",
    "brand",
    "series",
    "scene",
    "gift",
    "popular",
    "new",
    "clearance",
]
"""Where an item may come from: the model (or the rung below it that answered), a relation, or a shelf of the shop."""
SegmentName = Literal["new", "returning", "dormant", "high_value"]
AnchorName = Literal["cart", "last", "session", "host", "scene"]
"""Items that relations are asked about: the cart, the last item of the session, all of it, the host's, the scene's."""
Fusion = Literal["strengths", "odds"]
MOST_ANCHORS: Final = 16
Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0, le=100)]
Shift = Annotated[float, Meta(ge=-1, le=1)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Name = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[float, Meta(ge=0)]


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file."""


class Span(Term, frozen=True, kw_only=True, rename={"since": "from"}):
    """Days on which something holds, half open; without them it always does."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise ValueError(f"until must be after from ({self.since}), got {self.until}")

    def holds(self, day: date) -> bool:
        """Whether ``day`` lies in the span."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


class Pin(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """An item set by hand into a slot, 1 being the first; hard rules hold for it too."""

    name: Name
    item: Name
    slot: Count = 1


class Ban(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """An item, a category with all below it, or a brand that is never shown."""

    name: Name
    item: Name | None = None
    category: Name | None = None
    brand: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _exactly_one(self, "item", "category", "brand")


class AtLeast(Term, frozen=True, kw_only=True):
    """At least ``n`` of the answer's items are of one kind."""

    n: Count = 1
    category: Name | None = None
    brand: Name | None = None
    source: SourceName | None = None

    def __post_init__(self) -> None:
        _exactly_one(self, "category", "brand", "source")


class PriceBand(Term, frozen=True, kw_only=True):
    """Prices between ``low`` and ``high`` times a price: of the cart's dearest item, of the cart, or of the first
    anchor.

    Without that price (an empty cart) the band says nothing. A hard band hides items of unknown price.
    """

    of: Literal["cart_dearest", "cart_total", "anchor"] = "cart_dearest"
    low: Annotated[float, Meta(ge=0)] = 0.0
    high: Annotated[float, Meta(gt=0)] = float("inf")
    hard: bool = False

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high ({self.high:g}), got {self.low:g}")


class Categories(Term, frozen=True, kw_only=True):
    """Category paths, each with all below it; an empty ``only`` allows all."""

    only: tuple[Name, ...] = ()
    never: tuple[Name, ...] = ()


class AgeLimit(Term, frozen=True, kw_only=True):
    """A category with all below it that is for shoppers of ``years`` and more."""

    category: Name
    years: Annotated[int, Meta(ge=0, le=120)]


class Stock(Term, frozen=True, kw_only=True):
    """What is out of stock is never shown; this says what of the rest is.

    With ``feed_max_age_minutes`` a feed that is older, or that never came, is stale: then items of unknown stock are
    not shown, and with ``when_stale: hide_all`` none at all.
    """

    unknown: Literal["show", "hide"] = "show"
    feed_max_age_minutes: Annotated[float, Meta(gt=0)] | None = None
    when_stale: Literal["hide_unknown", "hide_all"] = "hide_unknown"


class Cap(Term, frozen=True, kw_only=True):
    """An item shown ``shown`` times, the last time within ``within_hours``, rests."""

    shown: Count
    within_hours: Annotated[float, Meta(gt=0)] = 24.0


class Season(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """Categories that are lifted between two days."""

    name: Name
    categories: Annotated[tuple[Name, ...], Meta(min_length=1)]
    boost: Weight


class Boosts(Term, frozen=True, kw_only=True):
    """What a score is multiplied by: 1 + clearance * its share + margin * its share + new + season, within bounds."""

    clearance: Weight = 0.0
    margin: Weight = 0.0
    new: Weight = 0.0
    seasons: tuple[Season, ...] = ()
    at_most: Annotated[float, Meta(ge=1, le=100)] = 2.0


class Diversity(Term, frozen=True, kw_only=True):
    """Maximal marginal relevance: a score loses up to ``strength`` of the best one for what is shown already.

    The same category counts ``category``, half of that where only the one above it is the same; the same brand
    ``brand``; and ``vector`` times the cosine of the vectors by which the model knows the two items.
    """

    strength: Share = 0.0
    category: Share = 0.7
    brand: Share = 0.3
    vector: Share = 0.0


class Rules(Term, frozen=True, kw_only=True):
    """Hard: stock, hide_viewed, categories, age_limits, bans, a hard price_band, always cart and exclusions."""

    stock: Stock = Stock()
    hide_viewed: Literal["none", "last", "all"] = "none"
    categories: Categories = Categories()
    age_limits: tuple[AgeLimit, ...] = ()
    price_band: PriceBand | None = None
    cap: Cap | None = None
    at_least: tuple[AtLeast, ...] = ()
    boosts: Boosts = Boosts()
    diversity: Diversity = Diversity()
    pins: tuple[Pin, ...] = ()
    bans: tuple[Ban, ...] = ()


class PlacementPolicy(Term, frozen=True, kw_only=True):
    """One place of the shop.

    Attributes:
        behaviour: what the model is asked for, the goal where it is left out.
        sources: weights by source.
        fusion: what is weighed and added up: how strongly each source speaks (the model by rank alone), or how much
            chance each gives an item of being bought, as a logarithm (the model by its score).
        anchors: whose partners the relations give, the most important first.
        most_anchors: so many of them are asked.
        slots: how many items are shown where the request does not say.
        steering: how much intent moves the weights, 0 not at all.
        bundles: how many bundles are offered at most.
        fill: whether popular items fill what the sources leave open.
    """

    behaviour: Name | None = None
    sources: dict[SourceName, Weight]
    fusion: Fusion = "strengths"
    anchors: tuple[AnchorName, ...] = ("cart", "session")
    most_anchors: Annotated[int, Meta(ge=1, le=MOST_ANCHORS)] = 4
    slots: Annotated[int, Meta(ge=1, le=100)] = 8
    steering: Share = 1.0
    bundles: Annotated[int, Meta(ge=0, le=20)] = 0
    fill: bool = True
    rules: Rules = Rules()


class Point(Term, frozen=True, kw_only=True):
    """Of a shopper with this purchase intent, how far they have decided."""

    intent: Share
    decided: Share


class RepeatViews(Term, frozen=True, kw_only=True):
    """One item of at least ``price``, not in the cart, viewed ``views`` times."""

    views: Annotated[int, Meta(ge=2, le=1000)] = 3
    price: Annotated[float, Meta(ge=0)] = 0.0
    shift: Shift = -0.25


class Dwell(Term, frozen=True, kw_only=True):
    """The last item, not in the cart, looked at for between ``seconds`` and ``at_most_seconds``."""

    seconds: Seconds = 90.0
    at_most_seconds: Seconds = 1800.0
    shift: Shift = -0.15


class CartMoves(Term, frozen=True, kw_only=True):
    """The latest cart event was of an item that is still in the cart (grew), or no longer (shrank)."""

    grew: Shift = 0.2
    shrank: Shift = -0.3


class Intent(Term, frozen=True, kw_only=True):
    """From comparing (0) to decided (1), and what that does to the weights.

    At 1 the sources of ``cross_sell`` weigh twice as much and those of ``down_sell`` nothing; at 0 the other way round.
    """

    curve: Annotated[tuple[Point, ...], Meta(min_length=2)] = (
        Point(intent=0.0, decided=0.0),
        Point(intent=1.0, decided=1.0),
    )
    unknown: Share = 0.5
    repeat_views: RepeatViews | None = None
    dwell: Dwell | None = None
    cart: CartMoves | None = None
    cross_sell_from: Share = 0.6
    down_sell_to: Share = 0.4
    cross_sell: tuple[SourceName, ...] = ("complement", "bundle", "gift")
    down_sell: tuple[SourceName, ...] = ("downsell", "substitute", "clearance")

    def __post_init__(self) -> None:
        intents = [point.intent for point in self.curve]
        if any(left >= right for left, right in itertools.pairwise(intents)):
            raise ValueError(f"the intents of the curve must rise, got {intents}")
        if self.down_sell_to >= self.cross_sell_from:
            raise ValueError(f"down_sell_to must be below cross_sell_from, got {self.down_sell_to:g}")


class Step(Term, frozen=True, kw_only=True):
    """From ``items`` pieces on, ``percent`` off: off all of them, or off the cheapest alone."""

    items: Count
    percent: Annotated[float, Meta(gt=0, le=100)]
    off: Literal["all", "cheapest"] = "all"


class Promotion(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """A tiered discount on categories (all where none is named); of several only the best one counts."""

    name: Name
    categories: tuple[Name, ...] = ()
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = [step.items for step in self.steps]
        if any(left >= right for left, right in itertools.pairwise(counts)):
            raise ValueError(f"the items of the steps must rise, got {counts}")


class Policy(Term, frozen=True, kw_only=True):
    """A policy file; ``segments`` holds for each segment the whole policy with what that segment overrides."""

    placements: Annotated[dict[Name, PlacementPolicy], Meta(min_length=1)]
    intent: Intent = Intent()
    promotions: tuple[Promotion, ...] = ()
    utc_offset_hours: Annotated[float, Meta(ge=-12, le=14)] = 0.0
    segments: dict[SegmentName, "Policy"] = field(default_factory=dict)

    def of(self, segment: str | None) -> "Policy":
        """What holds for a segment; a segment the file says nothing about has the policy of all."""
        return self.segments.get(segment, self) if segment else self  # type: ignore[call-overload]

    def placement(self, name: str) -> PlacementPolicy:
        """The placement of that name.

        Raises:
            ValueError: the file has none; the sentence names those it has.
        """
        found = self.placements.get(name)
        if found is None:
            raise ValueError(f"placement {name!r} is unknown; allowed: {', '.join(sorted(self.placements))}")
        return found

    def day(self, now_ms: int) -> date:
        """The shop's day."""
        return date.fromordinal(UNIX_DAY + int(now_ms + self.utc_offset_hours * HOUR_MS) // DAY_MS)


HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
UNIX_DAY: Final = date(1970, 1, 1).toordinal()


def _exactly_one(term: Struct, *names: str) -> None:
    given = [name for name in names if getattr(term, name) is not None]
    if len(given) != 1:
        raise ValueError(f"exactly one of {', '.join(names)} must be given, got {', '.join(given) or 'none'}")
