"""Moments: after every event of every session the server may be asked, and purchase intent says whether it still buys.

The last event is a moment too (nothing is bought any more), and so are the events of visits of one event and those of
items that the model does not know, after which the server answers from what the session held before. A moment at which
it knows nothing at all is one of a kind of its own: intent is told then by what can be counted alone.

A rare item of a training session may be known by that session alone, where it came up again. Whether the server knows
what was seen says nothing about what will follow, so to learn from, a session is read as by a model without it.

Shapes: E events, S sessions, M moments, B moments of a batch, U pairs of a session and an item;
N items.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.catalogue import sharing_items
from tillside.dataset import Dataset, Part, Sessions
from tillside.encoding.batch import Batch
from tillside.encoding.sessions import EncodedSessions, rows_of
from tillside.encoding.spec import EncodingSpec
from training.inputs.lookahead import goal_later
from training.inputs.visits import encode_visits


@dataclass(frozen=True)
class Moments:
    """Moments with what is known at each, and whether the session reached its goal after it.

    Attributes:
        encoded: the sessions that the moments are of.
        events_M: index of the latest event in the flat arrays.
        sessions_M: index of its session.
        starts_M, own_M, ends_M: first kept event that the model sees, first one of the session itself, and end of the
            kept events so far.
        met_M, counted_M: first of the session's counted events, and their end so far.
        lengths_M: events of the session so far, known or not.
        behaviours_M: behaviour of the latest event.
        goal_later_M: whether the session reaches its goal after that event.
    """

    encoded: EncodedSessions
    spec: EncodingSpec
    events_M: npt.NDArray[np.int64]
    sessions_M: npt.NDArray[np.int64]
    starts_M: npt.NDArray[np.int64]
    own_M: npt.NDArray[np.int64]
    ends_M: npt.NDArray[np.int64]
    met_M: npt.NDArray[np.int64]
    counted_M: npt.NDArray[np.int64]
    lengths_M: npt.NDArray[np.int64]
    behaviours_M: npt.NDArray[np.int64]
    goal_later_M: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.events_M)

    @property
    def known_M(self) -> npt.NDArray[np.bool_]:  # noqa: N802
        """Whether the server knows an item of the session, or of its history."""
        return self.ends_M > self.starts_M

    def batch(self, chosen: npt.NDArray[np.int64]) -> Batch:
        """What the server would encode at the chosen moments."""
        batch = rows_of(self.encoded, self.starts_M[chosen], self.ends_M[chosen], self.own_M[chosen], spec=self.spec)
        met = self.encoded.met
        return batch if met is None else replace(batch, met=met.rows(self.met_M[chosen], self.counted_M[chosen]))

    def only(self, chosen: npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]) -> "Moments":
        """Subset of the moments, by indices or mask."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _BY_MOMENT})


_BY_MOMENT: Final = tuple(column.name for column in fields(Moments) if column.name.endswith("_M"))


