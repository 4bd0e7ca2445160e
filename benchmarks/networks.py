"""Two plain networks as baselines, GRU and SASRec, both with cross entropy over the whole catalogue.

    python -m benchmarks.networks gru --dataset DIR --out DIR

They learn from our batches by our trainer and are judged by our evaluator, but as they are published: every next item
counts alike, later events and recency count nothing, items have no companions, attributes, behaviours or time gaps,
nothing is asked for, and scores are dot products of item vectors of any length. So an item that training does not hold
cannot be ranked, and such a target is a miss. Where shoppers hardly return to an item, they leave out what a session
holds, as the libraries that publish them do. They stop by the validation part and do not learn from it.
Each may choose its learning rate and dropout on the validation part. ``OUT/metrics.json`` is a metrics document like a
run's, with an account beside it: settings, trials, seconds, peak memory and the validation curve.

Shapes: N items, R rows of the table, B rows, L events a row, Q queries a row, D width.
"""

import argparse
import json
import math
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from tillside.atomic import write_text_atomically
from tillside.dataset import Dataset, load_dataset
from tillside.encoding.spec import EncodingSpec
from training.cli.console import say
from training.evaluation.case_ranks import cases_digest, keep_ranks
from training.evaluation.metrics import report
from training.evaluation.ranking import rank
from training.evaluation.run import cases_to_judge
from training.evaluation.scorers import Scorer, popularity_of
from training.evaluation.tables import METRICS_FILE, metrics_table
from training.inputs.datamodule import SessionData
from training.learning.fit import fit, load_best, plan
from training.learning.lightning_module import NextItemModule
from training.learning.training_setup import has_repeats
from training.settings.loss import LossConfig, Softmax
from training.settings.optimizer import OptimizerConfig
from training.settings.trainer import TrainerConfig
from training.tracking.unrecorded import Unrecorded


@dataclass(frozen=True)
class Size:
    """Dimensions that all networks of a comparison share."""

    dim: int = 96
    layers: int = 2
    heads: int = 2
    max_length: int = 50


@dataclass(frozen=True)
class Settings:
    """Hyperparameters that a network chooses on the validation part."""

    learning_rate: float
    dropout: float


GRID = [Settings(rate, dropout) for rate in (1e-3, 3e-3) for dropout in (0.2, 0.5)]
"""Learning rates and dropouts at or near those that both networks are published with."""


class PlainItems(nn.Module):
    """One free embedding per item, tied between input and output."""

    def __init__(self, items: int, dim: int) -> None:
        super().__init__()
        self.item = nn.Embedding(items, dim)
        nn.init.normal_(self.item.weight, std=1 / math.sqrt(dim))

    def forward(self) -> Tensor:
        """Embeddings of all items [N, D]."""
        vectors_ND: Tensor = self.item.weight
        return vectors_ND

    def trained(self, rows_R: Tensor | None = None) -> Tensor:
        """The same for a training step, or the embeddings of the chosen items [R, D]."""
        vectors_RD: Tensor = self.item.weight if rows_R is None else self.item(rows_R)
        return vectors_RD


