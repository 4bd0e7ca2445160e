"""Structs of the wire format: the fields of requests and answers, with their types.

Limits and descriptions of request fields: serving.protocol.fields.
"""

from typing import Final, TypedDict, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from tillside.policy.file.terms import SegmentName
from tillside.policy.requests import Language, Mode

DEFAULT_K: Final = 20


class Event(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One event of a session; ``timestamp`` in UTC milliseconds, null or absent if unknown."""

    item_id: str
    behaviour: str | UnsetType = UNSET
    timestamp: int | UnsetType | None = UNSET


class CartLine(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One cart line; ``quantity`` defaults to 1."""

    item_id: str
    quantity: int | UnsetType = UNSET


class Impression(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Impressions of one item: ``count`` (default 1), and the latest one's ``timestamp`` in UTC ms (default now)."""

    item_id: str
    count: int | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


class Dismissal(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Something the shopper waved away: an item, a category with all below it, or a placement (one of the three).

    ``timestamp`` in UTC ms (default now).
    """

    item_id: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    placement: str | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


class PriceRange(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Prices from ``at_least`` to ``at_most``, both inclusive; an absent bound is open."""

    at_least: float | UnsetType = UNSET
    at_most: float | UnsetType = UNSET


class AttributeIs(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Items whose attribute ``name`` has one of the values ``any_of``."""

    name: str
    any_of: list[str]


class Filter(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Items that meet all that is given: in one of ``categories``, in none of ``without``, price, attributes.

    A category includes those below it. With ``price`` an item of unknown price does not match.
    """

    categories: list[str] | UnsetType = UNSET
    without: list[str] | UnsetType = UNSET
    price: PriceRange | UnsetType = UNSET
    attributes: list[AttributeIs] | UnsetType = UNSET


class Boost(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Factor on the scores of the items that match ``where``."""

    where: Filter
    factor: float


class PagePlacement(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One placement of several; what it leaves out is the request's."""

    placement: str
    k: int | UnsetType = UNSET
    candidates: list[str] | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET


NOT_SENT: Final = cast("list[Event]", ())
"""The session of a request that names its shopper alone."""


class RecommendRequest(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Body of ``POST /v1/recommend``: the session, a returning shopper's history, and the parameters of the answer.

    Events are oldest first. Where the server remembers visits the session may be :data:`NOT_SENT`. Fields after
    ``placement`` are for placements alone; an absent cart is inferred from the session's cart events. ``candidates``
    and ``filter`` limit what is answered, ``placements`` asks for several.
    """

    session: list[Event] = NOT_SENT
    history: list[Event] | UnsetType = UNSET
    behaviour: str | UnsetType = UNSET
    k: int | UnsetType = UNSET
    exclude: list[str] | UnsetType = UNSET
    deadline_ms: int | UnsetType = UNSET
    hide_seen: bool | UnsetType = UNSET
    names: bool | UnsetType = UNSET
    candidates: list[str] | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET
    cart: list[CartLine] | UnsetType = UNSET
    shopper_id: str | UnsetType = UNSET
    session_id: str | UnsetType = UNSET
    placements: list[PagePlacement] | UnsetType = UNSET
    placement: str | UnsetType = UNSET
    segment: SegmentName | UnsetType = UNSET
    age: int | UnsetType = UNSET
    impressions: list[Impression] | UnsetType = UNSET
    dismissed: list[Dismissal] | UnsetType = UNSET
    moment: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    scene: list[str] | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    explain: bool | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET
    boosts: list[Boost] | UnsetType = UNSET


def of_page(
    request: RecommendRequest, asked: PagePlacement, *, exclude: list[str], deadline_ms: int
) -> RecommendRequest:
    """The request for one placement of several: what that leaves out is the whole request's."""
    return structs.replace(
        request,
        placements=UNSET,
        placement=asked.placement,
        k=request.k if asked.k is UNSET else asked.k,
        candidates=request.candidates if asked.candidates is UNSET else asked.candidates,
        filter=request.filter if asked.filter is UNSET else asked.filter,
        exclude=exclude,
        deadline_ms=deadline_ms,
    )


class RecommendedItem(Struct, frozen=True, gc=False):
    """One recommended item.

    Attributes:
        because: session item most similar to it.
        seen: whether the session holds it.
        name: display name, null without one; only with ``names``.
    """

    item_id: str
    score: float
    source: str
    because: str | None
    seen: bool
    name: str | UnsetType | None = UNSET


class Answer(Struct, frozen=True, gc=False):
    """Answer to a :class:`RecommendRequest`.

    Attributes:
        degraded_reason: why a fallback tier answered; null if the model did.
        model_version: version of the exported model in use; null if none is loaded.
        hint: sentence for whoever wrote the request, if the answer is hardly what they wanted.
        experiment, arm: what the shopper takes part in; several are joined by ``|``, in the same order.
        remembered_events: events of the shopper's visit that the server remembered, where the request sent none.
        bundle: deprecated alias of ``model_version``; ``bundles`` are offers, something else.
    """

    recommendation_id: str
    items: list[RecommendedItem]
    tier: str
    degraded_reason: str | None
    behaviour: str
    purchase_intent: float | None
    unknown_items: list[str]
    model_version: str | None
    bundle: str | None
    hint: str | UnsetType = UNSET
    experiment: str | UnsetType = UNSET
    arm: str | UnsetType = UNSET
    remembered_events: int | UnsetType = UNSET


class CommonFields(TypedDict):
    """Fields of an :class:`Answer` other than its items and their tier."""

    recommendation_id: str
    degraded_reason: str | None
    behaviour: str
    purchase_intent: float | None
    unknown_items: list[str]
    model_version: str | None
    bundle: str | None
    hint: str | UnsetType


class PlacedItem(RecommendedItem, frozen=True, gc=False, kw_only=True):
    """One item of a :class:`PlacedAnswer`.

    Attributes:
        because: the item that led to it, from cart, session or scene, or the host's item.
        origin: source in words, for the shop's staff.
        rule: rule that pinned it, or null.
        reason: sentence for the shopper; ``reason_key`` identifies it, for shops that write their own.
        parts: contribution of each source, boost and diversity penalty; only with ``explain``.
    """

    origin: str
    rule: str | None
    reason_key: str
    reason: str
    parts: dict[str, float] | UnsetType = UNSET


class OfferedBundle(Struct, frozen=True, gc=False):
    """Items that are bought together, those in the cart first, with their total price."""

    items: list[str]
    missing: list[str]
    price: float
    discounted_price: float | None
    promotion: str | None


class PromotionHint(Struct, frozen=True, gc=False):
    """Distance to a promotion's next step, in items or in money: to a discount, a fixed amount off, or a gift."""

    promotion: str
    missing: int
    percent: float
    reached_percent: float
    text: str
    missing_spend: float | None
    amount: float | None
    gift: str | None


class PlacedAnswer(Answer, frozen=True, gc=False, kw_only=True):
    """Answer to a request with a placement; its items are :class:`PlacedItem`.

    Attributes:
        why: evidence for the mode, such as ``intent 0.82``.
        policy: version of the policy, first 12 hex digits of its file's SHA-256.
        notes: sentences for the shop's staff: needs that are not met, and why nothing is shown.
        removed: number of items that each rule removed; with ``explain``, and where nothing is shown.
        segment: the shopper's, as sent or computed from the history; null if neither.
    """

    placement: str
    mode: Mode
    why: list[str]
    bundles: list[OfferedBundle]
    promotion: PromotionHint | None
    policy: str
    segment: SegmentName | None
    notes: list[str]
    removed: dict[str, int] | UnsetType = UNSET


class PageAnswer(Struct, frozen=True, gc=False):
    """Answer to a request with several placements, in their order; no item is shown by two of them.

    Each is a :class:`PlacedAnswer`, or an :class:`Answer` where no policy could be asked.
    """

    placements: list[Answer]


encode_answer = msgspec.json.Encoder().encode
