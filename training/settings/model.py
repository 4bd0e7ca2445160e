"""Width, depth and regularisation of the model: the group ``model``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

MAX_TEMPERATURE = 60.0
"""Keeps every logit below training.model.losses.SAFE_LOGIT, so the loss needs no shift by the maximum."""
MIN_TEMPERATURE = 0.1
"""Below it all items are as likely as each other, and nothing is learned."""
MAX_DROPOUT = 0.95
"""Above it hardly a number is left to learn from."""
SIZES = {"dim": (2, 4096), "layers": (1, 64), "heads": (1, 4096), "max_length": (1, 10_000), "companions": (0, 1000)}
"""Least and most of each; what is larger would fill the memory before the first step."""


class Network(Enum):
    """What mixes the events of a session."""

    transformer = "transformer"
    gru = "gru"


SCARCE = 20
"""Mean targets per item up to which a log gets the full dropout."""


@dataclass
class ModelConfig:
    """Width, depth and regularisation of the model."""

    network: Network = Network.transformer
    """What mixes the events of a session: ``transformer``, or ``gru``, whose ``heads`` say nothing."""
    dim: int = 96
    """Width of the vectors of items and sessions."""
    layers: int = 2
    """Transformer blocks, or GRU layers."""
    heads: int = 2
    """Attention heads of a block; they divide ``dim``."""
    max_length: int = 50
    """Maximum events of a row; the latest are kept."""
    history: int = 0
    """Maximum events of a row from the shopper's earlier sessions; the session's own take precedence. Needs user_id,
    and callers who send history."""
    dropout: float | None = None
    """Within the blocks. Default: 0.3, reduced where items are met often."""
    item_dropout: float | None = None
    """Dropout on the session's item vectors as they enter the trunk. Default: 0.5, reduced likewise."""
    id_dropout: float = 0.1
    """Probability that an item with attribute tokens loses its own embedding in a training step."""
    companions: int = 20
    """Number of items, those it co-occurs with most in sessions, whose vectors are mixed into an item's own, as in the
    global graph of GCE-GNN (Wang et al. 2020); they speak for an item with few sessions. 0: none."""
    temperature: float = 16.0
    """Initial value of the learned factor on the cosine of query and item."""

    def __post_init__(self) -> None:
        for name, (low, high) in SIZES.items():
            if getattr(self, name) < low:
                raise ValueError(f"model.{name} must be at least {low}, got {getattr(self, name)}")
            if getattr(self, name) > high:
                raise ValueError(f"model.{name} must be at most {high}, got {getattr(self, name)}")
        if not 0 <= self.history < self.max_length:
            raise ValueError(
                f"model.history must be from 0 to {self.max_length - 1}, below model.max_length, got {self.history}"
            )
        for name in ("dropout", "item_dropout", "id_dropout"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MAX_DROPOUT:
                raise ValueError(f"model.{name} must be from 0 to {MAX_DROPOUT}, got {value}")
        if self.dim % self.heads:
            raise ValueError(f"model.dim must be a multiple of model.heads ({self.heads}), got {self.dim}")
        if not 0 < self.temperature <= MAX_TEMPERATURE:
            raise ValueError(f"model.temperature must be above 0 and at most {MAX_TEMPERATURE}, got {self.temperature}")
        if self.temperature < MIN_TEMPERATURE:
            raise ValueError(f"model.temperature must be at least {MIN_TEMPERATURE}, got {self.temperature}")

    def document(self) -> dict[str, Any]:
        """The configuration in plain types, for :meth:`from_document`."""
        return asdict(self) | {"network": self.network.value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ModelConfig":
        """Read :meth:`document` again; before there were several networks, none was named."""
        return cls(**{**document, "network": Network(document.get("network", Network.transformer))})

    def suited(self, *, targets: int, items: int) -> "ModelConfig":
        """A copy whose unset dropout rates are chosen by the log's mean targets per item.

        Items that are rarely a target are memorised unless dropout is high; for frequent ones it only discards signal.
        """
        kept = min(1.0, (SCARCE * items / max(targets, 1)) ** 0.75)
        dropout = 0.3 * kept if self.dropout is None else self.dropout
        item_dropout = 0.5 * kept if self.item_dropout is None else self.item_dropout
        return replace(self, dropout=dropout, item_dropout=item_dropout)
