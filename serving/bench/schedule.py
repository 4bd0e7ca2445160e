"""Arrival times of an open-loop load: drawn before the first request, so that no response can delay them, as shoppers
do not wait for one another."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Arrivals = Literal["poisson", "constant"]
ARRIVALS: Final[tuple[Arrivals, ...]] = ("poisson", "constant")


def due_times(rate: float, *, seconds: float, arrivals: Arrivals, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Due time of each request in seconds from the start, ascending, all below ``seconds``.

    ``constant`` spaces them evenly. ``poisson`` draws a Poisson count and then uniform times, which is a Poisson
    process.

    Args:
        rate: requests per second.

    Raises:
        ValueError: ``rate`` or ``seconds`` is not above 0.
    """
    for name, value in (("rate", rate), ("seconds", seconds)):
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")
    if arrivals == "constant":
        times = np.arange(int(np.ceil(rate * seconds))) / rate
        return times[times < seconds]
    return np.sort(rng.random(rng.poisson(rate * seconds)) * seconds)
