"""Search for the highest rate a server sustains at a given p99: doubling or halving until one rate holds and one fails,
then geometric bisection; bounded in trials."""

from collections.abc import Awaitable, Callable
from typing import Final

from serving.bench.summary import Summary

PRECISION: Final = 1.05
"""The search ends when the lowest failing rate is at most this multiple of the highest rate held."""
MOST_TRIALS: Final = 14


async def find_rate(
    measure: Callable[[float], Awaitable[Summary]],
    *,
    p99_ms: float,
    start: float,
    most_trials: int = MOST_TRIALS,
) -> tuple[float, list[Summary]]:
    """Highest rate tried that :meth:`Summary.holds`, 0 if none did, and all trials in order.

    A trial in which the generator itself fell behind counts as failed, whatever the server did.
    """
    trials: list[Summary] = []
    held, failed, rate = 0.0, float("inf"), start
    while len(trials) < most_trials and failed > held * PRECISION:
        summary = await measure(rate)
        trials.append(summary)
        if summary.kept_schedule() and summary.holds(p99_ms):
            held = rate
        else:
            failed = rate
        between = (held * failed) ** 0.5  # 0 while nothing has held, infinite while nothing has failed
        rate = between if 0 < between < float("inf") else held * 2 or failed / 2
    return held, trials
