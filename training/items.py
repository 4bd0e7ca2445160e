"""Item vectors: made of what is learned of the item itself, of its companions in sessions, and of its attributes.

Tables have tens of thousands to millions of rows and every training step passes over them, so the two operations here
that autograd would make slow have their own gradients.

Shapes: N trained items, R rankable items (trained, then cold), T attribute tokens, P pairs, D width, E = D + 1.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from tillside.pairs import ItemPairs

WINDOW: Final = 3
"""Companions meet at most so many events apart; the further, the less it counts."""
TREND_SPAN: Final = 0.05
"""Share of the log after which an event counts e times less as recent: what validation holds back by default."""
TREND_PRIOR: Final = 3.0
"""Events that every item is thought to have had beside its own, evenly over the log."""


def shared_tokens(catalogue: Catalogue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Token ids of the rankable items, and where each one's start and the last one's end [R + 1].

    A token counts when training meets it and when two items share it; alone it would say nothing new.
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
    """How much more, or less, an item was met of late than over the whole log, as a logarithm [items]; 0: as often."""
    events = np.asarray(sessions.items)
    ages = 1 - np.arange(len(events)) / max(len(events), 1)
    known = events < items
    weights = np.exp(-ages[known] / TREND_SPAN) / TREND_SPAN
    recent_N = np.bincount(events[known], weights=weights, minlength=items)
    total_N = np.bincount(events[known], minlength=items)
    return np.log((recent_N + TREND_PRIOR) / (total_N + TREND_PRIOR)).astype(np.float32)


class _UnitRows(torch.autograd.Function):
    """Rows to unit length. Autograd's own way through ``normalize`` takes five times the passes over a large table."""

    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor) -> Tensor:
        lengths_N1 = torch.linalg.vector_norm(rows_ND, dim=1, keepdim=True).clamp_min(1e-12)
        unit_ND: Tensor = rows_ND / lengths_N1
        ctx.save_for_backward(unit_ND, lengths_N1)
        return unit_ND

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> Tensor:
        unit_ND, lengths_N1 = ctx.saved_tensors
        along_N1 = (grad_ND * unit_ND).sum(dim=1, keepdim=True)
        return torch.addcmul(grad_ND, unit_ND, along_N1, value=-1).div_(lengths_N1)


class _WeightedSums(torch.autograd.Function):
    """Each row a weighted sum of other rows. The gradient is the same with rows and sums exchanged, and as fast."""

    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor, there: tuple[Tensor, ...], back: tuple[Tensor, ...]) -> Tensor:
        ctx.save_for_backward(*back)
        return _sums(rows_ND, *there)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_ND: Tensor) -> tuple[Tensor, None, None]:
        return _sums(grad_ND, *ctx.saved_tensors), None, None


def _sums(rows_ND: Tensor, ids_P: Tensor, bounds: Tensor, weights_P: Tensor) -> Tensor:
    return functional.embedding_bag(
        ids_P, rows_ND, bounds, mode="sum", per_sample_weights=weights_P, include_last_offset=True
    )


class _LeaningRows(torch.autograd.Function):
    """Rows of a table, each with so much of a weighted sum of other rows. The table's gradient is made in one pass over
    the turned pairs; autograd's own way sorts the pairs and writes two tables of zeros."""

    @staticmethod
    def forward(
        ctx: Any,
        table_ND: Tensor,
        lean: Tensor,
        rows_V: Tensor,
        ids_P: Tensor,
        bounds: Tensor,
        weights_P: Tensor,
        sparse: bool,
    ) -> Tensor:
        sums_VD = _sums(table_ND, ids_P, bounds, weights_P)
        ctx.items, ctx.sparse = len(table_ND), sparse
        ctx.save_for_backward(lean, rows_V, ids_P, bounds, weights_P, sums_VD)
        return torch.addcmul(table_ND.index_select(0, rows_V), sums_VD, lean)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_VD: Tensor) -> tuple[Tensor, Tensor, None, None, None, None, None]:
        lean, rows_V, ids_P, bounds, weights_P, sums_VD = ctx.saved_tensors
        by_item, ends, turned_P = _turned(ids_P, bounds, weights_P * lean, items=ctx.items)
        lean_grad = torch.dot(grad_VD.flatten(), sums_VD.flatten())
        if not ctx.sparse:
            table_grad = _sums(grad_VD, by_item, ends, turned_P).index_add_(0, rows_V, grad_VD)
            return table_grad, lean_grad, None, None, None, None, None
        used_N = ends.diff() > 0
        used_N[rows_V] = True
        (used_U,) = torch.where(used_N)
        values_UD = _sums(grad_VD, by_item, torch.cat([ends[used_U], ends[-1:]]), turned_P)
        values_UD.index_add_(0, torch.searchsorted(used_U, rows_V), grad_VD)
        size = (ctx.items, grad_VD.shape[1])
        table_grad = torch.sparse_coo_tensor(used_U[None], values_UD, size, is_coalesced=True, check_invariants=False)
        return table_grad, lean_grad, None, None, None, None, None


