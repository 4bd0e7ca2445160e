"""Which sessions are for training, validation and test: the keys ``split``."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class SplitBy(Enum):
    """Split criterion."""

    auto = "auto"
    fractions = "fractions"
    days = "days"
    given = "given"
    leave_one_out = "leave_one_out"


DEFAULTS: Final = {
    SplitBy.fractions: (0.05, 0.1),
    SplitBy.days: (7.0, 7.0),
    SplitBy.given: (0.05, 0.0),
    SplitBy.leave_one_out: (0.0, 0.0),
}


@dataclass
class SplitConfig:
    """Split settings."""

    by: SplitBy = SplitBy.auto
    """What is held out for validation and test. fractions: the sessions that end last. days: those that end in the last
    days. given: as the log says, with the last share of its train sessions for validation. leave_one_out: each
    session's last event for test, the one before for validation, the rest for training. auto: given where the log gives
    it, leave_one_out where it has no clock, else fractions."""
    validation: float | None = None
    """A share of the sessions (null: 0.05) or days (null: 7); null for leave_one_out."""
    test: float | None = None
    """A share of the sessions (null: 0.1) or days (null: 7); null for given and leave_one_out."""

    def resolved(self, *, split_is_given: bool, has_clock: bool) -> "SplitConfig":
        """Fill in the defaults.

        Raises:
            ValueError: a share or number of days is out of range, or ``by`` does not apply to the log.
        """
        fitting = [SplitBy.fractions, SplitBy.days, SplitBy.leave_one_out]
        if split_is_given or not has_clock:
            fitting = [SplitBy.given if split_is_given else SplitBy.leave_one_out]
        by = fitting[0] if self.by is SplitBy.auto else self.by
        if by not in fitting:
            allowed = ", ".join(["auto", *(each.value for each in fitting)])
            raise ValueError(f"split.by is {by.value!r}, which does not fit this log; allowed: {allowed}")
        if by is SplitBy.leave_one_out and (self.validation, self.test) != (None, None):
            raise ValueError(
                f"split.validation and split.test must be null for leave_one_out, which holds out one event of each "
                f"session for either, got {self.validation} and {self.test}"
            )
        if by is SplitBy.given and self.test is not None:
            raise ValueError(f"split.test is {self.test}, but the log gives its test cases; leave it out")
        validation, test = DEFAULTS[by]
        validation = validation if self.validation is None else self.validation
        test = test if self.test is None else self.test
        for name, value in (("validation", validation), ("test", test)):
            if not value >= 0:
                raise ValueError(f"split.{name} must be at least 0, got {value}")
        if by is not SplitBy.days and validation + test >= 1:
            raise ValueError(
                f"split.validation + split.test must be below 1 (shares of sessions), got {validation + test}"
            )
        return SplitConfig(by, validation, test)
