"""Base model of a warm start: a registered version, fetched from the registry alone.

Weights come from the run's model file, catalogue and past sessions from the bundle, so the data set that it was trained
on is not needed. Items are matched by id: a learned row moves to the item's index in the new table. Surprising: a new
item whose attributes are known starts with a zero row, because that is how the model already ranks cold items, and
noise in the row would only drown its attributes.

Shapes: N trained items of the new catalogue, A items that the base model cannot rank, T attribute tokens, P pairs of an
item and a token, D width, E = D + 1 as served.
"""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mlflow.entities.model_registry import ModelVersion

from tillside.bundle import REGISTERED, REGISTERED_FORMS
from tillside.catalogue import PRICE_BAND, Catalogue
from tillside.dataset import Dataset, Sessions
from tillside.encoding.spec import EncodingSpec
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors
from training.model.checkpoint import MODEL_FILE, last_moment, read_document, take_weights
from training.model.next_item import NextItemModel
from training.settings.model import ModelConfig
from training.settings.tracking import TrackingConfig
from training.tracking.registry import CHAMPION, fetch_bundle
from training.tracking.store import fetch_artifact, mlflow_errors, open_store


@dataclass(frozen=True)
class Carried:
    """How many trained items of a new catalogue keep their rows, and how the others are initialised."""

    kept: int
    described: int
    """Start from their attributes alone, with a zero row."""
    fresh: int
    """Start from a random row, as in a first training."""
    gone: int
    """Trained by the base model, absent from the new catalogue's trained items."""


