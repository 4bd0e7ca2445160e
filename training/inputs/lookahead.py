"""Look-ahead targets: for each event the next one of a wanted kind, such as the next purchase, in the same session.

What is carted or bought later means what else: an item that the cart holds already is no target. Else the question of
the purchase learns to repeat the cart, and an answer without the cart's items shows their rivals.

Shapes: K events of all sessions, concatenated; E the same, where no event was dropped; C places to look ahead from. A
place is an index into the events.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions

EXPECTED: Final = 2
"""Above this many behaviours the two strongest take an item; else only the strongest."""

Places = npt.NDArray[np.int64]


def taking(behaviours: int) -> list[int]:
    """Indices of the behaviours that take an item: cart and purchase, or only the goal in a log with at most two."""
    return list(range(behaviours))[-2 if behaviours > EXPECTED else -1 :]


def first_taken(items_K: Places, behaviours_K: npt.NDArray[np.integer], sessions_K: Places, *, goal: int) -> Places:
    """For each event the place where its session first takes its item; the event's own place where it takes nothing.

    In a log of one behaviour nothing is taken: that a shopper comes back to an item is what is to be learned there.

    Args:
        sessions_K: a number of each event's session.
        goal: index of the strongest behaviour.
    """
    places_K = np.arange(len(items_K))
    takes = np.flatnonzero(np.isin(behaviours_K, taking(goal + 1))) if goal else np.zeros(0, np.int64)
    if not len(takes):
        return places_K
    keys = sessions_K[takes] * (int(items_K.max()) + 1) + items_K[takes]
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    places_K[takes] = takes[first][number]
    return places_K


def later_events(
    next_K: Places, places_C: Places, ends_C: Places, *, first_K: Places | None = None
) -> npt.NDArray[np.int64]:
    """Place of the wanted event that comes later in the session [C]; -1 where it is the very next event, or none comes.

    Args:
        next_K: result of :func:`following`, for all events.
        places_C: places to look ahead from.
        ends_C: end (excluded) of each one's session.
        first_K: result of :func:`first_taken`; wanted events of an item that was taken by then are passed over.
    """
    found_C = next_K[places_C]
    if first_K is not None:
        while True:
            known_C = found_C < ends_C
            known_C[known_C] = first_K[found_C[known_C]] <= places_C[known_C]
            if not known_C.any():
                break
            found_C[known_C] = next_K[found_C[known_C]]
    return np.where((found_C < ends_C) & (found_C > places_C + 1), found_C, -1)


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
