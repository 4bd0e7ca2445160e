"""Item vectors: the unit-length sum of an item's own embedding, its companions' (items it co-occurs with in sessions)
and its attribute tokens'.

Shapes: N trained items, R rankable items (trained, then cold), V chosen items, T attribute tokens, P pairs, D width,
E = D + 1.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.recommenders import ItemPairs
from training.model.row_gradients import (
    LeaningRows,
    LeaningTable,
    UnitRows,
    WeightedSums,
    ragged,
    turned,
    weighted_sums,
)

WINDOW: Final = 3
"""Maximum distance of companions within a session, in events; a pair at distance d weighs 1 / d."""
TREND_SPAN: Final = 0.05
"""Time constant of recency weights, as a share of the log; equals the share that validation holds out by default."""
TREND_PRIOR: Final = 3.0
"""Smoothing pseudo-events of every item, spread evenly over the log."""


def shared_tokens(catalogue: Catalogue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Token ids of the rankable items as a ragged (CSR-like) array, with its offsets [R + 1].

    Only tokens of a trained item that two or more items share are kept: a token of one item alone says nothing new.
    """
    assert catalogue.token_offsets is not None
    offsets = catalogue.token_offsets[: catalogue.rankable + 1]
    tokens = catalogue.token_ids[: int(offsets[-1])].astype(np.int64)
    size = len(catalogue.vocabulary)
    met = np.bincount(tokens[: int(offsets[catalogue.trained])], minlength=size)[tokens] > 0
    counted = met & (np.bincount(tokens, minlength=size)[tokens] > 1)
    counted_before = np.concatenate([[0], np.cumsum(counted)])
    return tokens[counted], counted_before[offsets]


def trends(sessions: Sessions, *, items: int) -> npt.NDArray[np.float32]:
    """Smoothed log ratio of recency-weighted to overall event counts [items]; 0: as frequent lately as ever."""
    events = np.asarray(sessions.items)
    ages = 1 - np.arange(len(events)) / max(len(events), 1)
    known = events < items
    weights = np.exp(-ages[known] / TREND_SPAN) / TREND_SPAN
    recent_N = np.bincount(events[known], weights=weights, minlength=items)
    total_N = np.bincount(events[known], minlength=items)
    return np.log((recent_N + TREND_PRIOR) / (total_N + TREND_PRIOR)).astype(np.float32)


class Companions(nn.Module):
    """Row-normalised item co-occurrence matrix A (CSR-like), and its transpose (``back_``) for the gradient.

    The arrays are saved with the model, so the sessions they were counted in are not needed again.

    Args:
        most: companions kept per item, the strongest.
    """

    def __init__(self, sessions: Sessions | None, *, items: int, most: int) -> None:
        super().__init__()
        for direction in ("", "back_"):
            self.register_buffer(f"{direction}ids", torch.zeros(items * most, dtype=torch.int64))
            self.register_buffer(f"{direction}bounds", torch.zeros(items + 1, dtype=torch.int64))
            self.register_buffer(f"{direction}weights", torch.zeros(items * most))
        if sessions is not None:
            pairs = ItemPairs.count(sessions, items=items, window=WINDOW, weigh=lambda d: 1 / d, both_ways=True)
            pairs = pairs.strongest(most)
            sums_N = np.bincount(pairs.sources, weights=pairs.weights, minlength=items)
            shares_P = (pairs.weights / sums_N[pairs.sources]).astype(np.float32)
            there = [torch.from_numpy(each) for each in (pairs.neighbours, pairs.offsets, shares_P)]
            for direction, arrays in (("", there), ("back_", turned(*there, items=items))):
                for name, array in zip(("ids", "bounds", "weights"), arrays, strict=True):
                    self.get_buffer(f"{direction}{name}")[: len(array)] = array

    def forward(self, table_ND: Tensor, lean: Tensor) -> Tensor:
        """``table + lean * (A @ table)`` [N, D]; rows of items without companions are unchanged."""
        leaning_ND: Tensor = LeaningTable.apply(table_ND, lean, self._arrays(""), self._arrays("back_"))
        return leaning_ND

    def of(self, rows_V: Tensor, table_ND: Tensor, lean: Tensor, *, sparse: bool) -> Tensor:
        """The given rows of :meth:`forward`'s result, [V, D].

        Args:
            rows_V: distinct item indices.
            sparse: whether the table's gradient is sparse.
        """
        places, bounds = ragged(self.get_buffer("bounds"), rows_V)
        ids_P, weights_P = (self.get_buffer(name).index_select(0, places) for name in ("ids", "weights"))
        leaning_VD: Tensor = LeaningRows.apply(table_ND, lean, rows_V, ids_P, bounds, weights_P, sparse)
        return leaning_VD

    def _arrays(self, direction: str) -> tuple[Tensor, Tensor, Tensor]:
        bounds = self.get_buffer(f"{direction}bounds")
        used = int(bounds[-1])
        return self.get_buffer(f"{direction}ids")[:used], bounds, self.get_buffer(f"{direction}weights")[:used]


