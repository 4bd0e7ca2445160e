"""Evaluation cases: a prefix of a session, the behaviour asked for, and the target item to be ranked.

Next-event cases ask for the very next event with its own behaviour. Look-ahead cases have the same prefixes and ask for
the next cart, purchase ... after the very next event, so the two kinds never ask the same question twice, and mean what
else: of items that the session has not taken yet.

Shapes: B chosen cases, C all cases, E events, S sessions, A stronger behaviours looked ahead to, V trained items,
K the part's events.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from tillside.dataset import CaseRule, Dataset, Sessions
from tillside.encoding.batch import Batch
from tillside.encoding.sessions import EncodedSessions, cut_before
from tillside.encoding.spec import EncodingSpec
from training.inputs.lookahead import first_taken, following, goal_later, later_events
from training.inputs.visits import encode_visits


@dataclass(frozen=True)
class Cases:
    """Prefixes with a behaviour asked for and a known target.

    Attributes:
        encoded: the sessions that the prefixes are cut from.
        events_C: index of the very next event in the flat arrays; the prefix ends before it.
        sessions_C: index of its session.
        targets_C: the target item, of the very next event or a later one; trained items are 0 .. V - 1.
        asked_C: the behaviour asked for, normally the target's.
        prefix_lengths_C: number of events of the session in the prefix.
        goal_later_C: whether the session reaches its goal at the next event or after it.
    """

    encoded: EncodedSessions
    spec: EncodingSpec
    events_C: npt.NDArray[np.int64]
    sessions_C: npt.NDArray[np.int64]
    targets_C: npt.NDArray[np.int64]
    asked_C: npt.NDArray[np.int64]
    prefix_lengths_C: npt.NDArray[np.int64]
    goal_later_C: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.events_C)

    def batch(self, chosen: npt.NDArray[np.int64]) -> Batch:
        """Encoded prefixes of the chosen cases."""
        return cut_before(self.encoded, self.events_C[chosen], spec=self.spec)

    def only(self, chosen: npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]) -> "Cases":
        """Subset of the cases, by indices or mask."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _BY_CASE})

    def asking(self, behaviour: int) -> "Cases":
        """The same prefixes and targets with another behaviour asked for."""
        return replace(self, asked_C=np.full_like(self.asked_C, behaviour))


_BY_CASE: Final = tuple(column.name for column in fields(Cases) if column.name.endswith("_C"))


def make_cases(
    sessions: Sessions,
    *,
    rule: CaseRule,
    spec: EncodingSpec,
    items: int,
    goal: int,
    limit: int | None = None,
    whole: Sessions | None = None,
    first: int | None = None,
) -> Cases:
    """Next-event cases of a part: every event after the first of its session, or each session's last.

    Args:
        limit: approximate maximum number of cases, from sessions evenly spaced over the part.
        whole, first: see :func:`training.inputs.visits.encode_visits`.
    """
    offsets = np.asarray(sessions.offsets)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    events = np.arange(len(session_E))
    first_E, last_E = offsets[:-1][session_E], offsets[1:][session_E] - 1
    chosen = (events > first_E) if rule == "every" else (events == last_E) & (events > first_E)
    if limit is not None and chosen.sum() > limit:
        chosen &= session_E % -(-int(chosen.sum()) // limit) == 0
    events = events[chosen]
    behaviours_E, items_E = np.asarray(sessions.behaviours), np.asarray(sessions.items)
    return Cases(
        encoded=encode_visits(sessions, spec=spec, known_items=items, whole=whole, first=first),
        spec=spec,
        events_C=events,
        sessions_C=session_E[events],
        targets_C=items_E[events].astype(np.int64),
        asked_C=behaviours_E[events].astype(np.int64),
        prefix_lengths_C=events - first_E[events],
        goal_later_C=goal_later(sessions, goal)[events - 1],
    )


def cases_of(
    dataset: Dataset, part: Literal["validation", "test"], *, spec: EncodingSpec, limit: int | None = None
) -> Cases:
    """Next-event cases of a data set's part, by that part's rule; all rankable items count as known."""
    return make_cases(
        dataset.part(part),
        rule=dataset.validation_cases if part == "validation" else dataset.test_cases,
        spec=spec,
        items=dataset.catalogue.rankable,
        goal=dataset.goal,
        limit=limit,
        whole=dataset.sessions,
        first=dataset.parts[part][0],
    )


def look_ahead_cases(sessions: Sessions, cases: Cases, *, goal: int) -> Cases:
    """Look-ahead cases at the prefixes of ``cases``: each stronger behaviour's next event after the very next event, of
    an item that the prefix has not taken; none where the very next event has that behaviour.

    Args:
        sessions: the part that the next-event ``cases`` were made of.
        goal: index of the strongest behaviour; the weakest, 0, is not looked ahead to.
    """
    offsets = np.asarray(sessions.offsets)
    ends_E = np.repeat(offsets[1:], np.diff(offsets))
    behaviours_E, items_E = np.asarray(sessions.behaviours), np.asarray(sessions.items, np.int64)
    stronger = range(1, goal + 1)
    before_C, ends_C = cases.events_C - 1, ends_E[cases.events_C]
    sessions_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    first_E = first_taken(items_E, behaviours_E, sessions_E, goal=goal)
    places_AC = [later_events(following(behaviours_E == b), before_C, ends_C, first_K=first_E) for b in stronger]
    chosen_A = [
        np.flatnonzero((place_C >= 0) & (behaviours_E[cases.events_C] != b))
        for place_C, b in zip(places_AC, stronger, strict=True)
    ]
    chosen_C = np.concatenate([np.zeros(0, np.int64), *chosen_A])
    found_C = np.concatenate([np.zeros(0, np.int64), *(p[c] for p, c in zip(places_AC, chosen_A, strict=True))])
    return replace(cases.only(chosen_C), targets_C=items_E[found_C], asked_C=behaviours_E[found_C].astype(np.int64))


def opening_cases(sessions: Sessions, cases: Cases) -> Cases:
    """First events of sessions whose shopper's history is known: the empty session of a returning shopper.

    Args:
        sessions: the part that the cases were made of.
    """
    firsts_S = np.asarray(sessions.offsets)[:-1]
    sessions_C = np.flatnonzero(cases.encoded.starts_E[firsts_S] < cases.encoded.own_E[firsts_S])
    events_C = firsts_S[sessions_C]
    return replace(
        cases,
        events_C=events_C,
        sessions_C=sessions_C,
        targets_C=np.asarray(sessions.items)[events_C].astype(np.int64),
        asked_C=np.asarray(sessions.behaviours)[events_C].astype(np.int64),
        prefix_lengths_C=np.zeros(len(events_C), np.int64),
        goal_later_C=np.zeros(len(events_C), np.bool_),  # intent is not evaluated here
    )


def together(one: Cases, other: Cases) -> Cases:
    """Cases of two kinds from one part, merged in event order; ties keep ``one`` before ``other``."""
    columns = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in _BY_CASE}
    return replace(one, **columns).only(np.argsort(columns["events_C"], kind="stable"))
