"""The Lightning module: passes batches to the model and its losses, and configures the optimizer; nothing else.

Validation computes no loss: after every epoch :mod:`training.evaluation` ranks the catalogue for the validation cases,
with the code that later evaluates the test part.

Shapes: B rows of a batch, L events a row, D width, N trained items, V item vectors of a step (all N, or the distinct
ones that occur), P draws of the pool, Q targets, R rows asked again for a later behaviour, A targets among those.
"""

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional

from tillside.ranking import mrr_at, ranks_of_targets, recall_at
from training.evaluation.scorers import ModelScorer, Scorer, WithoutSeen
from training.inputs.batches import TrainingBatch
from training.inputs.datamodule import CaseChunk
from training.model.encoder import Encoder
from training.model.losses import full_softmax, intent_loss, sampled_softmax
from training.model.next_item import NextItemModel
from training.model.optimizer import AdamWithSparseRows, clip_gradients
from training.settings.loss import LossConfig, Softmax
from training.settings.optimizer import OptimizerConfig


def choose_softmax(config: LossConfig, items: int) -> Softmax:
    """Resolve ``auto`` by catalogue size: a target costs items x width in the full softmax, pool x width if sampled."""
    if config.softmax is not Softmax.auto:
        return config.softmax
    return Softmax.full if items <= config.full_up_to_items else Softmax.sampled


