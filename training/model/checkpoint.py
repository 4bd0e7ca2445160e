"""The trained model as one file: the weights and what is needed to rebuild the model for them, in plain types only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tillside.dataset import Dataset, Sessions
from tillside.encoding.spec import EncodingSpec
from tillside.events import TIME_UNKNOWN
from tillside.recommenders import Neighbourhood
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.counted_intent import CountedIntent
from tillside.relations.chances import Chances
from training.model.next_item import NextItemModel
from training.model.observations import Observations, as_tensors, of_tensors
from training.settings.model import ModelConfig

MODEL_FILE = "model.pt"


@dataclass(frozen=True)
class TrainedModel:
    """A model in evaluation mode and the encoding of its sessions."""

    model: NextItemModel
    config: ModelConfig
    spec: EncodingSpec
    intent: bool
    """Whether its purchase intent may be told."""
    memory: SessionMemory | None = None
    """Blend of past sessions (session kNN) into the model's scores."""
    refitted: bool = False
    """Whether it was refitted with the validation part, once that had chosen the number of epochs and the blend."""
    alone: Neighbourhood | None = None
    """Settings of session kNN that rank validation cases best by its votes alone; those of ``memory`` suit the blend.
    None: of a run made before they were kept."""
    chances: Chances = field(default_factory=Chances)
    """Curves of what the scores of its items are worth at placements, in models of earlier versions."""
    observed: Observations = field(default_factory=dict)
    """What it said of validation questions before it was refitted; nothing in models of earlier versions."""
    intent_unknown: str = ""
    """Why it may not, a sentence's end; empty where it may, and in models of earlier versions."""
    counted_intent: CountedIntent | None = None
    """Purchase intent of sessions without a known item; None where it may not be told, and in models of earlier
    versions."""

    def sessions(self, dataset: Dataset) -> Sessions:
        """Sessions it was fitted to, see :meth:`tillside.dataset.Dataset.learned`."""
        return dataset.learned(refit=self.refitted)


def build_model(
    config: ModelConfig, dataset: Dataset, spec: EncodingSpec, sessions: Sessions | None = None
) -> NextItemModel:
    """An untrained model for a data set.

    Args:
        sessions: those it will be fitted to; None when weights will be loaded.
    """
    return NextItemModel(
        config,
        dataset.catalogue,
        behaviours=len(dataset.behaviours),
        gap_buckets=spec.gap_buckets,
        sessions=sessions,
    )


def save_model(path: Path, trained: TrainedModel, dataset: Dataset) -> None:
    """Write the model with its data set's digest, path, config and times of the last training event and last event."""
    document = {
        "state": trained.model.state_dict(),
        "model": trained.config.document(),
        "encoding": trained.spec.document(),
        "intent": trained.intent,
        "intent_unknown": trained.intent_unknown,
        "counted_intent": None if trained.counted_intent is None else trained.counted_intent.document(),
        "memory": trained.memory.document() if trained.memory else None,
        "refitted": trained.refitted,
        "chances": trained.chances.document(),
        "observed": as_tensors(trained.observed),
        "neighbours_alone": None if trained.alone is None else asdict(trained.alone),
        "dataset": {
            "path": str(dataset.path.absolute()),
            "digest": dataset.digest,
            "learned_until": last_moment(trained.sessions(dataset)),
            "log_until": last_moment(dataset.sessions),
            "config": dict(dataset.about["config"]),
        },
    }
    partial = path.with_name(f".{path.name}.partial")
    torch.save(document, partial)
    partial.replace(path)


def last_moment(sessions: Sessions) -> int | None:
    """Time of the last event, UTC milliseconds; None without events or timestamps."""
    times = np.asarray(sessions.times)
    return None if not len(times) or times.min() == TIME_UNKNOWN else int(times.max())


def dataset_path(path: Path) -> str:
    """Path, at training time, of the data set that the model in ``path`` was trained on."""
    return str(read_document(path)["dataset"]["path"])


def load_model(path: Path, dataset: Dataset) -> TrainedModel:
    """Read what :func:`save_model` wrote.

    Raises:
        ValueError: the file is damaged, or the data set is not the one the model was trained on.
    """
    document = read_document(path)
    expected = document["dataset"]["digest"]
    if dataset.digest != expected:
        raise ValueError(
            f"{path} was trained on the data set with digest {expected[:12]}, "
            f"but {dataset.path} has {dataset.digest[:12]}"
        )
    config, spec = ModelConfig.from_document(document["model"]), EncodingSpec.from_document(document["encoding"])
    model = build_model(config, dataset, spec)
    take_weights(model, document, source=str(path))
    settings, counted = document.get("neighbours_alone"), document.get("counted_intent")
    trained = TrainedModel(
        model.eval(),
        config,
        spec,
        bool(document["intent"]),
        refitted=bool(document["refitted"]),
        intent_unknown=str(document.get("intent_unknown", "")),
        chances=Chances.of_document(document.get("chances")),
        observed=of_tensors(document.get("observed", {})),
        alone=None if settings is None else Neighbourhood(**settings),
        counted_intent=counted and CountedIntent.from_document(counted, behaviours=len(dataset.behaviours)),
    )
    if document["memory"] is None:
        return trained
    memory = SessionMemory.fit(
        trained.sessions(dataset),
        items=dataset.catalogue.rankable,
        document=document["memory"],
        behaviours=len(dataset.behaviours),
        catalogue=dataset.catalogue,
    )
    return replace(trained, memory=memory)


def take_weights(model: NextItemModel, document: Mapping[str, Any], *, source: str) -> None:
    """Load the weights of a model file's document into a model.

    Raises:
        ValueError: they do not fit, because another version of tillside wrote them.
    """
    try:
        model.load_state_dict(document["state"])
    except RuntimeError:
        raise ValueError(
            f"{source} was trained by another version of tillside: train it anew, or use that one"
        ) from None


def read_document(path: Path) -> dict[str, Any]:
    """Whole document of a model file, as :func:`save_model` wrote it.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a damaged file
        raise ValueError(f"{path} is not a model file: {error}") from None
    return document
