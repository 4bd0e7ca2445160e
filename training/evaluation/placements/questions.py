"""What a placement is asked of a past session, and what was the right answer: half of it is seen, the rest is held out.

Sessions of logs whose events share one timestamp (the lines of an invoice) are cut like all others, in the log's order.
Shapes: Q questions, L events seen, M items in the cart.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.events import TIME_UNKNOWN
from tillside.policy import PlacementRequest

Ints = npt.NDArray[np.int64]
EXPECTED: Final = 2
"""Of so many behaviours or more the two strongest take an item, as ``training.relate`` has it; else the strongest."""


@dataclass(frozen=True)
class Questions:
    """Questions of one placement, one a session at most.

    Attributes:
        events_Q: the place in the part's flat arrays of the first event that is not seen.
        sessions_Q: the session.
        carts: what was taken among the events seen, each item once, latest last, int64 [M].
        answers: what the session met later with the behaviour asked for or a stronger one, without the cart: distinct
            items, ascending, at least one.
    """

    events_Q: Ints
    sessions_Q: Ints
    carts: list[Ints]
    answers: list[Ints]

    def __len__(self) -> int:
        return len(self.events_Q)

    def requests(
        self, sessions: Sessions, *, placement: str, k: int, kinds_A: Ints, intents_Q: Sequence[float | None]
    ) -> list[PlacementRequest]:
        """The questions as a server would hand them to the policy, asked at the moment of the last event seen.

        Args:
            kinds_A: what each behaviour is to a policy, see ``event_kinds``.
            intents_Q: the model's purchase intent, None where there is none.
        """
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
                    kinds_L=kinds_A[np.asarray(sessions.behaviours[seen])],
                    times_L=times_L,
                    cart_M=self.carts[row],
                    intent=intents_Q[row],
                )
            )
        return found


def taking(behaviours: int) -> list[int]:
    """The behaviours that take an item, by number: carts and purchases, or only the goal where a log has but two."""
    return list(range(behaviours))[-2 if behaviours > EXPECTED else -1 :]


def ask_sessions(sessions: Sessions, *, taken: Sequence[int], asked: int, at_cart: bool) -> Questions:
    """One question of every session that has an answer.

    ``at_cart``: of the T > 1 different items that a session takes the first half (rounded up) makes the cart, and the
    question is asked right after the event that took the last of them. Otherwise it is asked after the first half
    (rounded up) of the session's events. What was taken until then is the cart.

    Args:
        taken: the behaviours that take an item.
        asked: the behaviour that the placement asks for; items met later with it or a stronger one are the answer.
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
    """The places at which an item is taken for the first time, ascending."""
    places = np.flatnonzero(takes_L)
    return np.sort(places[np.unique(items_L[places], return_index=True)[1]])
