"""Schema of a placement's rules as types: hard and soft rules, boosts, diversity, pins and bans.

What each does to an answer is said in ``tillside.policy.rules``, ``day_rules``, ``restraint`` and ``choosing``.
"""

from typing import Annotated, Literal

from msgspec import Meta

from tillside.policy.file.values import ConflictError, Count, Name, Share, Span, Term, Weight, exactly_one

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
            sentence = f"low must be below high ({self.high:g}), got {self.low:g}"
            raise ConflictError(sentence, field="low", allowed=f"a number of at least 0 and below {self.high:g}")


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
            sentence = "one of shown, category_shown, placement_shown must be given, got none"
            raise ConflictError(sentence, allowed="one or several of them")


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


class AttributeBoost(Term, frozen=True, kw_only=True):
    """Boost of the items whose ``attribute`` is ``value``."""

    attribute: Name
    value: Name
    boost: Weight


class Boosts(Term, frozen=True, kw_only=True):
    """Score factor, from 1 to ``at_most``: 1 + clearance * its share + margin * its share + new + season + same_brand +
    attributes.

    ``same_brand`` is for items of the brand of the anchor that they go with (``tillside.policy.own_brand``).
    """

    clearance: Weight = 0.0
    margin: Weight = 0.0
    new: Weight = 0.0
    same_brand: Weight = 0.0
    attributes: tuple[AttributeBoost, ...] = ()
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


class Rules(Term, frozen=True, kw_only=True):
    """Rules of a placement.

    Hard: stock, hide_viewed, hide_kind, fits, variants, categories, age_limits, bans, dismissals, a hard price_band;
    always the cart and the exclusions. ``fits`` is what items must fit by the compatibility rules: the basket's latest
    item that a rule relates it to, or before that the first such anchor. ``variants`` is the attribute whose value
    makes items one thing in several sizes or colours: one of them is shown, and none beside another in the basket or
    among the anchors. ``related_first`` is soft: where the compatibility rules make complements of something in the
    cart, an item comes last that no relation brings and whose category is taken with the cart's no more often than by
    chance.
    """

    stock: Stock = Stock()
    hide_viewed: Literal["none", "last", "all"] = "none"
    hide_kind: HideKind = HideKind()
    fits: Literal["cart", "anchors", "none"] = "cart"
    related_first: bool = False
    variants: Name | None = None
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
