"""Plan of a load: everything but its rate, that is server, requests, duration and connections.

Shapes: R requests of the schedule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.bench.load import Load, Read, read_answer
from serving.bench.resident import sampled
from serving.bench.schedule import Arrivals, due_times
from serving.bench.summary import Summary


@dataclass(frozen=True)
class Plan:
    """Parameters shared by several loads.

    Attributes:
        payloads: complete HTTP requests as bytes.
        warm_seconds: duration of the uncounted warm-up at each rate; 0 for none.
        pid: process whose resident memory is sampled, if any.
    """

    url: str
    payloads: Sequence[bytes]
    seconds: float
    connections: int = 64
    timeout: float = 10.0
    arrivals: Arrivals = "poisson"
    warm_seconds: float = 1.0
    pid: int | None = None
    seed: int = 0
    read: Read = read_answer

    def load(self, rate: float, seconds: float, *, seed: int = 0) -> Load:
        """A load of this plan, ready to run, at ``rate`` requests per second."""
        rng = np.random.default_rng([self.seed, seed, round(rate * 1000)])
        due_R = due_times(rate, seconds=seconds, arrivals=self.arrivals, rng=rng)
        return Load(self.url, self.payloads, due_R, connections=self.connections, timeout=self.timeout, read=self.read)

    async def measure(self, rate: float) -> Summary:
        """Run the warm-up and the load, and summarise it."""
        if self.warm_seconds:
            await self.load(rate, self.warm_seconds, seed=1).run()
        async with sampled(self.pid) as samples:
            ledger = await self.load(rate, self.seconds).run()
        return Summary.of(ledger, rate=rate, seconds=self.seconds, rss_mb=samples)