def make_moments(
    sessions: Sessions,
    *,
    spec: EncodingSpec,
    items: int,
    goal: int,
    limit: int | None = None,
    whole: Sessions | None = None,
    known: bool | None = True,
) -> Moments:
    """Moments of sessions as they happened.

    Args:
        items: number of items that the server knows.
        known: those at which it knows an item of the session, or of its history; False: those at which it knows none;
            None: all.
        limit: approximate maximum of moments, from sessions evenly spaced.
        whole: see :func:`training.inputs.visits.encode_visits`.
    """
    encoded = encode_visits(sessions, spec=spec, known_items=items, whole=whole)
    offsets = np.asarray(sessions.offsets)
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))
    events_E = np.arange(len(session_E))
    ends_E, met = kept_until(encoded, offsets), encoded.met
    met_E = counted_E = np.zeros(len(session_E), np.int64)
    if met is not None:
        met_E, counted_E = met.own_E, until(met.before_E, met.ends_S, offsets)
    starts_E = np.maximum(encoded.starts_E, ends_E - spec.max_length)
    chosen_E = np.ones(len(session_E), np.bool_) if known is None else (ends_E > starts_E) == known
    if limit is not None and chosen_E.sum() > limit:
        chosen_E &= session_E % -(-int(chosen_E.sum()) // limit) == 0
    return Moments(
        encoded=encoded,
        spec=spec,
        events_M=events_E[chosen_E],
        sessions_M=session_E[chosen_E],
        starts_M=starts_E[chosen_E],
        own_M=encoded.own_E[chosen_E],
        ends_M=ends_E[chosen_E],
        met_M=met_E[chosen_E],
        counted_M=counted_E[chosen_E],
        lengths_M=(events_E - offsets[:-1][session_E] + 1)[chosen_E],
        behaviours_M=np.asarray(sessions.behaviours, np.int64)[chosen_E],
        goal_later_M=goal_later(sessions, goal)[chosen_E],
    )


def kept_until(encoded: EncodedSessions, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Kept events up to each event, itself included [E]: where the events that the model has seen by then end."""
    return until(encoded.kept_before_E, encoded.ends_S, offsets)


def until(
    before_E: npt.NDArray[np.int64], ends_S: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Events up to each one, itself included [E], of those that stand before each [E + 1] and end with its session."""
    ends_E = before_E[1:].copy()
    some_S = np.diff(offsets) > 0
    ends_E[offsets[1:][some_S] - 1] = ends_S[some_S]  # the next event is of another session, laid out elsewhere
    return ends_E


def moments_of(
    dataset: Dataset,
    first: Part,
    last: Part | None = None,
    *,
    spec: EncodingSpec,
    items: int | None = None,
    limit: int | None = None,
    known: bool | None = True,
) -> Moments:
    """Moments of the parts from ``first`` to ``last`` (default: that one).

    Args:
        items, known: see :func:`make_moments`; default of ``items``: all that can be ranked.
    """
    return make_moments(
        dataset.whole(first, last),
        spec=spec,
        items=dataset.catalogue.rankable if items is None else items,
        goal=dataset.goal,
        limit=limit,
        whole=dataset.whole("train", last or first),
        known=known,
    )


def moments_to_learn(dataset: Dataset, last: Part, *, spec: EncodingSpec, limit: int | None = None) -> Moments:
    """Moments of the parts up to ``last``, at which those trained items are known that would be trained without the
    session, too."""
    sessions = dataset.whole("train", last)
    sessions = _unknown_where(known_by_itself(sessions, dataset), sessions, dataset)
    trained = dataset.catalogue.trained
    return make_moments(sessions, spec=spec, items=trained, goal=dataset.goal, limit=limit, whole=sessions)


def moments_without_items(dataset: Dataset, *, spec: EncodingSpec, limit: int | None = None) -> Moments:
    """Moments of the training part at which nothing would be known without the session: no item that could be ranked,
    be it as a cold one, by its attributes."""
    sessions, catalogue = dataset.whole("train"), dataset.catalogue
    alike_N = sharing_items(
        catalogue.vocabulary, catalogue.token_ids, catalogue.token_offsets, trained=catalogue.trained, holders=2
    )
    unknown_E = known_by_itself(sessions, dataset) & ~alike_N[np.asarray(sessions.items)]
    sessions = _unknown_where(unknown_E, sessions, dataset)
    return make_moments(
        sessions,
        spec=spec,
        items=catalogue.rankable,
        goal=dataset.goal,
        limit=limit,
        whole=sessions,
        known=False,
    )


def _unknown_where(unknown_E: npt.NDArray[np.bool_], sessions: Sessions, dataset: Dataset) -> Sessions:
    """The sessions with some items numbered behind the catalogue, and still apart from each other."""
    items_E = np.asarray(sessions.items)
    return replace(sessions, items=np.where(unknown_E, len(dataset.catalogue) + items_E.astype(np.int64), items_E))


def known_by_itself(sessions: Sessions, dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Mask [E] of the events of trained items that had too few events without those of the session itself.

    Args:
        sessions: of the training part and what follows, as they happened.
    """
    catalogue, support = dataset.catalogue, int(dataset.about["config"].get("min_item_support", 1))
    items_E, offsets = np.asarray(sessions.items, np.int64), np.asarray(sessions.offsets)
    learned = offsets[len(dataset.whole("train"))]  # what follows was not counted
    session_E = np.repeat(np.arange(len(sessions)), np.diff(offsets))[:learned]
    _, pair_E, events_U = np.unique(
        session_E * len(catalogue) + items_E[:learned], return_inverse=True, return_counts=True
    )
    found_E = np.zeros(len(items_E), np.bool_)
    others_E = catalogue.counts_NB.sum(axis=1)[items_E[:learned]] - events_U[pair_E]
    found_E[:learned] = (items_E[:learned] < catalogue.trained) & (others_E < support)
    return found_E


def why_not_asked(dataset: Dataset) -> str:
    """Why the data set cannot teach whether a session still reaches its goal; empty where it can."""
    if not dataset.goal:
        return "the log has one behaviour, so there is none stronger to reach"
    name = dataset.behaviours.goal
    if "last" in (dataset.validation_cases, dataset.test_cases):
        return f"the split cuts sessions before they end, so whether a {name} follows cannot be known"
    sessions = dataset.whole("train")
    if not (np.asarray(sessions.behaviours) == dataset.goal).any():
        return f"no training session holds a {name}"
    later = goal_later(sessions, dataset.goal).any()
    return "" if later else f"no training session holds a {name} after its first event"
