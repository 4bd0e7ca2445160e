"""The encoder: it reads a session and is asked for a behaviour; its kinds differ in what mixes the events.

Surprising: (1) the behaviour asked for enters the *final* layer as its query, so one pass over the session answers
several questions and serving runs that layer for one position; (2) item vectors and queries are unit vectors, and a
learned temperature scales their dot product (NISER, Gupta et al. 2019), which keeps popular items from winning by their
norm; (3) the encoder reads item vectors, not item indices, so the catalogue can change without it; (4) served vectors
have one more column than trained ones: an item's last column is its trend, a query's last column the weight of trends,
tuned on validation after training, so trends need neither a trained weight nor a search of their own.

Shapes: B sessions in a batch, L events a row, Q queries a row, D width, E = D + 1 as served, K behaviours, F counts of
a session.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from tillside.recommenders.counted_intent import SHORT, count_features
from training.model.dropout import Dropout
from training.settings.model import MAX_TEMPERATURE, ModelConfig

INTENT_DROPOUT = 0.4
"""A session gives one intent label but many items; without dropout the head memorises sessions."""
NOT_CALIBRATED = (1.0, 1.0, 0.0)
"""The identity calibration of :func:`beta_calibrated`."""


class Encoder(nn.Module):
    """Encodes sessions of item vectors into query vectors and purchase intent; a kind of it says how events mix."""

    def __init__(self, config: ModelConfig, *, behaviours: int, gap_buckets: int) -> None:
        super().__init__()
        dim = config.dim
        self.scale = math.sqrt(dim)
        self.behaviour = nn.Embedding(behaviours, dim)
        self.gap = nn.Embedding(gap_buckets, dim)
        self.ask = nn.Embedding(behaviours, dim)
        for embedding in (self.behaviour, self.gap, self.ask):
            nn.init.normal_(embedding.weight, std=0.02)
        assert config.dropout is not None
        assert config.item_dropout is not None  # both set by ModelConfig.suited
        self.item_dropout = Dropout(config.item_dropout)
        self.add_layers(config, dropout=config.dropout)
        self.norm = nn.LayerNorm(dim)
        self.to_query = nn.Linear(dim, dim)
        nn.init.eye_(self.to_query.weight)  # untrained, it ranks the latest item and its companions first, not noise
        self.log_temperature = nn.Parameter(torch.tensor(math.log(config.temperature)))
        self.intent = nn.Sequential(
            nn.LayerNorm(dim),
            Dropout(INTENT_DROPOUT),
            nn.Linear(dim, dim),
            nn.SiLU(),
            Dropout(INTENT_DROPOUT),
            nn.Linear(dim, 1),
        )
        self.behaviours = behaviours
        self.register_buffer("trend_weights", torch.zeros(behaviours))
        self.register_buffer("intent_by_counts", torch.zeros(count_features(behaviours)))
        self.register_load_state_dict_pre_hook(_without_counts)
        self.register_buffer("intent_calibration", torch.tensor(NOT_CALIBRATED))

    @abstractmethod
    def add_layers(self, config: ModelConfig, *, dropout: float) -> None:
        """Create the layers that mix events; called once, by the constructor."""

    @abstractmethod
    def mix(self, x_BLD: Tensor) -> Tensor:
        """Hidden state [B, L, D] of every event, of it and those before it, ahead of the final layer."""

    @abstractmethod
    def answer(self, asked_BQD: Tensor, hidden_BLD: Tensor, positions_BQ: Tensor) -> Tensor:
        """The final layer [B, Q, D]: hidden states to which a question was added, at their positions of the row."""

    def trunk(self, item_vectors_BLD: Tensor, behaviours_BL: Tensor, gaps_BL: Tensor) -> Tensor:
        """Hidden state [B, L, D] of every event after all layers but the final one."""
        x_BLD = self.item_dropout(item_vectors_BLD * self.scale)
        return self.mix(x_BLD + self.behaviour(behaviours_BL) + self.gap(gaps_BL))

    def queries(self, hidden_BLD: Tensor, ask_BQ: Tensor, positions_BQ: Tensor | None = None) -> Tensor:
        """Query vectors [B, Q, D], one per asked behaviour and position; their norm is the temperature.

        Args:
            positions_BQ: default: every position of the row, Q = L.
        """
        if positions_BQ is None:
            asked_BQD, positions_BQ = hidden_BLD, torch.arange(hidden_BLD.shape[1], device=hidden_BLD.device)[None, :]
        else:
            asked_BQD = hidden_BLD.gather(1, positions_BQ[:, :, None].expand(-1, -1, hidden_BLD.shape[-1]))
        out_BQD = self.to_query(self.norm(self.answer(asked_BQD + self.ask(ask_BQ), hidden_BLD, positions_BQ)))
        unit_BQD = functional.normalize(out_BQD.float(), dim=-1)  # bf16 would round it, under a CPU's autocast
        return unit_BQD * self.log_temperature.clamp(max=math.log(MAX_TEMPERATURE)).exp()

    def intent_logits(self, hidden_BLD: Tensor) -> Tensor:
        """Uncalibrated logits [B, L] that the session still reaches its goal after each event."""
        logits: Tensor = self.intent(hidden_BLD)
        return logits[..., 0]

    def counted(self, counts_BK: Tensor, latest_B: Tensor) -> Tensor:
        """What can be counted of a session [B, F], as a part of the graph; see
        :func:`tillside.recommenders.counted_intent.counted_features`.

        Args:
            counts_BK, latest_B: of :meth:`tillside.encoding.batch.Batch.counted`.
        """
        latest_BK = (latest_B[:, None] == torch.arange(self.behaviours, device=latest_B.device)).float()
        counts_BK = counts_BK.float()
        length_B1 = counts_BK.sum(dim=1, keepdim=True)
        short_B3 = (length_B1 == torch.arange(1, SHORT + 1, device=length_B1.device)).float()
        parts = (torch.ones_like(length_B1), latest_BK, counts_BK.log1p(), counts_BK.clamp(max=1), short_B3)
        return torch.cat([*parts, length_B1.log1p()], dim=1)

    def intent_logits_at(self, last_hidden_BD: Tensor, counts_BK: Tensor, latest_B: Tensor) -> Tensor:
        """Uncalibrated logits [B] at the last event of each row: what the head reads, and what can be counted."""
        counted_BF = self.counted(counts_BK, latest_B)
        return self.intent_logits(last_hidden_BD) + counted_BF @ self.get_buffer("intent_by_counts")

    def forward(
        self,
        item_vectors_BLE: Tensor,
        behaviours_BL: Tensor,
        gaps_BL: Tensor,
        lengths_B: Tensor,
        ask_B: Tensor,
        counts_BK: Tensor,
        latest_B: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The exported graph: query [B, E] at each row's last event, and calibrated intent probability [B].

        Args:
            counts_BK, latest_B: of :meth:`tillside.encoding.batch.Batch.counted`.
        """
        hidden_BLD = self.trunk(item_vectors_BLE[..., :-1], behaviours_BL, gaps_BL)
        last_B1 = (lengths_B - 1)[:, None]
        query_BD = self.queries(hidden_BLD, ask_B[:, None], last_B1)[:, 0]
        last_hidden_B1D = hidden_BLD.gather(1, last_B1[:, :, None].expand(-1, -1, hidden_BLD.shape[-1]))
        logit_B = self.intent_logits_at(last_hidden_B1D[:, 0], counts_BK, latest_B)
        query_BE = torch.cat([query_BD, self.get_buffer("trend_weights")[ask_B][:, None]], dim=1)
        return query_BE, torch.sigmoid(beta_calibrated(logit_B, self.get_buffer("intent_calibration")))


def latest_counts(behaviours: int) -> slice:
    """Which features of :meth:`Encoder.counted` say the behaviour of the latest event."""
    return slice(1, 1 + behaviours)


def _without_counts(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Weights of an earlier version, which counted nothing, are those of one that gives counts no weight."""
    state.setdefault(f"{prefix}intent_by_counts", torch.zeros_like(module.get_buffer("intent_by_counts")))


def beta_calibrated(logits: Tensor, calibration: Tensor) -> Tensor:
    """Beta-calibrated logits (Kull et al. 2017): one slope below probability 1/2, one above, and a shift.

    ``a log p - b log(1 - p) + c`` elementwise, where ``calibration`` [3] is a, b, c; Platt scaling has a = b.
    """
    low, high, shift = calibration.unbind()
    above = functional.softplus(logits)
    return low * (logits - above) + high * above + shift