class ItemTable(nn.Module):
    """Unit-length item vectors: own embedding, companions and mean of the attribute tokens, summed.

    A cold item has only its tokens. Served rows have one more column, the item's trend, which the query weighs.

    Args:
        id_dropout: probability that an item with tokens has nothing but those in a training step.
        companions: maximum per item.
        sessions: source of companions and trends; None when the weights will be loaded.
    """

    def __init__(
        self, catalogue: Catalogue, *, dim: int, id_dropout: float, companions: int, sessions: Sessions | None
    ) -> None:
        super().__init__()
        self.id_dropout, self.cold = id_dropout, catalogue.rankable - catalogue.trained
        self.item = nn.Embedding(catalogue.trained, dim)
        nn.init.normal_(self.item.weight, std=1 / math.sqrt(dim))
        self.companions: Companions | None = None
        if companions:
            self.companions = Companions(sessions, items=catalogue.trained, most=companions)
            self.lean = nn.Parameter(torch.tensor(0.5))
        trend_R = torch.zeros(catalogue.rankable)
        if sessions is not None:
            trend_R[: catalogue.trained] = torch.from_numpy(trends(sessions, items=catalogue.trained))
        self.register_buffer("trend", trend_R)
        tokens, offsets = shared_tokens(catalogue)
        shares = (1 / np.diff(offsets).clip(min=1)).astype(np.float32).repeat(np.diff(offsets))
        there = [torch.from_numpy(each) for each in (tokens, offsets, shares)]
        used, bounds = int(offsets[catalogue.trained]), there[1][: catalogue.trained + 1]
        back = turned(there[0][:used], bounds, there[2][:used], items=len(catalogue.vocabulary))
        for direction, arrays in (("", there), ("back_", back)):
            for name, array in zip(("ids", "offsets", "shares"), arrays, strict=True):
                self.register_buffer(f"{direction}token_{name}", array, persistent=False)
        self.token: nn.Embedding | None = None
        if len(tokens):
            self.token = nn.Embedding(len(catalogue.vocabulary), dim)
            nn.init.normal_(self.token.weight, std=1 / math.sqrt(dim))

    def forward(self, new_R: Tensor | None = None) -> Tensor:
        """All rankable items as served: unit rows, then the trend [R, E].

        Args:
            new_R: mask of items to treat as cold.
        """
        own_RD, trend_R = functional.pad(self._own(), (0, 0, 0, self.cold)), self.get_buffer("trend")
        if new_R is not None:
            own_RD, trend_R = own_RD.masked_fill(new_R[:, None], 0.0), trend_R.masked_fill(new_R, 0.0)
        unit_RD: Tensor = UnitRows.apply(own_RD + self._attributes(len(own_RD)))
        return torch.cat([unit_RD, trend_R[:, None]], dim=1)

    def learned_tokens(self) -> Tensor | None:
        """Token vectors [T, D], before rows are normalised; zeros for tokens that :func:`shared_tokens` drops."""
        if self.token is None:
            return None
        shared_T = torch.zeros(len(self.token.weight), dtype=torch.bool, device=self.token.weight.device)
        shared_T[self.get_buffer("token_ids")] = True
        return self.token.weight.where(shared_T[:, None], 0.0)

    def trained(self, rows_V: Tensor | None = None) -> Tensor:
        """Trained items as a training step sees them, unit rows [N, D], with id dropout.

        Args:
            rows_V: only these items, [V, D].
        """
        own_VD = self._own(rows_V)
        if self.training and self.id_dropout and self.token is not None:
            dropped_V = torch.rand(len(own_VD), device=own_VD.device) < self.id_dropout
            dropped_V &= self._described(rows_V)[: len(own_VD)]
            own_VD = own_VD * (~dropped_V)[:, None].to(own_VD.dtype)  # masked_fill would take ten times as long
        unit_VD: Tensor = UnitRows.apply(own_VD + self._attributes(len(own_VD), rows_V))
        return unit_VD

    def _own(self, rows_V: Tensor | None = None) -> Tensor:
        if rows_V is None:
            own_ND: Tensor = self.item.weight
            return own_ND if self.companions is None else self.companions(own_ND, self.lean)
        if self.companions is not None:
            return self.companions.of(rows_V, self.item.weight, self.lean, sparse=self.item.sparse)
        own_VD: Tensor = self.item(rows_V)
        return own_VD

    def _described(self, rows_V: Tensor | None) -> Tensor:
        counts = self.get_buffer("token_offsets").diff() > 0
        return counts if rows_V is None else counts[rows_V]

    def _attributes(self, items: int, rows_V: Tensor | None = None) -> Tensor | float:
        """Mean token vector of each of the first ``items``, or of ``rows_V``; zero where an item has none."""
        if self.token is None:
            return 0.0
        bounds, ids, shares = (self.get_buffer(f"token_{name}") for name in ("offsets", "ids", "shares"))
        if rows_V is not None:
            places, bounds = ragged(bounds, rows_V)
            return weighted_sums(self.token.weight, ids.index_select(0, places), bounds, shares.index_select(0, places))
        there = (ids[: int(bounds[items])], bounds[: items + 1], shares[: int(bounds[items])])
        if items > len(self.item.weight):  # with cold ones, which no training step needs
            return weighted_sums(self.token.weight, *there)
        back = tuple(self.get_buffer(f"back_token_{name}") for name in ("ids", "offsets", "shares"))
        means_ND: Tensor = WeightedSums.apply(self.token.weight, there, back)
        return means_ND
