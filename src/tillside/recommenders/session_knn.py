"""Session kNN: items of past sessions that are similar to the current one.

After VMIS-kNN (Kersbergen et al. 2022) and VSTAN (Ludewig et al. 2020). It complements the model: exact recall of rare
and recent pairs, where the model generalises. So it is a baseline in every evaluation, and
:mod:`tillside.recommenders.blend` adds it to the model's score. It answers one session at a time, in numpy, in about
0.2 ms; offline evaluation and the server run the same code.

Shapes: N items, L events of the query session, U distinct items of it, P postings, M neighbour sessions, E events of
indexed or neighbour sessions, D event distances, C candidate items.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.ragged import summed

IntArray = npt.NDArray[np.integer[Any]]
MAX_SESSIONS: Final = 2_000_000
"""The newest sessions are indexed, at most this many; older ones are hardly ever among the neighbours."""
FILES: Final = ("posting_offsets", "postings", "session_offsets", "session_items", "idf")


@dataclass(frozen=True)
class Neighbourhood:
    """Hyperparameters of session kNN.

    Attributes:
        item_decay: in events; a session's item has the weight exp(-events back / item_decay).
        age_decay: as a share of the indexed sessions; a past session has the weight exp(-share of newer sessions /
            age_decay). 0 disables the decay.
        idf_power: exponent of the idf in an item's weight; above 0, rare items count more in the similarity.
        newest: postings per item, newest sessions first.
        neighbours: k, the most similar sessions that vote.
        reach: in events; a neighbour's event decays as exp(-(distance - 1) / reach) with its distance from the matching
            item.
        before: factor for events before the matching item, relative to those after it.

    Raises:
        ValueError: a value is out of range.
    """

    item_decay: float = 1.5
    age_decay: float = 1.0
    idf_power: float = 0.5
    newest: int = 500
    neighbours: int = 500
    reach: float = 4.0
    before: float = 0.8

    def __post_init__(self) -> None:
        for name in ("item_decay", "reach"):
            if not getattr(self, name) > 0:
                raise ValueError(f"neighbourhood.{name} must be above 0, got {getattr(self, name)}")
        for name in ("age_decay", "idf_power", "before"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"neighbourhood.{name} must be finite and not negative, got {getattr(self, name)}")
        for name in ("newest", "neighbours"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"neighbourhood.{name} must be a whole number of at least 1, got {value}")


@dataclass(frozen=True, eq=False, kw_only=True)
class SessionNeighbours:
    """Inverted index of past sessions, oldest first, queried with one session at a time.

    A value: another setting makes another index (:meth:`under`), so that none changes under whoever holds it.
    """

    posting_offsets: IntArray
    postings: IntArray
    session_offsets: IntArray
    session_items: IntArray
    idf: npt.NDArray[np.float32]
    settings: Neighbourhood

    @classmethod
    def fit(
        cls,
        sessions: Sessions,
        *,
        items: int,
        settings: Neighbourhood,
        without: npt.NDArray[np.bool_] | None = None,
    ) -> "SessionNeighbours":
        """Index sessions, given in chronological order.

        Args:
            items: N; events of items from this index on are dropped.
            without: mask [N] of items whose events are dropped too.
        """
        events: npt.NDArray[np.int64] = np.asarray(sessions.items, np.int64)
        offsets = np.asarray(sessions.offsets, np.int64)
        lengths = offsets[1:] - offsets[:-1]
        session_E = np.repeat(np.arange(len(lengths)), lengths)
        kept = (events < items) & (session_E >= len(lengths) - MAX_SESSIONS)
        if without is not None:
            kept[kept] = ~without[events[kept]]
        events, session_E = events[kept], session_E[kept]
        present, session_E = np.unique(session_E, return_inverse=True)
        offsets = np.searchsorted(session_E, np.arange(len(present) + 1))
        counts_N = np.bincount(events, minlength=items)
        idf = np.log((len(present) + 1) / np.maximum(counts_N, 1)).clip(0.1).astype(np.float32)
        pairs = np.unique(events * len(present) + (len(present) - 1 - session_E))  # by item, newest session first
        posting_items, newest_first = np.divmod(pairs, max(len(present), 1))
        rank = np.arange(len(pairs)) - np.searchsorted(posting_items, posting_items)
        posting_items, newest_first = posting_items[rank < settings.newest], newest_first[rank < settings.newest]
        return cls(
            posting_offsets=np.searchsorted(posting_items, np.arange(items + 1)),
            postings=(len(present) - 1 - newest_first).astype(np.int32),
            session_offsets=offsets,
            session_items=events.astype(np.int32),
            idf=idf,
            settings=settings,
        )

    def under(self, settings: Neighbourhood) -> "SessionNeighbours":
        """The same past sessions under other settings; ``newest``, by which they were indexed, stays."""
        assert settings.newest == self.settings.newest
        return self if settings == self.settings else replace(self, settings=settings)

    def evidence(self, items_L: IntArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Candidate items [C], ascending, and each one's share [C] of the neighbours' votes; the shares sum to 1.

        Args:
            items_L: the session, oldest first; catalogue indices below N.
        """
        settings = self.settings
        asked_U, back_U = np.unique(items_L[::-1], return_index=True)
        weight_U = np.exp(back_U / -settings.item_decay) * self.idf[asked_U] ** settings.idf_power
        postings_U = [self.postings[self.posting_offsets[i] : self.posting_offsets[i + 1]] for i in asked_U.tolist()]
        found_P = np.concatenate(postings_U)
        if not len(found_P):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        weight_P = np.repeat(weight_U, [len(postings) for postings in postings_U])
        total = len(self.session_offsets) - 1
        sessions_M, similar_M = summed(found_P, weight_P, below=total)
        if settings.age_decay:
            similar_M *= np.exp((sessions_M - total) / (settings.age_decay * total))
        if len(sessions_M) > settings.neighbours:
            nearest = np.argpartition(-similar_M, settings.neighbours)[: settings.neighbours]
            sessions_M, similar_M = sessions_M[nearest], similar_M[nearest]
        return self._said(asked_U, weight_U, sessions_M, similar_M)

    def _said(
        self,
        asked_U: IntArray,
        weight_U: npt.NDArray[np.float64],
        sessions_M: IntArray,
        similar_M: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Votes of the neighbours' items, weighted by session similarity and by distance from the best match."""
        settings, items = self.settings, len(self.idf)
        starts_M = self.session_offsets[sessions_M]
        lengths_M = self.session_offsets[sessions_M + 1] - starts_M
        firsts_M = np.cumsum(lengths_M) - lengths_M
        place_E = np.arange(int(lengths_M.sum()))
        items_E = self.session_items[place_E + np.repeat(starts_M - firsts_M, lengths_M)]
        weight_N = np.zeros(items)
        weight_N[asked_U] = weight_U
        match_E = weight_N[items_E]
        best_E = match_E == np.repeat(np.maximum.reduceat(match_E, firsts_M), lengths_M)
        anchor_M = np.maximum.reduceat(np.where(best_E, place_E, -1), firsts_M)  # the last of ties
        distance_E = place_E - np.repeat(anchor_M, lengths_M)
        longest = int(lengths_M.max())
        near_D = np.exp((1 - np.maximum(np.abs(np.arange(-longest, longest + 1)), 1)) / settings.reach)
        near_D[:longest] *= settings.before
        votes_E = np.repeat(similar_M, lengths_M) * near_D[distance_E + longest]
        items_C, votes_C = summed(items_E, votes_E, below=items)
        return items_C, (votes_C / votes_C.sum()).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write the arrays into an existing folder."""
        for name in FILES:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any], *, items: int) -> "SessionNeighbours":
        """Memory-map the arrays.

        Raises:
            ValueError: a file is missing or the arrays do not fit together.
        """
        try:
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in FILES}
            index = cls(**arrays, settings=Neighbourhood(**settings))
        except (OSError, ValueError, TypeError, EOFError) as error:
            raise ValueError(f"{folder}: {error}") from None
        index.check(folder, items=items)
        return index

    def check(self, folder: Path, *, items: int) -> None:
        """Raise ValueError unless the arrays are consistent and every index is in range."""
        whole = (self.posting_offsets, self.postings, self.session_offsets, self.session_items)
        flat = all(array.ndim == 1 for array in (*whole, self.idf))
        sessions = len(self.session_offsets) - 1 if flat else -1
        fits = (
            flat
            and all(array.dtype.kind in "iu" for array in whole)
            and self.idf.dtype.kind == "f"
            and len(self.posting_offsets) == items + 1
            and len(self.idf) == items
            and sessions >= 0
            and _partition(self.posting_offsets, len(self.postings))
            and _partition(self.session_offsets, len(self.session_items))
            and bool((np.diff(self.session_offsets) > 0).all())
            and _within(self.postings, sessions)
            and _within(self.session_items, items)
            and bool(np.isfinite(self.idf).all())
        )
        if not fits:
            raise ValueError(f"{folder}: the arrays of the session index do not fit together or to {items} items")


def _partition(offsets: IntArray, length: int) -> bool:
    return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == length and bool((np.diff(offsets) >= 0).all())


def _within(values: IntArray, limit: int) -> bool:
    return not len(values) or bool(values.min() >= 0 and values.max() < limit)
