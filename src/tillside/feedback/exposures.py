"""Exposures: what the server answered, to whom and where, slot by slot. Answered is not seen: that is an impression.

An exposure is one JSON object; what is absent is null. Times are UTC milliseconds.
"""

from typing import Final

import msgspec
from msgspec import Struct

NOT_KEPT: Final = msgspec.Raw()
"""Of an exposure without its request."""


class Slot(Struct, frozen=True, gc=False, omit_defaults=True):
    """One item of an answer.

    Attributes:
        position: counted from 1.
        source: what proposed the item, such as ``complement`` or ``model``.
        anchor: the item that led to it.
        propensity: probability that this item stood here, given the slots before it; 1.0 where nothing is drawn, None
            where it is not known.
    """

    item: str
    position: int
    source: str | None = None
    anchor: str | None = None
    propensity: float | None = None


class Exposure(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One answer.

    Attributes:
        time: when it was given, UTC milliseconds.
        shopper, session: keys that the caller gave, hashed where the server has a salt.
        tier: model, or the fallback tier; ``reason`` says why not the model.
        intent: probability that the session still buys.
        segment: of the shopper.
        policy, model: their versions.
        anonymous: no shopper's key came, so that the session is the subject.
        request: what was asked, as JSON and without keys, where the server keeps it: another policy can be asked again.
    """

    recommendation_id: str
    time: int
    tier: str
    slots: list[Slot]
    shopper: str | None = None
    session: str | None = None
    placement: str | None = None
    reason: str | None = None
    mode: str | None = None
    intent: float | None = None
    segment: str | None = None
    experiment: str | None = None
    arm: str | None = None
    policy: str | None = None
    model: str | None = None
    anonymous: bool = False
    request: msgspec.Raw = NOT_KEPT

    @property
    def subject(self) -> str | None:
        """Whose exposure it is: the shopper's key, else the session's."""
        return self.session if self.shopper is None else self.shopper


encode_exposure: Final = msgspec.json.Encoder().encode
decode_exposure: Final = msgspec.json.Decoder(Exposure).decode
"""Of one JSON object; unknown members are passed over, so that older readers read newer logs.

Raises:
    msgspec.DecodeError: it is no exposure.
"""
