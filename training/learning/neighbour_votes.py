"""Votes of session kNN for many sessions and many settings at once: what ``SessionNeighbours.evidence`` gives for each.

Tuning asks the same sessions again and again. So what no setting changes (which past sessions share an item, where in
them it stands) is looked up once, and a matrix product sums the votes: neighbours times what each of them says around
the event that matches best.

Shapes: C sessions, B of them in a chunk, U their distinct items, P postings of those, M pairs of a session and a past
one that shares an item, H the pairs that some setting takes as neighbours, S their shared events, A choices of a pair
and the event that matches best, E events around those, D distances from such an event, K cells of a session and an
item, T settings, N items, F items with attributes.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from tillside.ragged import entries
from tillside.recommenders import Neighbourhood, SessionNeighbours
from tillside.recommenders.attribute_walks import Likeness
from tillside.recommenders.blend import MOST_ALIKE, strongest

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SLOTS: Final = 2**22
"""Slots of a table of sessions by items or by past sessions: some 30 MB."""
CHUNK: Final = 64


def neighbour_votes(
    index: SessionNeighbours, sessions: Sequence[Ints], tried: Sequence[Neighbourhood]
) -> Iterator[list[csr_array]]:
    """Chunks of the sessions in order; for each setting a matrix [B, N] of shares, float32, items ascending.

    Args:
        sessions: items of each, oldest first, at least one.
        tried: settings; ``newest`` is the one that the index was fitted with.
    """
    step = int(np.clip(SLOTS // max(len(index.idf), len(index.session_offsets)), 1, CHUNK))
    for start in range(0, len(sessions), step):
        yield _Chunk(index, sessions[start : start + step]).votes(tried)


class _Chunk:
    """Sessions with the past sessions that share an item with them."""

    def __init__(self, index: SessionNeighbours, sessions: Sequence[Ints]) -> None:
        self.index, self.rows = index, len(sessions)
        items, total = len(index.idf), max(len(index.session_offsets) - 1, 1)
        lengths = np.array([len(session) for session in sessions])
        flat = np.concatenate([session[::-1] for session in sessions])
        back = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        key_U, place = np.unique(np.repeat(np.arange(self.rows), lengths) * items + flat, return_index=True)
        self.key_U, self.back_U = key_U, back[place]
        row_U, self.item_U = np.divmod(key_U, items)
        places, sizes_U = entries(index.posting_offsets, self.item_U)
        self.asked_P = np.repeat(np.arange(len(key_U)), sizes_U)
        slots = row_U[self.asked_P] * total + index.postings[places]
        pairs, self.pair_P = numbered(slots, below=self.rows * total)
        self.row_M, self.session_M = np.divmod(pairs, total)
        self.bounds = np.searchsorted(self.row_M, np.arange(self.rows + 1))

    def votes(self, tried: Sequence[Neighbourhood]) -> list[csr_array]:
        """The votes under each setting."""
        weights = {_likeness(each): self._weights(each) for each in tried}
        summed = {key: np.bincount(self.pair_P, weight_U[self.asked_P]) for key, weight_U in weights.items()}
        similar = [summed[_likeness(each)] * self._age(each.age_decay) for each in tried]
        chosen = [self._nearest(similar_M, each.neighbours) for similar_M, each in zip(similar, tried, strict=True)]
        heard = np.zeros(len(self.session_M), np.bool_)
        for chosen_M in chosen:
            heard[chosen_M] = True
        pairs_H = np.flatnonzero(heard)
        pairs_A, events_A, column = self._anchors(pairs_H, weights)
        found: dict[int, csr_array] = {}
        for around in dict.fromkeys((each.reach, each.before) for each in tried):
            those = [number for number, each in enumerate(tried) if (each.reach, each.before) == around]
            heard_AT = np.zeros((len(pairs_A), len(those)))
            for place, number in enumerate(those):
                at = column[_likeness(tried[number])][chosen[number]]
                heard_AT[at, place] = similar[number][chosen[number]]
            cells, said = self._said(self.session_M[pairs_A], self.row_M[pairs_A], events_A, *around)
            votes_KT = said @ heard_AT
            found |= {number: self._shares(cells, votes_KT[:, place]) for place, number in enumerate(those)}
        return [found[number] for number in range(len(tried))]

    def _weights(self, settings: Neighbourhood) -> Floats:
        """Weight of each item asked [U]."""
        idf_U = self.index.idf[self.item_U] ** settings.idf_power
        return np.asarray(np.exp(self.back_U / -settings.item_decay) * idf_U, np.float64)

    def _age(self, decay: float) -> Floats | float:
        total = len(self.index.session_offsets) - 1
        return np.exp((self.session_M - total) / (decay * total)) if decay else 1.0

    def _nearest(self, similar_M: Floats, most: int) -> Ints:
        """Pairs of the most similar past sessions of each row."""
        if (np.diff(self.bounds) <= most).all():
            return np.arange(len(similar_M))
        chosen = []
        for start, end in pairwise(self.bounds.tolist()):
            if end - start > most:
                chosen.append(start + np.argpartition(-similar_M[start:end], most)[:most])
            else:
                chosen.append(np.arange(start, end))
        return np.concatenate(chosen)

    def _anchors(
        self, pairs_H: Ints, weights: dict[tuple[float, float], Floats]
    ) -> tuple[Ints, Ints, dict[tuple[float, float], Ints]]:
        """The event of a past session whose item weighs most, the last of ties.

        Returns:
            Pair and event of each distinct choice [A], and by how items weigh the choice of each pair [M].
        """
        index, items = self.index, len(self.index.idf)
        places, lengths = entries(index.session_offsets, self.session_M[pairs_H])
        asked_BN = np.zeros(self.rows * items, np.int32)
        asked_BN[self.key_U] = np.arange(1, len(self.key_U) + 1)
        met = asked_BN[np.repeat(self.row_M[pairs_H] * items, lengths) + index.session_items[places]]
        shared = np.flatnonzero(met)
        asked_S, place_S = met[shared] - 1, places[shared]
        ends = np.searchsorted(shared, np.cumsum(lengths))
        firsts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        chosen: dict[tuple[float, float], tuple[Ints, Ints]] = {}
        pairs_A, events_A, column = [pairs_H[:0]], [pairs_H[:0]], {}
        width = 0
        for key, weight_U in weights.items():
            event_H, column_H = pairs_H[:0], pairs_H[:0]
            if len(pairs_H):
                weight_S = weight_U[asked_S]
                best_S = weight_S == np.repeat(np.maximum.reduceat(weight_S, firsts), ends - firsts)
                event_H = np.maximum.reduceat(np.where(best_S, place_S, -1), firsts)
                column_H = np.full(len(pairs_H), -1)
                for other_H, others_H in chosen.values():
                    column_H = np.where(other_H == event_H, others_H, column_H)
                fresh = np.flatnonzero(column_H < 0)
                column_H[fresh] = width + np.arange(len(fresh))
                width += len(fresh)
                pairs_A.append(pairs_H[fresh])
                events_A.append(event_H[fresh])
            chosen[key] = event_H, column_H
            column[key] = np.zeros(len(self.session_M), np.int64)
            column[key][pairs_H] = column_H
        return np.concatenate(pairs_A), np.concatenate(events_A), column

    def _said(
        self, session_A: Ints, row_A: Ints, events_A: Ints, reach: float, before: float
    ) -> tuple[Ints, csc_array]:
        """What a past session says around its matching event: the weights of its events by distance.

        Returns:
            The cells of the matrix [B, N] that anything is said about, ascending, and the weights [cells, A].
        """
        index, items = self.index, len(self.index.idf)
        places, lengths = entries(index.session_offsets, session_A)
        longest = int(lengths.max(initial=0))
        near_D = np.exp((1 - np.maximum(np.abs(np.arange(-longest, longest + 1)), 1)) / reach)
        near_D[:longest] *= before
        near_E = near_D[places - np.repeat(events_A - longest, lengths)]
        cell_E = np.repeat(row_A * items, lengths) + index.session_items[places]
        cells, number_E = numbered(cell_E, below=self.rows * items)
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        return cells, csc_array((near_E, number_E, bounds), shape=(len(cells), len(session_A)))

    def _shares(self, cells: Ints, votes_K: Floats) -> csr_array:
        """Shares of the votes, by row."""
        items = len(self.index.idf)
        given = np.flatnonzero(votes_K)
        row, item = np.divmod(cells[given], items)
        bounds = np.searchsorted(row, np.arange(self.rows + 1))
        sums_B = np.bincount(row, votes_K[given], minlength=self.rows)
        shares = (votes_K[given] / sums_B[row]).astype(np.float32)
        return csr_array((shares, item.astype(np.int32), bounds.astype(np.int32)), shape=(self.rows, items))


def likeness_votes(likeness: Likeness, sessions: Sequence[Ints], *, decay: float) -> csr_array:
    """Shares of attribute similarity of each session's top MOST_ALIKE items, float32 [C, N]."""
    found = [strongest(*_single(likeness.shares(session, decay=decay)), MOST_ALIKE) for session in sessions]
    bounds = np.cumsum([0, *(len(items_C) for items_C, _ in found)]).astype(np.int32)
    items, shares = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return csr_array((shares, items.astype(np.int32), bounds), shape=(len(found), len(likeness.items_F)))


