"""What a policy file offers beside items: promotions in steps, and product bundles set by hand."""

import itertools
from typing import Annotated, Literal

from msgspec import Meta

from tillside.policy.file.values import ConflictError, Count, Name, Span, Term, exactly_one


class Step(Term, frozen=True, kw_only=True):
    """Step of a promotion: from ``items`` items, or a sum of ``spend``, up there is something off, or a gift.

    Attributes:
        percent: off ``all`` of the items that take part, or off the ``cheapest`` only.
        amount: off the sum, in the shop's own unit.
        gift: item that comes free.
    """

    items: Count | None = None
    spend: Annotated[float, Meta(gt=0)] | None = None
    percent: Annotated[float, Meta(gt=0, le=100)] | None = None
    amount: Annotated[float, Meta(gt=0)] | None = None
    gift: Name | None = None
    off: Literal["all", "cheapest"] = "all"

    def __post_init__(self) -> None:
        exactly_one(self, "items", "spend")
        exactly_one(self, "percent", "amount", "gift")

    @property
    def height(self) -> float:
        """What is needed for it: items, or a sum."""
        return self.items if self.spend is None else self.spend  # type: ignore[return-value]


class Called(Term, frozen=True, kw_only=True):
    """What a promotion's items are called in its sentence: ``1 more accessory``, ``2 more accessories``, 配件."""

    one: Name
    many: Name
    zh: str = ""


class Promotion(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """Discount in steps on categories (all items if none is named).

    Discounts do not stack, the best one applies, but for promotions that say ``combines``: those add up.
    """

    name: Name
    categories: tuple[Name, ...] = ()
    called: Called | None = None
    combines: bool = False
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({step.spend is None for step in self.steps}) > 1:
            sentence = "the steps of a promotion must all count items or all a spend, got both"
            raise ConflictError(sentence, field="steps", allowed="items in each step, or spend in each")
        what = "items" if self.by_items else "spend"
        heights = [step.height for step in self.steps]
        if any(left >= right for left, right in itertools.pairwise(heights)):
            sentence = f"the {what} of the steps must rise, got {heights}"
            raise ConflictError(sentence, field="steps", allowed=f"steps by rising {what}")

    @property
    def by_items(self) -> bool:
        """Whether its steps count items, not a sum."""
        return self.steps[0].spend is None


class OwnBundle(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """A product bundle set by hand, of two to eight different items, with a price of its own if one is given."""

    name: Name
    items: Annotated[tuple[Name, ...], Meta(min_length=2, max_length=8)]
    price: Annotated[float, Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.items)) < len(self.items):
            sentence = f"the items of a bundle must differ, got {', '.join(self.items)}"
            raise ConflictError(sentence, field="items", allowed="each item once")
