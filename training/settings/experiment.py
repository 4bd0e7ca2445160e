"""Settings of ``training.experiment``."""

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What to do with an experiments file."""

    check = "check"
    plan = "plan"
    read = "read"


@dataclass
class ExperimentConfig:
    """Which experiments to check, to plan or to read, and from which tables."""

    do: Action = Action.read
    """What to do; may be typed as the first word, without do=."""
    experiments: str | None = None
    """Experiments file, or the name of one that ships."""
    name: str | None = None
    """Only this experiment of the file; holdout for the holdout. Default: all of them."""
    measured: str | None = None
    """For plan and read: the folder that training.measure wrote."""
    policy: str | None = None
    """For check: the policy file that the arms are laid over, or the name of one that ships. Default: each arm is
    checked by itself."""
    weeks: int = 8
    """For plan: the longest experiment to think of; as many past weeks must lie in the tables, or fewer are planned."""
    out: str | None = None
    """For read: a JSON file for what was found, which training.promote reads as experiment=FILE. Default: none."""

    def __post_init__(self) -> None:
        if self.experiments is None:
            raise ValueError("experiments must be given, as experiments=FILE")
        if self.do is not Action.check and self.measured is None:
            raise ValueError(
                f"{self.do.name} needs the tables of training.measure: measured must be given, as measured=DIR"
            )
        if not 1 <= self.weeks <= 52:
            raise ValueError(f"weeks must be from 1 to 52, got {self.weeks}")
