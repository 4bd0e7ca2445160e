"""When requests are due. The schedule is drawn before the first request and no answer can delay it, as shoppers do not
wait for one another."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Arrivals = Literal["poisson", "constant"]
ARRIVALS: Final[tuple[Arrivals, ...]] = ("poisson", "constant")


def due_times(rate: float, *, seconds: float, arrivals: Arrivals, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Seconds from the start at which each request is due, ascending, all below ``seconds``.

    ``constant`` spaces them evenly; ``poisson`` draws how many there are, and then each one's place evenly over the
    time, which is the Poisson process.

    Raises:
        ValueError: the rate or the time is not above 0.
    """
    for name, value in (("rate", rate), ("seconds", seconds)):
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")
    if arrivals == "constant":
        times = np.arange(int(np.ceil(rate * seconds))) / rate
        return times[times < seconds]
    return np.sort(rng.random(rng.poisson(rate * seconds)) * seconds)
