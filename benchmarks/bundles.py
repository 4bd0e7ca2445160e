"""Bundles of any size to measure serving on: untrained, but whole.

    python -m benchmarks.bundles --items 1000 10000 100000 --out runs/benchmarks/bundles [--memory]

The session data is synthetic (benchmarks.sessions), the encoder is the real one with random weights, and the item
vectors stand in clusters, as learned ones do. All goes through ``training.export``, so a bundle has the files, the
scorers and the goldens that a trained model of that size would get, and only its recommendations are nonsense.
"""

# Shapes: C clusters, D width.

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import torch

from benchmarks.sessions import write_sessions
from tillside.dataset import Dataset, load_dataset
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory
from training.bundle.write import export_run
from training.cli.console import say
from training.evaluation.run import MODEL
from training.model.checkpoint import TrainedModel, build_model
from training.settings.model import ModelConfig

DIM: Final = 64
CLUSTER_ITEMS: Final = 50
"""Approximate number of items per cluster."""
SPREAD: Final = 0.6
"""Norm of an item's own part beside its cluster's unit vector, so that clusters touch."""
STIR: Final = 0.3
TREND_SIGMA, TREND_WEIGHT = 0.5, 0.3
MEMORY_WEIGHT, MEMORY_FLOOR, REPEATS = 1.0, 0.01, (0.5, 1.0, 0.5, 0.5, 0.5, 0.5)
SESSIONS: Final = 220_000


def write_bundle(
    out: Path, *, items: int, memory: bool, sessions: int = SESSIONS, dim: int = DIM, seed: int = 0
) -> None:
    """Write a sealed bundle of ``items`` items to ``out``, and its data set beside it in ``out``-data.

    Raises:
        ValueError: ``out`` holds something else.
    """
    folder = data_of(out)
    if not folder.is_dir():
        write_sessions(folder, items=items, sessions=sessions, seed=seed)
    dataset = load_dataset(folder)
    trained = untrained_model(dataset, dim=dim, seed=seed)
    if memory:
        trained = replace(trained, memory=_memory(dataset))
    with torch.inference_mode():
        export_run(trained, dataset, out, metrics={"systems": {MODEL: {"all": {}}}}, run_id="untrained")


def data_of(bundle: Path) -> Path:
    """Data set beside a bundle of :func:`write_bundle`."""
    return bundle.with_name(f"{bundle.name}-data")


def untrained_model(dataset: Dataset, *, dim: int, seed: int) -> TrainedModel:
    """Untrained model with clustered item vectors and random weights in every part of the encoder."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    config, spec = ModelConfig(dim=dim, companions=0, dropout=0.0, item_dropout=0.0), EncodingSpec()
    model = build_model(config, dataset, spec)
    with torch.no_grad():
        for name, parameter in model.encoder.named_parameters():
            if name != "log_temperature":
                parameter.add_(STIR / dim**0.5 * torch.randn(parameter.shape, generator=generator))
        items = model.items.item.weight
        clusters = max(1, len(items) // CLUSTER_ITEMS)
        centres_CD = torch.nn.functional.normalize(torch.randn(clusters, dim, generator=generator), dim=1)
        items.normal_(std=SPREAD / dim**0.5, generator=generator)
        items.add_(centres_CD[torch.randint(clusters, (len(items),), generator=generator)])
        model.items.get_buffer("trend").normal_(std=TREND_SIGMA, generator=generator)
        model.encoder.get_buffer("trend_weights").fill_(TREND_WEIGHT)
    return TrainedModel(model.eval(), config, spec, intent=True)


def bundle_of(folder: Path, *, items: int, memory: bool) -> Path:
    """The bundle of a size in ``folder``, written once."""
    out = folder / f"{'memory' if memory else 'model'}-{items}"
    if not out.is_dir():
        say(f"writing {out}")
        write_bundle(out, items=items, memory=memory)
    return out


def _memory(dataset: Dataset) -> SessionMemory:
    names = len(dataset.behaviours)
    blend = {"weights": [MEMORY_WEIGHT] * names, "floor": MEMORY_FLOOR, "repeats": [list(REPEATS)] * names}
    document = {"neighbourhood": asdict(Neighbourhood()), "blend": blend}
    items = dataset.catalogue.rankable
    return SessionMemory.fit(dataset.part("train"), items=items, document=document, behaviours=names)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the missing bundles."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.bundles", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", required=True, help="sizes of the catalogues")
    parser.add_argument("--memory", action="store_true", help="with a memory of past sessions")
    parser.add_argument("--out", type=Path, required=True, help="folder for the bundles")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for items in given.items:
        say(f"{bundle_of(given.out, items=items, memory=given.memory)}")


if __name__ == "__main__":
    main()
