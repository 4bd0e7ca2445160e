"""The structs of the wire format: what a request and an answer hold, field by field."""

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tillside.policy.file.terms import SegmentName
from tillside.policy.requests import Language, Mode

DEFAULT_K: Final = 20


class Event(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One thing the shopper did. A timestamp is UTC milliseconds; null or left out where there is no clock."""

    item_id: str
    behaviour: str | UnsetType = UNSET
    timestamp: int | UnsetType | None = UNSET


class CartLine(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One line of the cart; one piece where there is no quantity."""

    item_id: str
    quantity: int | UnsetType = UNSET


class Impression(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """An item that the shopper was shown: how often (once), and when the last time (now), UTC milliseconds."""

    item_id: str
    count: int | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


class RecommendRequest(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """The body of ``POST /v1/recommend``: the session so far and, of a shopper who returns, what came before it, oldest
    event first, and what is asked of it.

    What follows ``placement`` is for placements alone; a cart that is left out is what the session's cart events say.
    """

    session: list[Event]
    history: list[Event] | UnsetType = UNSET
    behaviour: str | UnsetType = UNSET
    k: int | UnsetType = UNSET
    exclude: list[str] | UnsetType = UNSET
    deadline_ms: int | UnsetType = UNSET
    placement: str | UnsetType = UNSET
    cart: list[CartLine] | UnsetType = UNSET
    segment: SegmentName | UnsetType = UNSET
    age: int | UnsetType = UNSET
    impressions: list[Impression] | UnsetType = UNSET
    host: str | UnsetType = UNSET
    scene: list[str] | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    explain: bool | UnsetType = UNSET
    timestamp: int | UnsetType = UNSET


class RecommendedItem(Struct, frozen=True, gc=False):
    """One recommended item; ``because`` is the item of the session that lies nearest to it."""

    item_id: str
    score: float
    source: str
    because: str | None


class Answer(Struct, frozen=True, gc=False):
    """The answer to a :class:`RecommendRequest`.

    Attributes:
        degraded_reason: why the model did not give it; null where it did.
        model_version: version of the exported model that answered; null without one.
        bundle: deprecated, the same as ``model_version``: it stands beside ``bundles``, which are offers.
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


class PlacedItem(RecommendedItem, frozen=True, gc=False):
    """One item of a placement's answer.

    Attributes:
        because: the item that led to it: of the cart or session, of the scene, or the host's.
        origin: the source in words, for the shop's own people.
        rule: the rule that set it by hand, or null.
        reason: a sentence for the shopper; ``reason_key`` names it, for shops that write their own.
        parts: what each source gave, the boost, and what diversity took; only where it was asked for.
    """

    origin: str
    rule: str | None
    reason_key: str
    reason: str
    parts: dict[str, float] | UnsetType = UNSET


class OfferedBundle(Struct, frozen=True, gc=False):
    """Items that go together, those of the cart first, and what they cost together."""

    items: list[str]
    missing: list[str]
    price: float
    discounted_price: float | None
    promotion: str | None


class PromotionHint(Struct, frozen=True, gc=False):
    """What is missing to a promotion's next step: so many more items, then so many per cent."""

    promotion: str
    missing: int
    percent: float
    reached_percent: float
    text: str


class PlacedAnswer(Answer, frozen=True, gc=False):
    """The answer to a request with a placement; its items are :class:`PlacedItem`.

    Attributes:
        why: what led to the mode, such as ``intent 0.82``.
        policy: the policy's version, first 12 hex digits of its file's SHA-256.
    """

    placement: str
    mode: Mode
    why: list[str]
    bundles: list[OfferedBundle]
    promotion: PromotionHint | None
    policy: str


encode_answer = msgspec.json.Encoder().encode
