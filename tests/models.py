"""Builds tiny models, untrained and in evaluation mode; seeded, so that the same call gives the same weights."""

import numpy as np
import torch

from tests.datasets import make_catalogue, make_sessions
from tillside.dataset import Dataset
from tillside.encoding.batch import Batch
from tillside.encoding.spec import EncodingSpec
from training.model.checkpoint import TrainedModel, build_model
from training.model.next_item import NextItemModel
from training.settings.model import ModelConfig

BEHAVIOURS = 3
SPEC = EncodingSpec(max_length=6)
CONFIG = ModelConfig(dim=8, layers=2, heads=2, max_length=6, dropout=0.3, item_dropout=0.5)


def stir(model: torch.nn.Module, seed: int) -> None:
    """Random weights everywhere, also where training begins with zeros or ones, so that every part matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name != "encoder.log_temperature":
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))


def make_model(
    *, items: int = 12, config: ModelConfig = CONFIG, tokens: list[list[str]] | None = None, seed: int = 0
) -> NextItemModel:
    """A model of a catalogue of ``items`` trained items."""
    catalogue = make_catalogue(make_sessions([]), trained=items, tokens=tokens or [])
    torch.manual_seed(seed)
    model = NextItemModel(config, catalogue, behaviours=BEHAVIOURS, gap_buckets=SPEC.gap_buckets)
    stir(model, seed)
    return model.eval()


def make_trained(dataset: Dataset, *, spec: EncodingSpec = SPEC, intent: bool = True, seed: int = 0) -> TrainedModel:
    """A model of a data set's catalogue, as a training run would leave it."""
    torch.manual_seed(seed)
    model = build_model(CONFIG, dataset, spec)
    stir(model, seed)
    return TrainedModel(model.eval(), CONFIG, spec, intent)


def random_batch(lengths: list[int], *, items: int = 12, seed: int = 0) -> Batch:
    """Rows of random events, padded with zeros on the right."""
    rng = np.random.default_rng(seed)
    width = max(lengths)
    real = np.arange(width) < np.array(lengths)[:, None]
    columns = [rng.integers(0, high, real.shape) for high in (items, BEHAVIOURS, SPEC.gap_buckets)]
    columns[2][:, 0] = 0
    return Batch(*(np.where(real, column, 0) for column in columns), np.array(lengths), np.array(lengths))
