"""Returning shoppers: a session's row may begin with the last events of the same shopper's earlier sessions.

A shopper's sessions are laid out contiguously in order of time, so a session's history directly precedes it and no
event is stored twice. Sessions that are too short to learn from are history like all others. A session that began
before the previous one ended gets no history: of two overlapping sessions neither is the other's past.

Shapes: S sessions, E events.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tillside.dataset import USERS, Dataset, Sessions
from tillside.encoding.sessions import EncodedSessions, Met, encode_sessions
from tillside.encoding.spec import EncodingSpec
from tillside.events import TIME_UNKNOWN


@dataclass(frozen=True)
class Visits:
    """Sessions grouped by shopper, each shopper's ordered by their end.

    Attributes:
        order_S: session indices in that order.
        afresh_S: mask, in that order, of sessions without history.
    """

    sessions: Sessions
    order_S: npt.NDArray[np.int64]
    afresh_S: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, sessions: Sessions) -> "Visits":
        """Lay out sessions, given in any order where they have times, else in order of time.

        Raises:
            ValueError: the log has no user_id.
        """
        if USERS not in sessions.optional:
            raise ValueError(
                "model.history needs to know which sessions are of one shopper, and this log has no user_id; prepare "
                "one that has, or leave model.history at 0"
            )
        users_S = np.asarray(sessions.optional[USERS], np.int64)
        order_S = np.lexsort((sessions.ends(), users_S))
        users_S, times = users_S[order_S], np.asarray(sessions.times)
        began_S = times[np.asarray(sessions.offsets)[:-1]][order_S]
        ended_S = times[np.asarray(sessions.offsets)[1:] - 1][order_S]
        clock = (began_S[1:] != TIME_UNKNOWN) & (ended_S[:-1] != TIME_UNKNOWN)
        afresh_S = np.ones(len(order_S), np.bool_)
        afresh_S[1:] = (users_S[1:] != users_S[:-1]) | (users_S[1:] < 0) | (clock & (began_S[1:] < ended_S[:-1]))
        return cls(sessions, order_S, afresh_S)

    def before(self, session: int) -> npt.NDArray[np.int64]:
        """Flat indices of the events of the shopper's sessions before ``session``, oldest first."""
        place = int(np.flatnonzero(self.order_S == session)[0])
        first = place - int(self.afresh_S[: place + 1][::-1].argmax())
        offsets = self.sessions.offsets
        events = [np.arange(offsets[each], offsets[each + 1]) for each in self.order_S[first:place]]
        return np.concatenate([np.zeros(0, np.int64), *events])

    def encode(self, *, spec: EncodingSpec, known_items: int) -> EncodedSessions:
        """Encode all sessions, each preceded by up to ``spec.history`` kept events of its shopper's earlier ones."""
        offsets = np.asarray(self.sessions.offsets)
        lengths_S = np.diff(offsets)[self.order_S]
        begins = np.concatenate([[0], np.cumsum(lengths_S)])
        laid_E = np.repeat(offsets[:-1][self.order_S] - begins[:-1], lengths_S) + np.arange(begins[-1])
        columns = (self.sessions.items, self.sessions.behaviours, self.sessions.times)
        streams = np.append(begins[:-1][self.afresh_S], begins[-1])
        laid_out = (np.asarray(column)[laid_E] for column in columns)
        encoded = encode_sessions(*laid_out, streams, spec=spec, known_items=known_items)
        own_E = np.repeat(encoded.kept_before_E[begins[:-1]], lengths_S)
        place_E, ends_S = np.empty(len(laid_E), np.int64), np.empty(len(lengths_S), np.int64)
        place_E[laid_E] = np.arange(len(laid_E))
        ends_S[self.order_S] = encoded.kept_before_E[begins[1:]]
        return replace(
            encoded,
            kept_before_E=np.append(encoded.kept_before_E[place_E], len(encoded.items)),
            starts_E=np.maximum(encoded.starts_E, own_E - spec.history)[place_E],
            own_E=own_E[place_E],
            past_E=encoded.starts_E[place_E],
            ends_S=ends_S,
            met=None if encoded.met is None else self._in_order(encoded.met, begins, place_E),
        )

    def _in_order(self, met: Met, begins: npt.NDArray[np.int64], place_E: npt.NDArray[np.int64]) -> Met:
        """What is counted, laid out by shopper, as seen from the sessions in their own order.

        Args:
            begins: start of each session as laid out, and the end [S + 1].
            place_E: where each event was laid.
        """
        ends_S = np.empty(len(begins) - 1, np.int64)
        ends_S[self.order_S] = met.before_E[begins[1:]]
        own_E = np.repeat(met.before_E[begins[:-1]], np.diff(begins))[place_E]
        return Met(met.behaviours, np.append(met.before_E[place_E], len(met.behaviours)), own_E, ends_S)


def encode_visits(
    sessions: Sessions,
    *,
    spec: EncodingSpec,
    known_items: int,
    whole: Sessions | None = None,
    first: int | None = None,
) -> EncodedSessions:
    """Encode a part's sessions, each preceded by its shopper's history if ``spec.history`` is above 0.

    Args:
        whole: the part's sessions and all that may be their history; later ones do no harm. Default: the part alone.
        first: number in ``whole`` of the part's first session; default: the part is the last of ``whole``.

    Raises:
        ValueError: the spec wants history and the log has no user_id.
    """
    if not spec.history:
        columns = (np.asarray(column) for column in (sessions.items, sessions.behaviours, sessions.times))
        return encode_sessions(*columns, np.asarray(sessions.offsets), spec=spec, known_items=known_items)
    whole = sessions if whole is None else whole
    encoded = Visits.of(whole).encode(spec=spec, known_items=known_items)
    first = len(whole) - len(sessions) if first is None else first
    events = slice(int(whole.offsets[first]), int(whole.offsets[first + len(sessions)]))
    met = encoded.met
    if met is not None:
        before_E = np.append(met.before_E[events], len(met.behaviours))
        met = Met(met.behaviours, before_E, met.own_E[events], met.ends_S[first : first + len(sessions)])
    return replace(
        encoded,
        kept_before_E=np.append(encoded.kept_before_E[events], len(encoded.items)),
        starts_E=encoded.starts_E[events],
        own_E=encoded.own_E[events],
        past_E=encoded.past_E[events],
        ends_S=encoded.ends_S[first : first + len(sessions)],
        met=met,
    )


def knows_visits(dataset: Dataset) -> bool:
    """Whether a data set has user_id and may hold several sessions per shopper; with a leave-one-out split each shopper
    has a single session."""
    return USERS in dataset.sessions.optional and dataset.validation_cases == "every"


def refuse_history(history: int, dataset: Dataset) -> None:
    """Refuse history with a leave-one-out split.

    Raises:
        ValueError: ``history`` is above 0 and the data set's split is leave-one-out.
    """
    if history and dataset.validation_cases == "last":
        raise ValueError(
            f"model.history must be 0, got {history}: {dataset.path} was parted by leaving one out, where each "
            "shopper has one session, and no earlier ones"
        )