def _single(found: tuple[Ints, Floats]) -> tuple[Ints, npt.NDArray[np.float32]]:
    return found[0], found[1].astype(np.float32)


def strongest_of(votes_BN: csr_array, most: int) -> csr_array:
    """The ``most`` items of each row that have the most votes, as ``tillside.recommenders.blend.strongest``."""
    sizes_B = np.diff(votes_BN.indptr)
    if (sizes_B <= most).all():
        return votes_BN
    kept = np.ones(votes_BN.nnz, np.bool_)
    for row in np.flatnonzero(sizes_B > most).tolist():
        start, end = int(votes_BN.indptr[row]), int(votes_BN.indptr[row + 1])
        kept[start + np.argpartition(-votes_BN.data[start:end], most)[most:]] = False
    bounds = np.concatenate([[0], np.cumsum(np.minimum(sizes_B, most))]).astype(np.int32)
    return csr_array((votes_BN.data[kept], votes_BN.indices[kept], bounds), shape=votes_BN.shape)


def numbered(keys: Ints, *, below: int) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Distinct keys, ascending, and the number of each key among them; keys are from 0 to ``below`` - 1."""
    met, number = np.zeros(below, np.bool_), np.empty(below, np.int32)
    met[keys] = True
    distinct = np.flatnonzero(met)
    number[distinct] = np.arange(len(distinct))
    return distinct, number[keys]


def _likeness(settings: Neighbourhood) -> tuple[float, float]:
    """The settings that an item's weight depends on."""
    return settings.item_decay, settings.idf_power
