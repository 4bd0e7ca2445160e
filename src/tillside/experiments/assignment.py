"""Assignment: which arm a subject is in. Pure and sticky: the same in server, client and analysis, without any state.

A draw is the first 32 bits of SHA-256 over ``SALT:KEY`` in UTF-8, as a share of 2**32; any language has it in a line,
and ``TEST_VECTORS`` says what must come out. Three draws decide, each under its own salt, so that none tells anything
about another: the holdout's, then for each layer the slice, then for each experiment the arm, by the arms' shares in
the order of the file.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tillside.experiments.terms import HOLDOUT, Arm, Experiment, Experiments
from tillside.policy.file.values import local_day

DRAWS: Final = 1 << 32
LAYER_SALT: Final = "layer."
"""Put before a layer's name, so that an experiment of the same name is drawn independently of it."""
JOIN: Final = "|"
"""Between the names where a subject is in experiments of several layers at once."""
TEST_VECTORS: Final = (
    ("holdout", "shopper-1", 0x06B931EB),
    ("holdout", "shopper-2", 0xFCC2F158),
    ("layer.all", "shopper-1", 0xC2A8D5BB),
    ("cart_slots", "shopper-1", 0x511C7A8B),
    ("cart_slots", "", 0xAE58FA6C),
    ("cart_slots", "顾客", 0x5DB08416),
)
"""Salt, key, and the draw's 32 bits."""


class Assignment(Struct, frozen=True):
    """What a subject is in at one placement and moment.

    Attributes:
        arms: name of the experiment, name of the arm, and the arm, in the order of the file; none in the holdout.
        held_out: whether the subject gets no recommendations.
        subject: the key that was drawn; None without any, and then nothing is assigned.
        anonymous: whether that is a session's because there was no shopper's.
    """

    arms: tuple[tuple[str, str, Arm], ...] = ()
    held_out: bool = False
    subject: str | None = None
    anonymous: bool = False

    @property
    def experiment(self) -> str | None:
        """Names of the experiments as an exposure bears them, or None."""
        return HOLDOUT if self.held_out else JOIN.join(name for name, _, _ in self.arms) or None

    @property
    def arm(self) -> str | None:
        """Names of the arms as an exposure bears them, in the same order, or None."""
        return HOLDOUT if self.held_out else JOIN.join(name for _, name, _ in self.arms) or None


NOT_ASSIGNED: Final = Assignment()


def bits(salt: str, key: str) -> int:
    """The 32 bits drawn for a key under a salt."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:4], "big")


def drawn(salt: str, key: str) -> float:
    """The same as a share, from 0 to below 1; uniform over keys, and independent between salts."""
    return bits(salt, key) / DRAWS


def arm_of(name: str, experiment: Experiment, key: str) -> str | None:
    """Name of the arm that a key is in; None if it is outside the experiment's slice."""
    place = drawn(LAYER_SALT + experiment.layer, key)
    if not experiment.slice.low <= place < experiment.slice.high:
        return None
    left = drawn(experiment.salt or name, key)
    for arm, term in experiment.arms.items():
        left -= term.share
        if left < 0:
            return arm
    return arm  # the shares sum to 1 up to rounding


def held_out(experiments: Experiments, key: str) -> bool:
    """Whether a key belongs to the holdout, whatever day and placement."""
    holdout = experiments.holdout
    return holdout is not None and drawn(holdout.salt, key) < holdout.share


def assign(
    experiments: Experiments, *, shopper: str | None, session: str | None, placement: str | None, now_ms: int
) -> Assignment:
    """Assign a visit.

    Args:
        shopper, session: keys as the shop gives them; an empty one is none.
        placement: that is asked for; None for a request without one.
        now_ms: UTC ms.
    """
    shopper, session = shopper or None, session or None
    subject = (shopper or session) if experiments.unit == "shopper" else session
    if subject is None:
        return NOT_ASSIGNED
    anonymous = shopper is None
    day = local_day(now_ms, experiments.utc_offset_hours)
    holdout = experiments.holdout
    if holdout is not None and holdout.holds(day) and held_out(experiments, subject):
        hidden = not holdout.placements or placement in holdout.placements
        return Assignment((), hidden, subject, anonymous)

    def arms() -> Iterator[tuple[str, str, Arm]]:
        for name, experiment in experiments.experiments.items():
            if experiment.holds(day) and experiment.changes(placement):
                arm = arm_of(name, experiment, subject)
                if arm is not None:
                    yield name, arm, experiment.arms[arm]

    return Assignment(tuple(arms()), False, subject, anonymous)


def parted(experiment: str | None, arm: str | None) -> dict[str, str]:
    """Arm by experiment, from what an exposure bears."""
    return dict(zip((experiment or "").split(JOIN), (arm or "").split(JOIN), strict=True)) if experiment else {}
