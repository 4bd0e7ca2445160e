"""Look-ahead targets: for each event the next one of a wanted kind, such as the next purchase, in the same session.

Shapes: K events of all sessions, concatenated; E the same, where no event was dropped. A place is an index into them.
"""

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions


def later_events(
    next_K: npt.NDArray[np.int64], places_K: npt.NDArray[np.int64], ends_K: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Places of the wanted events that come later in the session; -1 where it is the very next event, or none comes.

    Args:
        next_K: result of :func:`following` at each place.
        places_K: the places themselves.
        ends_K: end (excluded) of each place's session.
    """
    return np.where((next_K < ends_K) & (next_K > places_K + 1), next_K, -1)


def following(wanted_K: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each event the place of the next wanted one, in any session; K where there is none."""
    places_K = np.where(wanted_K, np.arange(len(wanted_K)), len(wanted_K))
    at_or_after = np.minimum.accumulate(places_K[::-1])[::-1]
    return np.append(at_or_after[1:], len(wanted_K))[: len(wanted_K)]


def goal_later(sessions: Sessions, goal: int) -> npt.NDArray[np.bool_]:
    """Whether the session reaches its goal after each event [E].

    Args:
        goal: index of that behaviour.
    """
    offsets = np.asarray(sessions.offsets)
    ends_E = np.repeat(offsets[1:], np.diff(offsets))
    later_E: npt.NDArray[np.bool_] = following(np.asarray(sessions.behaviours) == goal) < ends_E
    return later_E
