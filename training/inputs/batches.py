"""Training batches, sliced from the memory-mapped arrays: no per-session Python, hardly any padding.

Length bucketing: rows are sorted by length, shuffled within a length, and packed into batches up to a budget of padded
events; then the batches are shuffled. The composition depends on (seed, epoch) alone, so a resumed run sees the batches
that an uninterrupted one would have seen, and every epoch has the same number of batches.

A position has up to one target per behaviour: the next event, asked for with its own behaviour, and for every stronger
behaviour (all but the first) its next event further on in the session, unless that is the very next one. What the cart
holds by then is passed over: to be asked for a later purchase means what else is bought.

Shapes: E events of the log, K known events of all sessions, B rows of a batch, L events of its longest row, A stronger
behaviours, R pairs of a row and a stronger behaviour that is looked ahead to, S sessions, C positions of a batch that
are learned from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tillside.dataset import GOALS_LATER, Sessions
from tillside.encoding.sessions import rows_of
from tillside.encoding.spec import EncodingSpec
from training.inputs.lookahead import first_taken, following, later_events
from training.inputs.moments import kept_until
from training.inputs.visits import encode_visits


@dataclass(frozen=True)
class TrainingBatch:
    """Inputs, and at each position the next event's item and behaviour as targets. int64 [B, L] unless stated."""

    items_BL: Tensor
    behaviours_BL: Tensor
    gaps_BL: Tensor
    target_items_BL: Tensor
    target_behaviours_BL: Tensor
    goal_later_BL: Tensor
    """bool: the session reaches its goal after this event, by any item; label of the purchase intent."""
    learn_BL: Tensor
    """bool: mask of the positions with a target that no earlier, overlapping row learns from."""
    asks_BL: Tensor
    """bool: those of them whose next event takes nothing that the session has taken before."""
    weights_B: Tensor
    """float32 [B]: weight of each row in the loss."""
    ahead_rows_R: Tensor
    """int64 [R]: row of the batch whose positions are asked for ``ahead_behaviours_R`` too."""
    ahead_behaviours_R: Tensor
    """int64 [R]: the stronger behaviour."""
    ahead_items_RL: Tensor
    """int64 [R, L]: item of its next event after the very next one; 0 where there is none."""
    ahead_steps_RL: Tensor
    """int64 [R, L]: known events from the position to that one, at least 2; 0 where there is none or another row learns
    from it."""

    def to(self, device: torch.device) -> "TrainingBatch":
        """The batch on another device; Lightning calls this."""
        return TrainingBatch(*(getattr(self, field.name).to(device) for field in fields(self)))


