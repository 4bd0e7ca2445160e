"""The next-item model: an encoder of sessions and the table of item vectors that it reads and ranks."""

from torch import nn

from tillside.catalogue import Catalogue
from tillside.dataset import Sessions
from training.model.encoder import Encoder
from training.model.gru import GruEncoder
from training.model.item_table import ItemTable
from training.model.transformer import TransformerEncoder
from training.settings.model import ModelConfig, Network

ENCODERS: dict[Network, type[Encoder]] = {Network.transformer: TransformerEncoder, Network.gru: GruEncoder}


class NextItemModel(nn.Module):
    """The encoder and the item table it was trained with.

    In training an item's own embedding is randomly dropped, so that its attribute tokens learn to stand in for it, as
    they must for cold items.
    """

    def __init__(
        self,
        config: ModelConfig,
        catalogue: Catalogue,
        *,
        behaviours: int,
        gap_buckets: int,
        sessions: Sessions | None = None,
    ) -> None:
        super().__init__()
        self.items = ItemTable(
            catalogue,
            dim=config.dim,
            id_dropout=config.id_dropout,
            companions=config.companions,
            sessions=sessions,
        )
        self.encoder = ENCODERS[config.network](config, behaviours=behaviours, gap_buckets=gap_buckets)