def sum_over_processes(figures: Tensor) -> Tensor:
    """Sum of what each process counted, in all of them; figures are on the processor."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return figures
    counted: list[Tensor] = [figures] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(counted, figures)
    return torch.stack(counted).sum(0)


class NextItemModule(pl.LightningModule):
    """Trains a :class:`NextItemModel`.

    Args:
        counts_N: training events of each item, for the popularity-weighted share of the sampled pool.
        fallback: scores validation cases whose prefix holds no known item.
        intent: whether the log has labels to learn purchase intent from.
        sparse_rows: whether the sampled softmax may produce sparse gradients; NCCL cannot all-reduce them across GPUs.
        repeats: whether validation also ranks items that the session holds already.
    """

    def __init__(
        self,
        model: NextItemModel,
        *,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        counts_N: Tensor,
        fallback: Scorer,
        intent: bool,
        sparse_rows: bool = True,
        repeats: bool = True,
    ) -> None:
        super().__init__()
        self.model = model
        self.loss, self.optimizer, self.fallback, self.intent = loss, optimizer, fallback, intent
        self.repeats = repeats
        if not intent and isinstance(model.encoder, Encoder):  # DDP waits for each gradient that there may be
            model.encoder.intent.requires_grad_(False)
        self.softmax = choose_softmax(loss, len(counts_N))
        sampled = self.softmax is Softmax.sampled
        model.items.item.sparse = sparse_rows and sampled and len(counts_N) >= loss.sparse_from_items
        uniform = torch.full_like(counts_N, 1 / len(counts_N), dtype=torch.float64)
        drawn = loss.uniform_share * uniform + (1 - loss.uniform_share) * counts_N / counts_N.sum()
        self.register_buffer("draw_cumulative_N", drawn.cumsum(0), persistent=False)
        self.register_buffer("log_expected_N", (drawn * loss.pool).log().float(), persistent=False)

    def training_step(self, batch: TrainingBatch, batch_index: int) -> dict[str, Tensor]:
        """Losses of one batch: the total, which is minimised, and its parts."""
        next_item, intent = self.losses(batch)
        if not self.intent:
            return {"loss": next_item, "next_item": next_item.detach()}
        parts = {"next_item": next_item.detach(), "intent": intent.detach()}
        return {"loss": next_item + self.loss.intent_weight * intent, **parts}

    def losses(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Next-item loss, look-ahead targets included, and purchase-intent loss; each a weighted mean over targets."""
        encoder, table = self.model.encoder, self.model.items
        asked_RL = batch.ahead_steps_RL > 0 if self.loss.look_ahead else batch.ahead_steps_RL > batch.items_BL.numel()
        targets_Q = torch.cat([batch.target_items_BL[batch.asks_BL], batch.ahead_items_RL[asked_RL]])
        items_BL, pool_P, rows_V = batch.items_BL, None, None
        if self.softmax is Softmax.sampled:  # only the rows that occur; from here on indices are into rows_V
            pool_P = self._pool()
            rows_V, places = torch.unique(torch.cat([items_BL.flatten(), targets_Q, pool_P]), return_inverse=True)
            items_BL, targets_Q, pool_P = places.split([items_BL.numel(), len(targets_Q), len(pool_P)])
            items_BL = items_BL.view_as(batch.items_BL)
        vectors_VD = table.trained(rows_V)
        hidden_BLD = encoder.trunk(functional.embedding(items_BL, vectors_VD), batch.behaviours_BL, batch.gaps_BL)
        weights_BL = batch.weights_B[:, None].expand(batch.learn_BL.shape)
        learned_Q = weights_BL[batch.learn_BL]
        ask_BL, contexts_BLD, wanted_BL = batch.target_behaviours_BL, hidden_BLD, batch.asks_BL
        weights_Q = weights_BL[batch.asks_BL]
        if asked_RL.any():  # rows with look-ahead targets go through the final layer once more
            ask_RL = batch.ahead_behaviours_R[:, None].expand_as(asked_RL)
            ask_BL, wanted_BL = torch.cat([ask_BL, ask_RL]), torch.cat([wanted_BL, asked_RL])
            contexts_BLD = torch.cat([hidden_BLD, hidden_BLD[batch.ahead_rows_R]])
            faded_A = self.loss.look_ahead ** (batch.ahead_steps_RL[asked_RL] - 1).float()
            weights_Q = torch.cat([weights_Q, faded_A * weights_BL[batch.ahead_rows_R][asked_RL]])
        queries_QD = encoder.queries(contexts_BLD, ask_BL)[wanted_BL]
        if pool_P is None or rows_V is None:
            items = full_softmax(queries_QD, vectors_VD, targets_Q, weights_Q)
        else:
            log_expected_V = self.get_buffer("log_expected_N")[rows_V]
            items = sampled_softmax(queries_QD, vectors_VD, targets_Q, pool_P, weights_Q, log_expected_V=log_expected_V)
        if not self.intent:
            return items, items.new_zeros(())
        labels_Q = batch.goal_later_BL[batch.learn_BL]
        return items, intent_loss(encoder.intent_logits(hidden_BLD)[batch.learn_BL], labels_Q, learned_Q)

    def _pool(self) -> Tensor:
        cumulative_N = self.get_buffer("draw_cumulative_N")
        if self.loss.uniform_share == 1:  # binary search of a large table would cost 1 % of the step
            return torch.randint(len(cumulative_N), (self.loss.pool,), device=cumulative_N.device)
        draws_P = torch.rand(self.loss.pool, dtype=cumulative_N.dtype, device=cumulative_N.device)
        return torch.searchsorted(cumulative_N, draws_P).clamp_max(len(cumulative_N) - 1)

    def on_validation_epoch_start(self) -> None:
        """Compute item vectors once for all cases."""
        self.scorer = self.make_scorer()
        self._reached = torch.zeros(3, dtype=torch.float64)

    def make_scorer(self) -> Scorer:
        """The scorer that validation ranks with."""
        model = ModelScorer.of(self.model, self.fallback)
        return model if self.repeats else WithoutSeen(model)

    def validation_step(self, chunk: CaseChunk, batch_index: int) -> None:
        """Rank the catalogue for a chunk of cases."""
        if len(chunk.targets_B):
            ranks_B = ranks_of_targets(self.scorer.score(chunk.batch, chunk.asked_B), chunk.targets_B)
            sums = [recall_at(ranks_B, 20).sum(), mrr_at(ranks_B, 20).sum(), len(ranks_B)]
            self._reached += torch.tensor(sums, dtype=torch.float64)

    def on_validation_epoch_end(self) -> None:
        """Log the means over the cases of all processes.

        Lightning's own mean over processes rounds the number of cases down, so that a recall of 1 becomes 1.007.
        """
        recall, mrr, cases = sum_over_processes(self._reached).tolist()
        self.log_dict({"val/recall@20": recall / cases, "val/mrr@20": mrr / cases}, prog_bar=True)

    def configure_gradient_clipping(
        self, optimizer: Any, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Clip by the global norm; Lightning's own clipping does not support sparse gradients."""
        clip_gradients(self._learned, self.optimizer.clip_norm)

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW without decay on norms, biases (distance biases too), temperature and sparsely updated rows."""
        table = self.model.items.item
        self._learned = list(self.parameters())  # walked once, not at every step
        named = [(name, each) for name, each in self.named_parameters() if not (table.sparse and each is table.weight)]
        matrices = [parameter for name, parameter in named if parameter.ndim >= 2 and "bias" not in name]
        others = [parameter for name, parameter in named if parameter.ndim < 2 or "bias" in name]
        groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
        config = self.optimizer
        optimizer: torch.optim.Optimizer
        optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
        if table.sparse:
            rows = torch.optim.SparseAdam([table.weight], lr=config.learning_rate)
            optimizer = AdamWithSparseRows(optimizer, rows)
        total = int(self.trainer.estimated_stepping_batches)
        warmup = max(1, round(total * config.warmup_share))

        def factor(step: int) -> float:
            return min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * min(1.0, step / total))))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