class TrainingRows:
    """All training sessions as rows of at most ``max_length`` input events and their targets.

    A longer session is covered by overlapping rows; each event is the target of exactly one of them, and so is each
    look-ahead target. With ``spec.history`` a row begins with the shopper's earlier sessions, and then a session's
    first event is a target too, as it is in serving when a shopper comes back.

    Args:
        items: number of known items.
        whole, first: see :func:`training.inputs.visits.encode_visits`.
        goal: index of the strongest behaviour; the weakest is 0.
        recency: time constant of the exponential decay of session weights, as a share of all sessions; 0: no decay.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        spec: EncodingSpec,
        items: int,
        goal: int,
        recency: float = 0.0,
        whole: Sessions | None = None,
        first: int | None = None,
    ) -> None:
        self.encoded = encode_visits(sessions, spec=spec, known_items=items, whole=whole, first=first)
        offsets = np.asarray(sessions.offsets)
        some = np.flatnonzero(np.diff(offsets))
        starts_S, own_S = self.encoded.starts_E[offsets[some]], self.encoded.own_E[offsets[some]]
        ends_S = self.encoded.ends_S[some]
        self.starts, self.ends, self.first_targets, sessions_R = _rows(starts_S, own_S, ends_S, spec.max_length)
        self.own, self.session_ends, self.spec, self.goal = own_S[sessions_R], ends_S[sessions_R], spec, goal
        self.ahead = {b: following(self.encoded.behaviours == b) for b in range(1, goal + 1)}
        """By behaviour: for each known event the place of its next event, in any session [K]."""
        sessions_K = np.searchsorted(np.unique(own_S), np.arange(len(self.encoded.items)), side="right")
        self.first_K = first_taken(self.encoded.items, self.encoded.behaviours, sessions_K, goal=goal)
        """For each known event the place where its session first takes its item [K]."""
        self.goal_K = self.ahead[goal] if goal else following(self.encoded.behaviours == goal)
        self.later_K = self._goals_later(sessions)
        """Whether the goal follows each known event, rare items counted [K]; None: the data set does not say."""
        counted = self.goal_K[self.own] < self.session_ends if self.later_K is None else self.later_K[self.own]
        self.reaches_goal = bool(counted.any())
        """Whether any session reaches the goal after its first event."""
        asked_K = np.concatenate([[0], np.cumsum(self.first_K == np.arange(len(self.first_K)))])
        self.targets = int(np.sum(asked_K[self.ends] - asked_K[self.first_targets]))
        """Next events that are learned from, without what a session takes a second time."""
        later = 1 - (some[sessions_R] + 1) / max(len(sessions), 1)
        self.weights = (np.exp(-later / recency) if recency else np.ones(len(later))).astype(np.float32)

    def __len__(self) -> int:
        return len(self.starts)

    def batch(self, rows_B: npt.NDArray[np.int64]) -> TrainingBatch:
        """The rows as tensors."""
        starts, ends, first_targets = self.starts[rows_B], self.ends[rows_B], self.first_targets[rows_B]
        inputs = rows_of(self.encoded, starts, ends - 1, self.own[rows_B], spec=self.spec)
        targets = rows_of(self.encoded, starts + 1, ends, self.own[rows_B], spec=self.spec)
        columns = np.arange(inputs.items_BL.shape[1])
        learn = (columns < inputs.lengths_B[:, None]) & (starts[:, None] + 1 + columns >= first_targets[:, None])
        places = np.minimum(starts[:, None] + columns, len(self.goal_K) - 1)
        nexts = np.minimum(places + 1, len(self.goal_K) - 1)
        asks = learn & (self.first_K[nexts] == nexts)
        goal_later = self.goal_K[places] < self.session_ends[rows_B][:, None]
        if self.later_K is not None:
            own_B1 = self.own[rows_B][:, None]  # before it lie the events of earlier sessions, which ask for this one
            first = self.later_K[own_B1] | (self.encoded.behaviours[own_B1] == self.goal)
            goal_later = np.where(places < own_B1, first, self.later_K[places])
        arrays = (inputs.items_BL, inputs.behaviours_BL, inputs.gaps_BL, targets.items_BL, targets.behaviours_BL)
        ahead = self._ahead(places, learn, self.session_ends[rows_B])
        weighed = (*arrays, goal_later, learn, asks, self.weights[rows_B], *ahead)
        return TrainingBatch(*(torch.from_numpy(array) for array in weighed))

    def _goals_later(self, sessions: Sessions) -> npt.NDArray[np.bool_] | None:
        if GOALS_LATER not in sessions.optional:
            return None
        kept_E = kept_until(self.encoded, np.asarray(sessions.offsets)) > self.encoded.kept_before_E[:-1]
        later_K = np.zeros(len(self.encoded.items), np.bool_)
        later_K[self.encoded.kept_before_E[:-1][kept_E]] = np.asarray(sessions.optional[GOALS_LATER])[kept_E]
        return later_K

    def _ahead(
        self, places_BL: npt.NDArray[np.int64], learn_BL: npt.NDArray[np.bool_], ends_B: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], ...]:
        """Rows, behaviours, items and steps of the look-ahead targets, by behaviour and then by row."""
        found_ABL = []
        for next_K in self.ahead.values():
            found_BL = np.full(learn_BL.shape, -1)
            ends_C = np.broadcast_to(ends_B[:, None], learn_BL.shape)[learn_BL]
            found_BL[learn_BL] = later_events(next_K, places_BL[learn_BL], ends_C, first_K=self.first_K)
            found_ABL.append(found_BL)
        rows_A = [np.flatnonzero((found_BL >= 0).any(axis=1)) for found_BL in found_ABL]
        none = np.zeros((0, learn_BL.shape[1]), np.int64)  # a log of one behaviour has nothing to concatenate
        found_RL = np.concatenate([none, *(found[rows] for found, rows in zip(found_ABL, rows_A, strict=True))])
        rows_R = np.concatenate([none[:, 0], *rows_A])
        behaviours_R = np.repeat(np.array([*self.ahead], np.int64), [len(rows) for rows in rows_A])
        steps_RL = np.where(found_RL >= 0, found_RL - places_BL[rows_R], 0)
        return rows_R, behaviours_R, np.where(steps_RL > 0, self.encoded.items[found_RL], 0), steps_RL


def _rows(
    starts: npt.NDArray[np.int64], own: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], max_length: int
) -> tuple[npt.NDArray[np.int64], ...]:
    """Starts, ends, first targets and sessions of overlapping rows that cover all sessions, half a row apart.

    Args:
        starts, own, ends: per session the earliest start of a row (history included), its start and its end (excluded).
    """
    firsts = np.maximum(starts + 1, own)
    sessions = np.flatnonzero(ends > firsts)
    starts, firsts, ends = starts[sessions], firsts[sessions], ends[sessions]
    rows = [(starts, np.minimum(ends, starts + max_length + 1), firsts, sessions)]
    stride = max(1, max_length // 2)
    covered, open_ends, session_starts = rows[0][1], ends, starts
    while (longer := covered < open_ends).any():
        covered, open_ends, session_starts, sessions = (
            each[longer] for each in (covered, open_ends, session_starts, sessions)
        )
        next_ends = np.minimum(open_ends, covered + stride)
        rows.append((np.maximum(session_starts, next_ends - max_length - 1), next_ends, covered, sessions))
        covered = next_ends
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]


class TrainingLoader:
    """Iterable over one epoch's batches, with a length that never changes; Lightning's data loader.

    Args:
        budget: maximum of padded events in a batch; a single longer row is a batch of its own.
        rank, world: this process takes every ``world``-th batch; some repeat, so that all ranks take equally many.
    """

    def __init__(self, rows: TrainingRows, *, budget: int, seed: int, rank: int = 0, world: int = 1) -> None:
        self.rows, self.seed, self.rank, self.world = rows, seed, rank, world
        self.epoch = 0
        self.skip = 0
        """Batches of the next epoch that a resumed run skips, having learned from them already."""
        self._lengths = rows.ends - rows.starts - 1
        self._cuts = _cuts(np.sort(self._lengths), budget)
        widths = np.sort(self._lengths)[self._cuts[1:] - 1]
        padded = int((widths * np.diff(self._cuts)).sum())
        self.padding_share = 1 - float(self._lengths.sum()) / max(padded, 1)

    def __len__(self) -> int:
        return -(-(len(self._cuts) - 1) // self.world)

    def __iter__(self) -> Iterator[TrainingBatch]:
        rng = np.random.default_rng([self.seed, self.epoch])
        shuffled = rng.permutation(len(self._lengths))
        ordered = shuffled[np.argsort(self._lengths[shuffled], kind="stable")]
        batches = rng.permutation(len(self._cuts) - 1)
        mine = np.resize(batches, len(self) * self.world)[self.rank :: self.world]
        skip, self.skip = self.skip, 0
        self.epoch += 1
        for batch in mine[skip:]:
            yield self.rows.batch(ordered[self._cuts[batch] : self._cuts[batch + 1]])


def _cuts(sorted_lengths: npt.NDArray[np.int64], budget: int) -> npt.NDArray[np.int64]:
    """Boundaries of batches among rows of ascending length, such that rows * longest row <= ``budget``."""
    cuts = [0]
    while cuts[-1] < len(sorted_lengths):
        rest = sorted_lengths[cuts[-1] : cuts[-1] + budget]
        fits = np.searchsorted(rest * np.arange(1, len(rest) + 1), budget, side="right")
        cuts.append(cuts[-1] + max(1, int(fits)))
    return np.array(cuts, np.int64)