@dataclass(frozen=True)
class BaseModel:
    """A registered model as it is served, and what it learned from.

    Attributes:
        champion: whether it has the alias ``champion``.
        learned_until: UTC milliseconds of the last event that its weights or its past sessions learned from.
        log_until: UTC milliseconds of the last event of its data set, evaluation parts included.
        settings: the preparation config of its data set.
        relating: settings that its bundle's relations were mined with; None where it has none.
    """

    name: str
    version: str
    champion: bool
    run_id: str
    catalogue: Catalogue
    behaviours: tuple[str, ...]
    spec: EncodingSpec
    memory: SessionMemory | None
    tokens: TokenVectors | None
    model: NextItemModel
    config: ModelConfig
    learned_until: int
    log_until: int
    settings: dict[str, Any]
    relating: dict[str, Any] | None = None

    @property
    def uri(self) -> str:
        """The version's registry URI by number, which stays valid when aliases move."""
        return f"models:/{self.name}/{self.version}"

    @classmethod
    def fetch(cls, tracking: TrackingConfig, place: str) -> "BaseModel":
        """Fetch the version that ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION`` names, and verify its bundle.

        Raises:
            ValueError: there is none, its files are damaged, or it does not record until when it learned.
        """
        version = named_version(tracking, place)
        run_id = str(version.run_id)
        with tempfile.TemporaryDirectory() as folder:
            bundle = fetch_bundle(tracking, version, into=Path(folder))
            document = read_document(fetch_artifact(tracking, run_id, MODEL_FILE, into=Path(folder)))
            # memory-mapped files outlive the folder
            catalogue, memory, tokens = bundle.catalogue, bundle.memory, bundle.tokens
            relating = bundle.relations.about.get("settings")
        told = document["dataset"]
        if told.get("learned_until") is None:
            raise ValueError(
                f"{place} does not say until when it learned: its log had no clock, or it was trained by an older "
                "tillside; train it anew"
            )
        config = ModelConfig.from_document(document["model"])
        names = bundle.behaviours.names
        spec = bundle.encoding
        model = NextItemModel(config, catalogue, behaviours=len(names), gap_buckets=spec.gap_buckets)
        take_weights(model, document, source=place)
        return cls(
            name=version.name,
            version=str(version.version),
            champion=CHAMPION in version.aliases,
            run_id=run_id,
            catalogue=catalogue,
            behaviours=names,
            spec=spec,
            memory=memory,
            tokens=tokens,
            model=model.eval(),
            config=config,
            learned_until=int(told["learned_until"]),
            log_until=int(told["log_until"]),
            settings=dict(told["config"]),
            relating=relating,
        )

    def newcomers(self, catalogue: Catalogue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Items of ``catalogue`` that the base cannot rank but some of whose attribute tokens it has learned.

        Returns:
            Their indices in ``catalogue`` [A] and their served rows [A, E], as the server computes for an items feed.
        """
        ranked, index_of = self.catalogue.rankable, self.catalogue.index_of
        unknown = [item for item, name in enumerate(catalogue.item_ids) if index_of.get(name, ranked) >= ranked]
        if self.tokens is None:
            return np.zeros(0, np.int64), np.zeros((0, self.config.dim + 1), np.float32)
        tokens = [[t for t in catalogue.tokens_of(item) if not t.startswith(f"{PRICE_BAND}=")] for item in unknown]
        found_A, rows_AE = self.tokens.rows(tokens, catalogue.prices_N[unknown])
        return np.array(unknown, np.int64)[found_A], rows_AE

    def hand_over(self, model: NextItemModel, catalogue: Catalogue) -> Carried:
        """Warm-start a fresh ``model`` of another catalogue in place, except for what validation will choose anew.

        Trained items keep their rows, by id. Any other item starts from its attributes alone if one of them has been
        learned, else from its random row. Unlearned tokens start at zero.

        Raises:
            ValueError: the encoders' parameters differ in shape.
        """
        learned, fresh = dict(self.model.encoder.named_parameters()), dict(model.encoder.named_parameters())
        if {name: each.shape for name, each in learned.items()} != {name: each.shape for name, each in fresh.items()}:
            raise ValueError(f"{self.uri} has another shape than the model to be trained: {self.config}")
        before = self.catalogue.index_of
        old_N = np.array([before.get(name, self.catalogue.trained) for name in catalogue.item_ids[: catalogue.trained]])
        kept_N = old_N < self.catalogue.trained
        with torch.no_grad():
            for name, parameter in fresh.items():
                parameter.copy_(learned[name])
            if model.items.companions is not None and self.model.items.companions is not None:
                model.items.lean.copy_(self.model.items.lean)
            described_N = self._hand_over_tokens(model, catalogue) & ~kept_N
            rows_ND = model.items.item.weight
            rows_ND[torch.from_numpy(kept_N)] = self.model.items.item.weight[torch.from_numpy(old_N[kept_N])]
            rows_ND[torch.from_numpy(described_N)] = 0.0
        kept, described = int(kept_N.sum()), int(described_N.sum())
        return Carried(kept, described, len(kept_N) - kept - described, self.catalogue.trained - kept)

    def _hand_over_tokens(self, model: NextItemModel, catalogue: Catalogue) -> npt.NDArray[np.bool_]:
        """Copy learned token rows; returns a mask [N] of items with a learned token other than their price band."""
        described_N = np.zeros(catalogue.trained, bool)
        if model.items.token is None:
            return described_N
        learned_TD = self.model.items.learned_tokens()
        table_TD, own = torch.zeros_like(model.items.token.weight), {}
        if learned_TD is not None:
            own = {t: number for number, t in enumerate(self.catalogue.vocabulary) if bool(learned_TD[number].any())}
            for number, token in enumerate(catalogue.vocabulary):
                if token in own:
                    table_TD[number] = learned_TD[own[token]]
        known_T = np.array([t in own and not t.startswith(f"{PRICE_BAND}=") for t in catalogue.vocabulary])
        offsets = model.items.get_buffer("token_offsets")[: catalogue.trained + 1].numpy()
        item_P = np.repeat(np.arange(catalogue.trained), np.diff(offsets))
        described_N[item_P[known_T[model.items.get_buffer("token_ids")[: offsets[-1]].numpy()]]] = True
        if own:
            model.items.token.weight.copy_(table_TD)
        return described_N


def named_version(tracking: TrackingConfig, place: str) -> ModelVersion:
    """Look up the registered version that a ``models:/`` URI names.

    Raises:
        ValueError: the URI is malformed, or there is no such version.
    """
    found = REGISTERED.fullmatch(place)
    if found is None:
        raise ValueError(f"a registered model is named {REGISTERED_FORMS}, got {place!r}")
    client, uri = open_store(tracking, create=False)
    with mlflow_errors(uri):
        if found["alias"]:
            return client.get_model_version_by_alias(found["name"], found["alias"])
        return client.get_model_version(found["name"], found["version"])


def refuse_leaks(base: BaseModel, dataset: Dataset) -> None:
    """Refuse temporal leakage: test must be newer than everything either model learns from, and validation newer than
    everything the base model learned from.

    A part begins when its first session ends, because preparation splits by session ends.

    Raises:
        ValueError: the log has no clock, other behaviours or nothing new, or a part overlaps with what was learned.
    """
    if dataset.behaviours.names != base.behaviours:
        here, there = (", ".join(each) for each in (dataset.behaviours.names, base.behaviours))
        raise ValueError(f"data.behaviours are {here}, but those of {base.uri} are {there}")
    log_until = last_moment(dataset.sessions)
    if log_until is None:
        raise ValueError(f"{dataset.path}: the log has no clock, so it has no newest window to judge a model by")
    if log_until <= base.log_until:
        raise ValueError(
            f"the log ends at {moment(log_until)}, and {base.uri} had one until {moment(base.log_until)}; "
            "give a log with newer events"
        )
    begins = {name: first_end(dataset.part(name)) for name in ("validation", "test")}
    learned = [last_moment(dataset.part(name)) for name in ("train", "validation")]
    until = max((each for each in learned if each is not None), default=None)
    if until is not None and begins["test"] is not None and until >= begins["test"]:
        raise ValueError(
            f"{dataset.path}: training and validation part go on until {moment(until)}, but the test part begins at "
            f"{moment(begins['test'])}; split.by must be fractions or days"
        )
    for name, begin in begins.items():
        if begin is not None and base.learned_until >= begin:
            raise ValueError(
                f"{base.uri} learned from sessions until {moment(base.learned_until)}, but the {name} part begins "
                f"at {moment(begin)}; make split.validation and split.test smaller, or wait for a longer log"
            )


def first_end(sessions: Sessions) -> int | None:
    """Earliest session end in UTC milliseconds; None without sessions."""
    if not len(sessions):
        return None
    return int(np.asarray(sessions.times)[np.asarray(sessions.offsets)[1:] - 1].min())


def moment(milliseconds: int) -> str:
    """UTC milliseconds as ``YYYY-MM-DD HH:MM:SS``, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
