"""Schema of a policy file as types: placements, sources, rules, the intent curve, segments and promotions.

Every key of a file is defined here and in ``offers``, with its bounds and default, and nowhere else; ``reader`` turns
YAML into these.
Days are the shop's local dates (``utc_offset_hours``); a span includes the day ``from`` and excludes the day ``until``.
"""

import itertools
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from tillside.policy.file.offers import OwnBundle, Promotion
from tillside.policy.file.values import (
    ConflictError,
    Count,
    Name,
    Seconds,
    Share,
    Shift,
    Span,
    Term,
    Weight,
    exactly_one,
    local_day,
)

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
"""Sources of items: the model (or the lower tier that answered), a relation, or a shelf."""
SegmentName = Literal["new", "returning", "dormant", "high_value"]
AnchorName = Literal["cart", "last", "session", "host", "scene"]
"""Items whose relations are queried: the cart, the last item of the session, all of it, the host's, the scene's."""
Fusion = Literal["strengths", "odds"]
MOST_ANCHORS: Final = 16


class Pin(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """An item placed by hand in a slot, counted from 1; hard rules apply to it too."""

    name: Name
    item: Name
    slot: Count = 1


class Ban(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """An item, a category with its descendants, or a brand that is never shown."""

    name: Name
    item: Name | None = None
    category: Name | None = None
    brand: Name | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        exactly_one(self, "item", "category", "brand")


class AtLeast(Term, frozen=True, kw_only=True):
    """Minimum count: at least ``n`` items of the answer have the category, brand or source."""

    n: Count = 1
    category: Name | None = None
    brand: Name | None = None
    source: SourceName | None = None

    def __post_init__(self) -> None:
        exactly_one(self, "category", "brand", "source")


class PriceBand(Term, frozen=True, kw_only=True):
    """Price band from ``low`` to ``high`` times a reference price: the cart's dearest item, the cart's total, or the
    first anchor.

    Without a reference price (an empty cart) the band does not apply. A hard band hides items of unknown price.
    """

    of: Literal["cart_dearest", "cart_total", "anchor"] = "cart_dearest"
    low: Annotated[float, Meta(ge=0)] = 0.0
    high: Annotated[float, Meta(gt=0)] = float("inf")
    hard: bool = False

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ConflictError(f"low must be below high ({self.high:g}), got {self.low:g}")


class Categories(Term, frozen=True, kw_only=True):
    """Category paths, each with its descendants; an empty ``only`` allows all."""

    only: tuple[Name, ...] = ()
    never: tuple[Name, ...] = ()


class AgeLimit(Term, frozen=True, kw_only=True):
    """Minimum age in years for a category and its descendants."""

    category: Name
    years: Annotated[int, Meta(ge=0, le=120)]


class Stock(Term, frozen=True, kw_only=True):
    """Stock rule: out-of-stock items are never shown, items of unknown stock as ``unknown`` says.

    With ``feed_max_age_minutes`` an older or missing feed is stale: items of unknown stock are then hidden, and with
    ``when_stale: hide_all`` all items.
    """

    unknown: Literal["show", "hide"] = "show"
    feed_max_age_minutes: Annotated[float, Meta(gt=0)] | None = None
    when_stale: Literal["hide_unknown", "hide_all"] = "hide_unknown"


class Cap(Term, frozen=True, kw_only=True):
    """Frequency cap over the impressions of items whose last one is within ``within_hours``.

    Attributes:
        shown: impressions after which an item rests (soft).
        category_shown: impressions of items of one finest category after which that category rests (soft).
        placement_shown: impressions of all items after which the placement shows nothing.
    """

    shown: Count | None = None
    category_shown: Count | None = None
    placement_shown: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    within_hours: Annotated[float, Meta(gt=0)] = 24.0

    def __post_init__(self) -> None:
        if self.shown is None and self.category_shown is None and self.placement_shown is None:
            raise ConflictError("one of shown, category_shown, placement_shown must be given, got none")


class Dismissals(Term, frozen=True, kw_only=True):
    """What shoppers waved away is not shown for ``within_hours``: hard.

    Attributes:
        category_after: dismissed items of one finest category after which that category goes too.
        placement_after: dismissals of any kind after which the placement shows nothing.
    """

    within_hours: Annotated[float, Meta(gt=0)] = 720.0
    category_after: Count | None = None
    placement_after: Count | None = None


class Season(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """Seasonal boost of categories within a span."""

    name: Name
    categories: Annotated[tuple[Name, ...], Meta(min_length=1)]
    boost: Weight


class Boosts(Term, frozen=True, kw_only=True):
    """Score factor: 1 + clearance * its share + margin * its share + new + season + same_brand, from 1 to ``at_most``.

    ``same_brand`` is for items of the first anchor's brand.
    """

    clearance: Weight = 0.0
    margin: Weight = 0.0
    new: Weight = 0.0
    same_brand: Weight = 0.0
    seasons: tuple[Season, ...] = ()
    at_most: Annotated[float, Meta(ge=1, le=100)] = 2.0


class Diversity(Term, frozen=True, kw_only=True):
    """Maximal marginal relevance: penalty of ``strength`` * best score * similarity to the items chosen before.

    The similarity is ``category`` for the same category (half for the same parent only), plus ``brand`` for the same
    brand, plus ``vector`` times the cosine of the model's item embeddings. Beside it, of one finest category only the
    best ``most_of_a_kind`` count in full: those behind them are shown where all others are far less likely.
    """

    strength: Share = 0.0
    category: Share = 0.7
    brand: Share = 0.3
    vector: Share = 0.0
    most_of_a_kind: Annotated[int, Meta(ge=1, le=100)] | None = None


class HideKind(Term, frozen=True, kw_only=True):
    """Hides the kinds of the basket (the cart, and what the session bought), or of the anchors as well.

    ``by_placement``: of the basket at cart, checkout and order_confirmed, elsewhere of the latest item if that is in
    the cart. A kind is an item's finest category, or its first ``depth`` levels; ``but`` names categories of which
    several are bought.
    """

    of: Literal["by_placement", "none", "cart", "anchors"] = "by_placement"
    depth: Annotated[int, Meta(ge=1, le=20)] | None = None
    but: tuple[Name, ...] = ()


class Exploration(Term, frozen=True, kw_only=True):
    """Chance in the choice of items, so that another policy can be judged by this one's log.

    Attributes:
        share: of the answers that are drawn, or of the slots.
        of: whether whole answers are drawn, or single slots.
        among: best candidates that a slot is drawn from, of the three a slot and twelve that are compared.
        temperature: at 1 a candidate's chance is proportional to its score; higher evens the chances out.
    """

    share: Annotated[float, Meta(gt=0, le=1)]
    of: Literal["answers", "slots"] = "answers"
    among: Annotated[int, Meta(ge=2, le=100)] = 20
    temperature: Annotated[float, Meta(gt=0, le=100)] = 1.0


class Rules(Term, frozen=True, kw_only=True):
    """Rules of a placement.

    Hard: stock, hide_viewed, hide_kind, fits, categories, age_limits, bans, dismissals, a hard price_band; always the
    cart and the exclusions. ``fits`` is what items must fit by the compatibility rules: the basket's latest item that a
    rule relates it to, or before that the first such anchor. ``related_first`` is soft: where these rules make
    complements of something in the cart, an item comes last that no relation brings and whose category is taken with
    the cart's no more often than by chance.
    """

    stock: Stock = Stock()
    hide_viewed: Literal["none", "last", "all"] = "none"
    hide_kind: HideKind = HideKind()
    fits: Literal["cart", "anchors", "none"] = "cart"
    related_first: bool = False
    categories: Categories = Categories()
    age_limits: tuple[AgeLimit, ...] = ()
    price_band: PriceBand | None = None
    cap: Cap | None = None
    dismissals: Dismissals = Dismissals()
    at_least: tuple[AtLeast, ...] = ()
    boosts: Boosts = Boosts()
    diversity: Diversity = Diversity()
    pins: tuple[Pin, ...] = ()
    bans: tuple[Ban, ...] = ()


class PlacementPolicy(Term, frozen=True, kw_only=True):
    """Policy of one placement.

    Attributes:
        behaviour: target behaviour of the model; the goal if omitted.
        sources: weights by source.
        fusion: what is weighted and summed: ``strengths`` (the model's by rank alone), or ``odds``, log-scaled
            purchase probabilities (the model's from its scores).
        anchors: kinds of items whose relations are queried, most important first.
        most_anchors: maximum number of anchors.
        slots: number of items at most; a request may ask for fewer.
        steering: effect of intent on the weights, 0 (none) to 1.
        bundles: maximum number of product bundles offered.
        fill: whether popular items fill slots that the sources leave open.
        least_chance: strength that an item must reach by at least one source; with one, nothing is filled.
        host_first: whether the host's own item takes the first slot.
        silent_during: moments of which a request says one, such as ``explanation``, that show nothing.
        explore: what of the choice is left to chance; nothing if omitted.
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
    least_chance: Share = 0.0
    host_first: bool = False
    silent_during: tuple[Name, ...] = ()
    explore: Exploration | None = None
    rules: Rules = Rules()


class Point(Term, frozen=True, kw_only=True):
    """Point of the intent curve: purchase intent to degree of decision."""

    intent: Share
    decided: Share


class RepeatViews(Term, frozen=True, kw_only=True):
    """Signal: an item of at least ``price``, not in the cart, was viewed at least ``views`` times."""

    views: Annotated[int, Meta(ge=2, le=1000)] = 3
    price: Annotated[float, Meta(ge=0)] = 0.0
    shift: Shift = -0.25


class Dwell(Term, frozen=True, kw_only=True):
    """Signal: the last event, of an item not in the cart, is ``seconds`` to ``at_most_seconds`` old."""

    seconds: Seconds = 90.0
    at_most_seconds: Seconds = 1800.0
    shift: Shift = -0.15


class CartMoves(Term, frozen=True, kw_only=True):
    """Signal: the latest cart event is of an item still in the cart (grew) or no longer in it (shrank)."""

    grew: Shift = 0.2
    shrank: Shift = -0.3


class Intent(Term, frozen=True, kw_only=True):
    """Degree of decision, from comparing (0) to decided (1), and its effect on the source weights.

    At 1 the weights of ``cross_sell`` sources are doubled and those of ``down_sell`` sources are 0; at 0 vice versa.
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
            raise ConflictError(f"the intents of the curve must rise, got {intents}")
        if self.down_sell_to >= self.cross_sell_from:
            raise ConflictError(f"down_sell_to must be below cross_sell_from, got {self.down_sell_to:g}")


class SegmentBounds(Term, frozen=True, kw_only=True):
    """Bounds of the segments of shoppers whose history a request sends without naming their segment.

    Without an event for ``dormant_after_days`` days a shopper is dormant, with so many purchases, or so much spent by
    today's prices, of high value, without any event new, else returning.
    """

    dormant_after_days: Annotated[float, Meta(gt=0)] = 60.0
    high_value_purchases: Annotated[int, Meta(ge=1)] = 10
    high_value_spent: Annotated[float, Meta(gt=0)] | None = None


class Policy(Term, frozen=True, kw_only=True):
    """A policy file; ``segments`` holds the complete policy of each segment, its overrides merged in."""

    placements: Annotated[dict[Name, PlacementPolicy], Meta(min_length=1)]
    intent: Intent = Intent()
    promotions: tuple[Promotion, ...] = ()
    bundles: tuple[OwnBundle, ...] = ()
    utc_offset_hours: Annotated[float, Meta(ge=-12, le=14)] = 0.0
    segment_bounds: SegmentBounds = SegmentBounds()
    segments: dict[SegmentName, "Policy"] = field(default_factory=dict)

    def of(self, segment: str | None) -> "Policy":
        """Policy of a segment; this one for None and for segments that the file does not name."""
        return self.segments.get(segment, self) if segment else self  # type: ignore[call-overload]

    def placement(self, name: str) -> PlacementPolicy:
        """The placement called ``name``.

        Raises:
            ValueError: there is none; the message names those there are.
        """
        found = self.placements.get(name)
        if found is None:
            raise ValueError(f"placement {name!r} is unknown; allowed: {', '.join(sorted(self.placements))}")
        return found

    def day(self, now_ms: int) -> date:
        """The shop's local date at ``now_ms`` (UTC ms)."""
        return local_day(now_ms, self.utc_offset_hours)
