"""Session kNN: what shoppers did in past sessions that look like this one.

After VMIS-kNN (Kersbergen et al. 2022) and VSTAN (Ludewig et al. 2020). It is evidence of another kind than the
model's: exact memory of rare and recent pairs, where the model generalises. So it stands beside the model in every
evaluation, and :mod:`tillside.recommenders.blend` adds it to the model's score. One session at a time, in numpy, in
about a fifth of a millisecond; offline evaluation and the server run the same lines.

Shapes: N items, S sessions, E their events, L events of the session asked about, P postings, C candidate items.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillside.dataset import Sessions
from tillside.ragged import summed

IntArray = npt.NDArray[np.integer[Any]]
MAX_SESSIONS: Final = 2_000_000
"""The newest sessions are kept; older ones hardly ever are among the neighbours."""
FILES: Final = ("posting_offsets", "postings", "session_offsets", "session_items", "idf")


@dataclass(frozen=True)
class Neighbourhood:
    """How neighbours are found and what they say.

    Attributes:
        item_decay: an item of the session counts e times less for each so many events back.
        age_decay: a past session counts e times less for each such share of the log that lies after it; 0: no decay.
        idf_power: rare items tie sessions more strongly.
        newest: so many of each item's sessions are looked at, newest first.
        neighbours: so many of the most similar sessions speak.
        reach: a past event counts e times less for each so many events it stands away from the item that matches.
        before: weight of what stood before that item, against what came after it.
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


class SessionNeighbours:
    """An index of past sessions, oldest first, that is asked with one session at a time."""

    def __init__(
        self,
        *,
        posting_offsets: IntArray,
        postings: IntArray,
        session_offsets: IntArray,
        session_items: IntArray,
        idf: npt.NDArray[np.float32],
        settings: Neighbourhood,
    ) -> None:
        self.posting_offsets, self.postings = posting_offsets, postings
        self.session_offsets, self.session_items, self.idf = session_offsets, session_items, idf
        self.settings = settings

    @classmethod
    def fit(
        cls,
        sessions: Sessions,
        *,
        items: int,
        settings: Neighbourhood,
        without: npt.NDArray[np.bool_] | None = None,
    ) -> "SessionNeighbours":
        """Index sessions, which stand in the order of time.

        Args:
            items: events of items from this number on are left out.
            without: so are the events of these items [N].
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

    def evidence(self, items_L: IntArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Candidate items [C], ascending, and each one's share [C] of what the neighbours say; the shares sum to 1.

        Args:
            items_L: the session, oldest first, each below N.
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
        """Each neighbour's items, weighted by its likeness and by their distance from the item that matches best."""
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
        anchor_M = np.maximum.reduceat(np.where(best_E, place_E, -1), firsts_M)  # the last of equals
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
        """Raise ValueError unless every number points inside the arrays."""
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
