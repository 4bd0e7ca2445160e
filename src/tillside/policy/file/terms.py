"""Schema of a policy file as types: placements, sources, rules, the intent curve, segments and promotions.

Every key of a file is defined here, in ``rule_terms`` and in ``offers``, with its bounds and default, and nowhere else;
``reader`` turns YAML into these.
Days are the shop's local dates (``utc_offset_hours``); a span includes the day ``from`` and excludes the day ``until``.
"""

import itertools
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from tillside.policy.file.offers import OwnBundle, Promotion
from tillside.policy.file.rule_terms import Rules, SourceName
from tillside.policy.file.values import ConflictError, Name, Seconds, Share, Shift, Term, Weight, local_day

SegmentName = Literal["new", "returning", "dormant", "high_value"]
AnchorName = Literal["cart", "last", "session", "host", "scene"]
"""Items whose relations are queried: the cart, the last item of the session, all of it, the host's, the scene's."""
Fusion = Literal["strengths", "odds"]
MOST_ANCHORS: Final = 16


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

    @property
    def takes_host(self) -> bool:
        """Whether the answer depends on what a host shows."""
        return self.host_first or "host" in self.anchors


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
    """Signal: the latest cart event is of an item that is still in the cart or was bought (grew), or is neither
    (shrank)."""

    grew: Shift = 0.2
    shrank: Shift = -0.3


class Intent(Term, frozen=True, kw_only=True):
    """Degree of decision, from comparing (0) to decided (1), and its effect on the source weights.

    At 1 the weights of ``cross_sell`` sources are doubled and those of ``down_sell`` sources are 0; at 0 vice versa. Of
    ``up_sell`` sources they are 0 at 0, and as they are from the middle on: who hesitates is offered nothing dearer.
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
    up_sell: tuple[SourceName, ...] = ("upsell",)

    def __post_init__(self) -> None:
        intents = [point.intent for point in self.curve]
        if any(left >= right for left, right in itertools.pairwise(intents)):
            sentence = f"the intents of the curve must rise, got {intents}"
            raise ConflictError(sentence, field="curve", allowed="points by rising intent")
        if self.down_sell_to >= self.cross_sell_from:
            sentence = f"down_sell_to must be below cross_sell_from, got {self.down_sell_to:g}"
            below = f"a number of at least 0 and below {self.cross_sell_from:g}"
            raise ConflictError(sentence, field="down_sell_to", allowed=below)


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
