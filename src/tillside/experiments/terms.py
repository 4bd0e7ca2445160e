"""Schema of an experiments file as types: the holdout, layers, experiments and their arms, and how they are read.

Every key of a file is defined here, with its bounds and default; ``reader`` turns YAML into these. A day is the shop's
local date (``utc_offset_hours``); a span includes the day ``from`` and excludes the day ``until``.
"""

import math
from datetime import date
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from tillside.policy.file.values import Name, Share, Span, Term, TermError

HOLDOUT: Final = "holdout"
"""Experiment and arm that exposures of the holdout bear."""
Unit = Literal["shopper", "session"]
MetricName = Literal[
    "revenue",
    "orders",
    "conversion",
    "order_value",
    "lines_per_order",
    "click_rate",
    "add_rate",
    "attach_rate",
    "anchor_conversion",
    "dismissal_rate",
    "degraded_rate",
]
"""What arms are compared by. The first five are of all that a shopper does; the others of the slots that were seen."""
Correction = Literal["holm", "benjamini_hochberg", "none"]
SHARES_SUM: Final = 1e-9
"""How near to 1 the shares of all arms must come."""


class Overrides(Struct, frozen=True, eq=False):
    """What an arm lays over the policy file in force: a YAML mapping, checked against the policy's types.

    Attributes:
        node: the mapping as it was read, so that what goes wrong later can still be told with its line.
        text: the same as YAML, for the arm's version.
    """

    node: Any
    text: str


class Slice(Term, frozen=True, kw_only=True, rename={"low": "from", "high": "until"}):
    """Part of a layer, half open: the subjects whose draw in the layer is from ``from`` to below ``until``."""

    low: Share = 0.0
    high: Share = 1.0

    def __post_init__(self) -> None:
        if self.low >= self.high:
            sentence = f"until must be above from ({self.low:g}), got {self.high:g}"
            raise TermError(sentence, field="until", allowed=f"a number above {self.low:g}")

    def meets(self, other: "Slice") -> bool:
        """Whether both hold a common part."""
        return self.low < other.high and other.low < self.high


class Holdout(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """Subjects who get no recommendations; it is drawn before all experiments, and no experiment has them.

    Attributes:
        salt: another one draws other subjects.
        placements: where nothing is shown; all if empty.
    """

    share: Annotated[float, Meta(gt=0, le=0.5)]
    salt: Name = HOLDOUT
    placements: tuple[Name, ...] = ()


class Arm(Term, frozen=True, kw_only=True):
    """One arm: its share of the experiment's subjects, and what it changes; nothing for a control.

    Attributes:
        policy: laid over the policy file in force, as a segment's overrides are.
        bundle: folder of another bundle that answers; one that is not absolute is sought beside the experiments file.
    """

    share: Annotated[float, Meta(gt=0, le=1)]
    policy: Overrides | None = None
    bundle: Name | None = None


class Guardrail(Term, frozen=True, kw_only=True):
    """A metric that must not get worse than the control's by more than ``at_most`` of it."""

    at_most: Annotated[float, Meta(gt=0, le=1)] = 0.02


class Reading(Term, frozen=True, kw_only=True):
    """How an experiment is planned and read.

    Attributes:
        goal: the metric that decides.
        also: further metrics, reported with the goal under one correction.
        guardrails: metrics that must not get worse.
        smallest_effect: relative effect on the goal that is worth finding.
        alpha: chance of a false alarm over all metrics together.
        power: chance to find ``smallest_effect``.
        cap: percentile at which each shopper's revenue is capped, over all arms together; 1 for none.
        cuped: whether what the shoppers did in the weeks before is used to narrow the intervals.
        before_days: length of that time before.
        srm_alpha: chance of a false alarm about the arms' sizes.
    """

    goal: MetricName = "revenue"
    also: tuple[MetricName, ...] = ("orders", "order_value", "click_rate", "attach_rate")
    guardrails: dict[MetricName, Guardrail] = field(
        default_factory=lambda: {"anchor_conversion": Guardrail(), "dismissal_rate": Guardrail(at_most=0.1)}
    )
    smallest_effect: Annotated[float, Meta(gt=0, le=10)] = 0.02
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    power: Annotated[float, Meta(ge=0.5, lt=1)] = 0.8
    correction: Correction = "holm"
    cap: Annotated[float, Meta(ge=0.5, le=1)] = 0.99
    cuped: bool = True
    before_days: Annotated[int, Meta(ge=1, le=365)] = 28
    srm_alpha: Annotated[float, Meta(gt=0, lt=0.1)] = 0.001


class Experiment(Span, frozen=True, kw_only=True, rename={"since": "from"}):
    """One experiment: subjects of a slice of its layer, parted into arms.

    Attributes:
        layer: experiments of one layer have no subject in common; layers are drawn independently.
        slice: of the layer. Widening it at its end moves nobody who is in already.
        salt: of the draw of the arm; the experiment's name if omitted.
        placements: where it changes anything; all if empty.
        arms: by name; the first is the control that the others are compared with.
    """

    layer: Name = "all"
    slice: Slice = Slice()
    salt: Name | None = None
    placements: tuple[Name, ...] = ()
    arms: Annotated[dict[Name, Arm], Meta(min_length=2)]
    read: Reading = Reading()

    def __post_init__(self) -> None:
        super().__post_init__()
        total = math.fsum(arm.share for arm in self.arms.values())
        if abs(total - 1) > SHARES_SUM:
            raise TermError(
                f"the shares of the arms must sum to 1, got {total:g}", field="arms", allowed="shares of sum 1"
            )

    @property
    def control(self) -> str:
        """Name of the arm that the others are compared with."""
        return next(iter(self.arms))

    def same_days(self, other: "Experiment") -> bool:
        """Whether both run on a common day."""
        return (self.since or date.min) < (other.until or date.max) and (other.since or date.min) < (
            self.until or date.max
        )

    @property
    def bundles(self) -> tuple[str, ...]:
        """Bundles that its arms name, each once."""
        return tuple(dict.fromkeys(arm.bundle for arm in self.arms.values() if arm.bundle is not None))

    def changes(self, placement: str | None) -> bool:
        """Whether the experiment is about a placement."""
        return not self.placements or placement in self.placements


class Experiments(Term, frozen=True, kw_only=True):
    """An experiments file.

    Attributes:
        unit: what is drawn: the shopper, or for visits without a shopper's key the session; or always the session.
        experiments: by name.
    """

    unit: Unit = "shopper"
    utc_offset_hours: Annotated[float, Meta(ge=-12, le=14)] = 0.0
    holdout: Holdout | None = None
    experiments: dict[Name, Experiment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.holdout is None and not self.experiments:
            sentence = "one of holdout, experiments must be given, got none"
            raise TermError(sentence, allowed="one or both of them")
