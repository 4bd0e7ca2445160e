"""Metrics that arms are compared by: each a mean over subjects, or a ratio of two such means.

The unit of randomisation is the subject, so a rate per answer or per order is a ratio of means over subjects, whose
variance the delta method gives; a test per order would find differences that are none (domain figures: docs).
"""

from dataclasses import dataclass
from typing import Final

from tillside.experiments.terms import MetricName

BEFORE: Final = "_before"
"""Ends the name of a column that counts the same in the time before the experiment."""
SUMS: Final = (
    "revenue",
    "orders",
    "lines",
    "converted",
    "answers",
    "degraded",
    "seen",
    "clicks",
    "carts",
    "bought",
    "dismissed",
    "anchored",
    "anchor_bought",
)
"""Sums by subject over the experiment's time; revenue is net of returns, ``converted`` is 1 with an order, else 0."""
BEFORE_SUMS: Final = tuple(name + BEFORE for name in ("revenue", "orders", "lines", "converted"))


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        numerator, denominator: sums; without a denominator it is the mean over subjects.
        more_is_better: whether a rise is welcome.
        of_all: whether it counts all that a subject does, so that the holdout has it too.
    """

    numerator: str
    denominator: str | None = None
    more_is_better: bool = True
    of_all: bool = False

    @property
    def covariates(self) -> tuple[str, str | None] | None:
        """The same metric in the time before, as CUPED uses it; None where there is none."""
        names = [name + BEFORE for name in (self.numerator, self.denominator) if name]
        if any(name not in BEFORE_SUMS for name in names):
            return None
        return names[0], names[1] if len(names) > 1 else None

    def sums_with(self, covariates: tuple[str | None, ...]) -> list[str]:
        """The sums that it is made of, and those of the covariates."""
        return [name for name in (self.numerator, self.denominator, *covariates) if name]


METRICS: Final[dict[MetricName, Metric]] = {
    "revenue": Metric("revenue", of_all=True),
    "orders": Metric("orders", of_all=True),
    "conversion": Metric("converted", of_all=True),
    "order_value": Metric("revenue", "orders", of_all=True),
    "lines_per_order": Metric("lines", "orders", of_all=True),
    "click_rate": Metric("clicks", "seen"),
    "add_rate": Metric("carts", "seen"),
    "attach_rate": Metric("bought", "seen"),
    "anchor_conversion": Metric("anchor_bought", "anchored"),
    "dismissal_rate": Metric("dismissed", "seen", more_is_better=False),
    "degraded_rate": Metric("degraded", "answers", more_is_better=False),
}
CAPPED: Final = ("revenue", "revenue" + BEFORE)
"""Sums that single subjects can blow up, so that they are capped at a percentile."""
