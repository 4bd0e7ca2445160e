"""Evaluation questions of a placement: a past session's first half is the prefix, the rest the held-out answer.

Sessions whose events share one timestamp (the lines of an invoice) are cut like all others, in the log's order.
Shapes: Q questions, L events seen, M items in the cart, E events, B behaviours.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.events import TIME_UNKNOWN
from tillside.policy import PlacementRequest

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Questions:
    """Questions of one placement, at most one per session.

    Attributes:
        events_Q: index of the first held-out event in the part's flat arrays.
        sessions_Q: session index.
        carts: distinct items taken in the prefix, latest last, int64 [M].
        answers: distinct later items with the requested behaviour or a stronger one, minus the cart; ascending, at
            least one.
    """

    events_Q: Ints
    sessions_Q: Ints
    carts: list[Ints]
    answers: list[Ints]

    def __len__(self) -> int:
        return len(self.events_Q)

    def some(self, most: int) -> "Questions":
        """About ``most`` of the questions at most, evenly spaced."""
        step = -(-len(self) // most)
        if step <= 1:
            return self
        return Questions(self.events_Q[::step], self.sessions_Q[::step], self.carts[::step], self.answers[::step])

    def requests(
        self,
        sessions: Sessions,
        *,
        placement: str,
        k: int,
        kinds_B: Ints,
        intents_Q: Sequence[float | None] | None = None,
    ) -> list[PlacementRequest]:
        """Placement requests as a server would pass them to the policy, timed at the last event of the prefix.

        Args:
            kinds_B: event kind of each behaviour in the policy's terms, see ``event_kinds``.
            intents_Q: the model's purchase intent, None where unavailable; default: nowhere.
        """
        intents_Q = [None] * len(self) if intents_Q is None else intents_Q
        offsets, found = np.asarray(sessions.offsets), []
        for row, (event, session) in enumerate(zip(self.events_Q.tolist(), self.sessions_Q.tolist(), strict=True)):
            seen = slice(int(offsets[session]), event)
            times_L = np.asarray(sessions.times[seen], np.int64)
            found.append(
                PlacementRequest(
                    placement=placement,
                    now_ms=0 if times_L[-1] == TIME_UNKNOWN else int(times_L[-1]),
                    k=k,
                    session_L=np.asarray(sessions.items[seen], np.int64),
                    kinds_L=kinds_B[np.asarray(sessions.behaviours[seen])],
                    times_L=times_L,
                    cart_M=self.carts[row],
                    intent=intents_Q[row],
                )
            )
        return found


def ask_sessions(sessions: Sessions, *, taken: Sequence[int], asked: int, at_cart: bool) -> Questions:
    """Build one question per session that has an answer.

    With ``at_cart``, the first half (rounded up) of the distinct items that a session takes, if more than one, forms
    the cart, and the prefix ends with the event that took the last of them. Otherwise the prefix is the first half
    (rounded up) of the session's events. The cart is what was taken in the prefix.

    Args:
        taken: behaviours that take an item.
        asked: behaviour that the placement predicts; later items with it or a stronger one are the answer.
    """
    items_E, behaviours_E = np.asarray(sessions.items, np.int64), np.asarray(sessions.behaviours)
    takes_E, wanted_E = np.isin(behaviours_E, taken), behaviours_E >= asked
    offsets = np.asarray(sessions.offsets).tolist()
    events, numbers, carts, answers = [], [], [], []
    for session, (start, end) in enumerate(itertools.pairwise(offsets)):
        event = start + (end - start + 1) // 2
        if at_cart:
            first = _first_takes(items_E[start:end], takes_E[start:end])
            event = start + int(first[(len(first) + 1) // 2 - 1]) + 1 if len(first) > 1 else end
        later = items_E[event:end][wanted_E[event:end]]
        seen = items_E[start:event]
        cart = seen[_first_takes(seen, takes_E[start:event])]
        answer = np.setdiff1d(later, cart)
        if len(answer):
            events.append(event)
            numbers.append(session)
            carts.append(cart)
            answers.append(answer)
    return Questions(np.array(events, np.int64), np.array(numbers, np.int64), carts, answers)


def _first_takes(items_L: Ints, takes_L: npt.NDArray[np.bool_]) -> Ints:
    """Positions at which an item is first taken, ascending."""
    places = np.flatnonzero(takes_L)
    return np.sort(places[np.unique(items_L[places], return_index=True)[1]])