class PlainEncoder(nn.Module):
    """Base of both encoders: the hidden state at a position is the query, whatever behaviour is asked for.

    Attributes:
        behaviours: of the log; they are counted for an encoder, which has no use for them here.
    """

    behaviours = 1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("log_temperature", torch.zeros(()))

    def queries(self, hidden_BLD: Tensor, ask_BQ: Tensor, positions_BQ: Tensor | None = None) -> Tensor:
        """Hidden states [B, Q, D] at the positions, or at every one."""
        if positions_BQ is None:
            return hidden_BLD
        return hidden_BLD.gather(1, positions_BQ[:, :, None].expand(-1, -1, hidden_BLD.shape[-1]))

    def forward(
        self,
        item_vectors_BLD: Tensor,
        behaviours_BL: Tensor,
        gaps_BL: Tensor,
        lengths_B: Tensor,
        ask_B: Tensor,
        *counted: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Query [B, D] at each row's last event, and NaN [B]: purchase intent is not predicted."""
        hidden_BLD = self.trunk(item_vectors_BLD, behaviours_BL, gaps_BL)
        query_BD = self.queries(hidden_BLD, ask_B[:, None], (lengths_B - 1)[:, None])[:, 0]
        return query_BD, torch.full_like(query_BD[:, 0], math.nan)


class GruEncoder(PlainEncoder):
    """GRU4Rec (Hidasi et al. 2016) with tied item vectors: one recurrent layer, dropout before and after it."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(size.dim, size.dim, batch_first=True)
        self.out = nn.Linear(size.dim, size.dim)

    def trunk(self, item_vectors_BLD: Tensor, behaviours_BL: Tensor, gaps_BL: Tensor) -> Tensor:
        """Hidden state after every event [B, L, D]."""
        hidden_BLD: Tensor = self.gru(self.dropout(item_vectors_BLD))[0]
        out_BLD: Tensor = self.out(self.dropout(hidden_BLD))
        return out_BLD


class SasRecEncoder(PlainEncoder):
    """SASRec (Kang and McAuley 2018): learned positions counted from the start, causal pre-norm blocks."""

    def __init__(self, size: Size, dropout: float) -> None:
        super().__init__()
        self.scale = math.sqrt(size.dim)
        self.position = nn.Embedding(size.max_length, size.dim)
        nn.init.normal_(self.position.weight, std=1 / math.sqrt(size.dim))
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            size.dim, size.heads, 4 * size.dim, dropout, batch_first=True, norm_first=True
        )
        norm = nn.LayerNorm(size.dim)
        self.blocks = nn.TransformerEncoder(layer, size.layers, norm=norm, enable_nested_tensor=False)

    def trunk(self, item_vectors_BLD: Tensor, behaviours_BL: Tensor, gaps_BL: Tensor) -> Tensor:
        """Hidden state of every event [B, L, D]."""
        length = item_vectors_BLD.shape[1]
        x_BLD = self.dropout(item_vectors_BLD * self.scale + self.position.weight[:length])
        mask_LL = nn.Transformer.generate_square_subsequent_mask(length, device=x_BLD.device)
        hidden_BLD: Tensor = self.blocks(x_BLD, mask=mask_LL, is_causal=True)
        return hidden_BLD


class PlainModel(nn.Module):
    """Takes the place of :class:`training.model.next_item.NextItemModel` in the Lightning module."""

    def __init__(self, items: int, size: Size, encoder: PlainEncoder) -> None:
        super().__init__()
        self.items = PlainItems(items, size.dim)
        self.encoder = encoder


ENCODERS = {"gru": GruEncoder, "sasrec": SasRecEncoder}


@dataclass(frozen=True)
class Fitted:
    """A trained network at its best epoch, that epoch's validation mrr@20, and the training's seconds and curve."""

    settings: Settings
    scorer: Scorer
    mrr: float
    seconds: float
    curve: list[dict[str, float]]


def train_network(
    name: str,
    settings: Settings,
    dataset: Dataset,
    *,
    size: Size,
    spec: EncodingSpec,
    config: TrainerConfig,
    seed: int,
) -> Fitted:
    """Train for ``config.max_epochs``, or until early stopping by ``config.patience``.

    Args:
        dataset: without attributes, see :func:`without_attributes`.
    """
    pl.seed_everything(seed, verbose=False)
    items = dataset.catalogue.trained
    counts_NB = dataset.catalogue.counts_NB[:items]  # B: behaviours
    data = SessionData(dataset, spec=spec, batch_events=None, validation_cases=config.validation_cases, seed=seed)
    data.batch_events, epochs = plan(data.rows.targets, config)
    fallback = popularity_of(dataset, refit=False, items=items)
    encoder = ENCODERS[name](size, settings.dropout)
    encoder.behaviours = counts_NB.shape[1]
    model: Any = PlainModel(items, size, encoder)
    module = NextItemModule(
        model,
        loss=LossConfig(softmax=Softmax.full, look_ahead=0.0),
        optimizer=OptimizerConfig(learning_rate=settings.learning_rate, weight_decay=0.0),
        counts_N=torch.from_numpy(counts_NB.sum(axis=1)),
        fallback=fallback,
        intent=False,
        repeats=has_repeats(dataset),
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        epoch_metrics = fit(module, data, config, folder=Path(folder), epochs=epochs, tracker=Unrecorded("none"))
        seconds = time.monotonic() - started
        best, _ = load_best(module, Path(folder))
    curve = validation_curve(epoch_metrics.history, targets=data.rows.targets)
    return Fitted(settings, module.make_scorer(), best, seconds, curve)


def without_attributes(dataset: Dataset) -> Dataset:
    """The same sessions without attributes, so without cold items: only trained ones can be ranked."""
    catalogue = dataset.catalogue
    no_tokens = {"vocabulary": [], "token_ids": catalogue.token_ids[:0], "token_offsets": None}
    return replace(dataset, catalogue=replace(catalogue, **no_tokens))


def validation_curve(history: Sequence[Mapping[str, float]], *, targets: int) -> list[dict[str, float]]:
    """Validation metrics after each epoch, against seconds of training; validation time is not counted."""
    seconds = np.cumsum([targets / epoch["train/events_per_second"] for epoch in history])
    return [
        {"epoch": epoch["epoch"], "seconds": float(second)} | {m: epoch[f"val/{m}"] for m in ("recall@20", "mrr@20")}
        for second, epoch in zip(seconds, history, strict=True)
    ]


def measure(
    name: str, dataset: Dataset, *, size: Size, config: TrainerConfig, trial: TrainerConfig, seed: int, folder: Path
) -> dict[str, Any]:
    """Grid search with short trainings, full training of the best settings, evaluation on the test part.

    Args:
        folder: where the rank of every case is kept, for paired comparisons.
    """
    spec = EncodingSpec(max_length=size.max_length, collapse_repeats=dataset.collapse_repeats)
    plain, trials = without_attributes(dataset), []
    for settings in GRID:
        tried = train_network(name, settings, plain, size=size, spec=spec, config=trial, seed=seed)
        trials.append({**asdict(settings), "mrr@20": tried.mrr, "seconds": tried.seconds})
        say(f"{name}: {settings} reaches mrr@20 {tried.mrr:.4f} on validation in {tried.seconds:.0f} s")
    best = GRID[int(np.argmax([each["mrr@20"] for each in trials]))]
    fitted = train_network(name, best, plain, size=size, spec=spec, config=config, seed=seed)
    cases = cases_to_judge(plain, spec)
    ranked = rank(fitted.scorer, cases, items=plain.catalogue.rankable)
    items, names = dataset.catalogue.rankable, dataset.behaviours.names  # of the full data set, like other systems
    keep_ranks({name: ranked}, cases, digest=cases_digest(dataset, cases), behaviours=names, folder=folder)
    document = report({name: ranked}, cases, items=items, behaviours=names, seed=seed)
    document["dataset"] = {"name": dataset.name, "digest": dataset.digest}
    document["account"] = {
        "settings": asdict(best),
        "trials": trials,
        "search_s": sum(each["seconds"] for each in trials),
        "train_s": fitted.seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "curve": fitted.curve,
    }
    return document


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.networks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=sorted(ENCODERS))
    parser.add_argument("--dataset", type=Path, required=True, help="a prepared data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for metrics.json")
    parser.add_argument("--epochs", type=int, help="at most; default: as many as training.train would take")
    parser.add_argument("--trial-epochs", type=int, default=2, help="of each setting of the grid")
    parser.add_argument("--patience", type=int, default=2, help="epochs without a better val/mrr@20")
    parser.add_argument("--seed", type=int, default=0)
    for name, default in asdict(Size()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default)
    return parser.parse_args(words)


def main() -> None:
    """Entry point."""
    given = parse()
    given.out.mkdir(parents=True, exist_ok=True)
    config = TrainerConfig(max_epochs=given.epochs, patience=given.patience, progress_bar=False)
    document = measure(
        given.network,
        load_dataset(given.dataset),
        size=Size(given.dim, given.layers, given.heads, given.max_length),
        config=config,
        trial=TrainerConfig(max_epochs=given.trial_epochs, patience=given.patience, progress_bar=False),
        seed=given.seed,
        folder=given.out,
    )
    write_text_atomically(given.out / METRICS_FILE, json.dumps(document, indent=2) + "\n")
    metrics_table(document, title=f"{document['dataset']['name']}: test part")
    say(f"wrote {given.out / METRICS_FILE}")


if __name__ == "__main__":
    main()
