"""Targets further on in a session: for each event the next one that is wanted, such as the next purchase.

Shapes: K events of all sessions, one session after the other.
"""

import numpy as np
import numpy.typing as npt


def later_events(
    next_K: npt.NDArray[np.int64], places_K: npt.NDArray[np.int64], ends_K: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The places of what comes later in the session, -1 where it comes at once or not before the session's end.

    Args:
        next_K: of each place, what :func:`following` found; ``ends_K``: where the session ends.
    """
    return np.where((next_K < ends_K) & (next_K > places_K + 1), next_K, -1)


def following(wanted_K: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each event the place of the next wanted one, of whatever session; past the last event where there is none."""
    places_K = np.where(wanted_K, np.arange(len(wanted_K)), len(wanted_K))
    at_or_after = np.minimum.accumulate(places_K[::-1])[::-1]
    return np.append(at_or_after[1:], len(wanted_K))[: len(wanted_K)]
