"""Terms of what fits what: rules over item attributes, and the category pairs that go together, as JSON documents.

A rule has two sides, each a category (with all below it) and an attribute of its items: the phone's ``series`` and the
case's ``fits``. Two items that a rule covers, in either order, fit if their values agree; where an item lacks the
attribute, the rule's ``unknown`` decides. Pairs that no rule covers fit.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "equal": operator.eq,
    "at_most": operator.le,
    "at_least": operator.ge,
}
"""Comparisons of the value of ``one`` with that of ``other``; all but ``equal`` are numeric."""
UNKNOWN: Final = ("fits", "refused")
MAKES: Final = ("complement", "nothing")
SAME_BRAND: Final = 1.0
ATTACHED: Final = 0.1
"""Share of the buyers of ``one`` that take something of ``other`` with it, as assumed before the log is asked."""


class Side(Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a rule: items under a category path, all below it included, and the attribute to compare.

    Without an attribute the rule compares nothing: it only says that the categories go together.
    """

    category: str
    attribute: str = ""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Two sides that fit if ``one``'s value is equal to, at most or at least ``other``'s.

    Attributes:
        makes: whether items of ``other`` that fit are complements of those of ``one``.
        strength: assumed share of ``one``'s buyers who take something of ``other`` along, before the log is asked.
        same_brand: items of ``other`` of the anchor's brand count so many times, or as often as the log says if more.
    """

    name: str
    one: Side
    other: Side
    compare: Literal["equal", "at_most", "at_least"] = "equal"
    unknown: Literal["fits", "refused"] = "fits"
    makes: Literal["complement", "nothing"] = "complement"
    strength: Annotated[float, Meta(gt=0, le=1)] = ATTACHED
    same_brand: Annotated[float, Meta(ge=1, le=100)] = SAME_BRAND

    @property
    def compares(self) -> bool:
        """Whether the rule can refuse a pair."""
        return bool(self.one.attribute and self.other.attribute)


class Kin(Struct, frozen=True, forbid_unknown_fields=True):
    """Items of the category ``other`` go with those of ``one``.

    Attributes:
        strength: share of ``one``'s buyers who take an item of ``other`` along, beyond chance, in (0, 1].
        same_brand: how many times as often an item of the anchor's own brand is taken.
    """

    one: str
    other: str
    strength: Annotated[float, Meta(gt=0, le=1)]
    same_brand: Annotated[float, Meta(gt=0, le=100)] = SAME_BRAND


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """Rules and kin of a shop, as stored beside its relations."""

    rules: tuple[Rule, ...] = ()
    kin: tuple[Kin, ...] = ()

    def document(self) -> dict[str, Any]:
        """The terms as JSON values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @classmethod
    def of_document(cls, document: object) -> "Terms":
        """Inverse of :meth:`document`.

        Raises:
            ValueError: the document is none of this version's.
        """
        return msgspec.convert(document, cls)


NOTHING_SAID: Final = Terms()