def _turned(ids_P: Tensor, bounds: Tensor, weights_P: Tensor, *, items: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs by what they point to: which rows point to each item, where each item's begin [items + 1], weights."""
    given = [each.cpu().numpy() for each in (weights_P, ids_P, bounds)]
    pairs = csr_array(tuple(given), shape=(len(bounds) - 1, items)).tocsc()
    rows_P, ends, turned_P = (torch.from_numpy(each) for each in (pairs.indices, pairs.indptr, pairs.data))
    return rows_P.long().to(ids_P.device), ends.long().to(ids_P.device), turned_P.to(ids_P.device)


class Companions(nn.Module):
    """Which items an item meets in sessions, each one's weights summing to 1, in both directions.

    The arrays are saved with the model, so the sessions they were counted in are not needed again.
    """

    def __init__(self, sessions: Sessions | None, *, items: int, most: int) -> None:
        super().__init__()
        size = items * most
        arrays = {"ids": np.zeros(size, np.int64), "bounds": np.zeros(items + 1, np.int64)}
        arrays |= {"weights": np.zeros(size, np.float32)}
        arrays |= {f"back_{name}": array.copy() for name, array in arrays.items()}
        if sessions is not None:
            pairs = ItemPairs.count(sessions, items=items, window=WINDOW, weigh=lambda d: 1 / d, both_ways=True)
            pairs = pairs.strongest(most)
            sums_N = np.bincount(pairs.sources, weights=pairs.weights, minlength=items)
            shares_P = (pairs.weights / sums_N[pairs.sources]).astype(np.float32)
            turned = np.argsort(pairs.neighbours, kind="stable")
            met_N = np.bincount(pairs.neighbours, minlength=items)
            found = {"ids": pairs.neighbours, "weights": shares_P}
            found |= {"back_ids": pairs.sources[turned], "back_weights": shares_P[turned]}
            for name, array in found.items():
                arrays[name][: len(array)] = array
            arrays["bounds"], arrays["back_bounds"] = pairs.offsets, np.concatenate([[0], np.cumsum(met_N)])
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))

    def forward(self, rows_ND: Tensor) -> Tensor:
        """For each item the weighted mean of its companions' rows, zero where it has none."""
        sums_ND: Tensor = _WeightedSums.apply(rows_ND, self._arrays(""), self._arrays("back_"))
        return sums_ND

    def of(self, rows_V: Tensor, table_ND: Tensor, lean: Tensor, *, sparse: bool) -> Tensor:
        """Some items' own rows with so much of their companions' weighted means, [V, D].

        Args:
            rows_V: distinct.
            sparse: whether the table's gradient is to be sparse.
        """
        places, bounds = ragged(self.get_buffer("bounds"), rows_V)
        ids_P, weights_P = (self.get_buffer(name).index_select(0, places) for name in ("ids", "weights"))
        leaning_VD: Tensor = _LeaningRows.apply(table_ND, lean, rows_V, ids_P, bounds, weights_P, sparse)
        return leaning_VD

    def _arrays(self, direction: str) -> tuple[Tensor, Tensor, Tensor]:
        bounds = self.get_buffer(f"{direction}bounds")
        used = int(bounds[-1])
        return self.get_buffer(f"{direction}ids")[:used], bounds, self.get_buffer(f"{direction}weights")[:used]


class ItemTable(nn.Module):
    """Item vectors, to unit length: what is learned of the item itself and of its companions, and its attribute tokens.

    A cold item has its tokens alone. Served rows have one number more, the item's trend, which the query weighs.

    Args:
        id_dropout: how often an item with tokens goes without all else in a training step.
        companions: of each item at most.
        sessions: where companions and trends are counted; None when the weights will be loaded.
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
        self.register_buffer("token_ids", torch.from_numpy(tokens), persistent=False)
        self.register_buffer("token_offsets", torch.from_numpy(offsets), persistent=False)
        self.token: nn.Embedding | None = None
        if len(tokens):
            self.token = nn.Embedding(len(catalogue.vocabulary), dim)
            nn.init.normal_(self.token.weight, std=1 / math.sqrt(dim))

    def forward(self, new_R: Tensor | None = None) -> Tensor:
        """All rankable items as they are served: unit rows, then the trend [R, E].

        Args:
            new_R: items that are to be as if training had never met them.
        """
        own_RD, trend_R = functional.pad(self._own(), (0, 0, 0, self.cold)), self.get_buffer("trend")
        if new_R is not None:
            own_RD, trend_R = own_RD.masked_fill(new_R[:, None], 0.0), trend_R.masked_fill(new_R, 0.0)
        unit_RD: Tensor = _UnitRows.apply(own_RD + self._attributes(len(own_RD)))
        return torch.cat([unit_RD, trend_R[:, None]], dim=1)

    def learned_tokens(self) -> Tensor | None:
        """The token vectors [T, D] before a row gets its unit length; zeros for those that no two items share."""
        if self.token is None:
            return None
        shared_T = torch.zeros(len(self.token.weight), dtype=torch.bool, device=self.token.weight.device)
        shared_T[self.get_buffer("token_ids")] = True
        return self.token.weight.where(shared_T[:, None], 0.0)

    def trained(self, rows_V: Tensor | None = None) -> Tensor:
        """Trained items as a training step sees them, unit rows [N, D]: some without what is their own.

        Args:
            rows_V: these items alone, [V, D].
        """
        own_VD = self._own(rows_V)
        if self.training and self.id_dropout and self.token is not None:
            dropped_V = torch.rand(len(own_VD), device=own_VD.device) < self.id_dropout
            dropped_V &= self._described(rows_V)[: len(own_VD)]
            own_VD = own_VD * (~dropped_V)[:, None].to(own_VD.dtype)  # masked_fill would take ten times as long
        unit_VD: Tensor = _UnitRows.apply(own_VD + self._attributes(len(own_VD), rows_V))
        return unit_VD

    def _own(self, rows_V: Tensor | None = None) -> Tensor:
        if rows_V is None:
            own_ND: Tensor = self.item.weight
            return own_ND if self.companions is None else own_ND + self.lean * self.companions(own_ND)
        if self.companions is not None:
            return self.companions.of(rows_V, self.item.weight, self.lean, sparse=self.item.sparse)
        own_VD: Tensor = self.item(rows_V)
        return own_VD

    def _described(self, rows_V: Tensor | None) -> Tensor:
        counts = self.get_buffer("token_offsets").diff() > 0
        return counts if rows_V is None else counts[rows_V]

    def _attributes(self, items: int, rows_V: Tensor | None = None) -> Tensor | float:
        """Mean of the tokens of each of the first ``items``, or of the rows; zero where there is none."""
        if self.token is None:
            return 0.0
        bounds, ids = self.get_buffer("token_offsets")[: items + 1], self.get_buffer("token_ids")
        if rows_V is not None:
            places, bounds = ragged(self.get_buffer("token_offsets"), rows_V)
            ids = ids.index_select(0, places)
        else:
            ids = ids[: int(bounds[-1])]
        return functional.embedding_bag(ids, self.token.weight, bounds, mode="mean", include_last_offset=True)


def ragged(bounds: Tensor, rows_V: Tensor) -> tuple[Tensor, Tensor]:
    """Where the entries of some rows of a ragged array stand, and the bounds [V + 1] of the rows among them."""
    starts_V, counts_V = bounds[rows_V], bounds[rows_V + 1] - bounds[rows_V]
    ends_V = counts_V.cumsum(0)
    shifts_V = starts_V - (ends_V - counts_V)
    places = torch.arange(int(counts_V.sum()), device=bounds.device) + shifts_V.repeat_interleave(counts_V)
    return places, functional.pad(ends_V, (1, 0))
