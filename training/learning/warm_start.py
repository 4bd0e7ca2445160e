"""The model that retraining starts from: a registered version, fetched from the registry alone.

Weights come from the run's model file; catalogue and past sessions from the bundle, so the data set that it was
trained on is not needed. Items are matched by id: what was learned of an item goes on in the new table, wherever it
stands there. Surprising: a new item starts without a row of its own where its attributes are known, because that is
how the model ranks cold items already, and noise in the row would only hide them.

Shapes: N trained items of the new catalogue, R items the parent ranks, A newcomers to it, D width, E = D + 1.
"""

import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from mlflow.entities.model_registry import ModelVersion

from tillside.catalogue import PRICE_BAND, Catalogue
from tillside.dataset import Dataset, Sessions
from tillside.encoding import EncodingSpec
from tillside.recommenders.blend import SessionMemory
from tillside.recommenders.cold_vectors import TokenVectors
from training.model.checkpoint import MODEL_FILE, last_moment, read_document, take_weights
from training.model.next_item import ModelConfig, NextItemModel
from training.tracking.registry import CHAMPION, fetch_bundle
from training.tracking.store import TrackingConfig, as_sentences, fetch_artifact, open_store

NAMED: Final = re.compile(r"models:/(?P<name>\w[\w. -]*)(?:@(?P<alias>\w[\w.-]*)|/(?P<version>[1-9]\d{0,8}))", re.ASCII)


@dataclass(frozen=True)
class Carried:
    """How many items of a new catalogue go on from where they were, and how the others begin."""

    kept: int
    described: int
    """Begin as their attributes say."""
    fresh: int
    """Begin at random, as in a first training."""
    gone: int
    """Were learned before and are not trained any more."""


@dataclass(frozen=True)
class Parent:
    """A registered model as it is served, and what it learned from.

    Attributes:
        learned_until: UTC milliseconds of the last event that its weights or its past sessions hold.
        champion: whether it has the alias ``champion``.
        log_until: of the last event of its data set, with the parts it was only judged by.
        settings: of the preparation of its data set.
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

    @property
    def uri(self) -> str:
        """The version's name in the registry, which stays the same when aliases move."""
        return f"models:/{self.name}/{self.version}"

    @classmethod
    def fetch(cls, tracking: TrackingConfig, place: str) -> "Parent":
        """The version that ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION`` names, its bundle verified.

        Raises:
            ValueError: there is none, its files are damaged, or it does not say until when it learned.
        """
        version = named_version(tracking, place)
        run_id = str(version.run_id)
        with tempfile.TemporaryDirectory() as folder:
            bundle = fetch_bundle(tracking, version, into=Path(folder))
            document = read_document(fetch_artifact(tracking, run_id, MODEL_FILE, into=Path(folder)))
            catalogue, memory, tokens = (
                bundle.catalogue,
                bundle.memory,
                bundle.tokens,
            )  # mapped files outlive the folder
        told = document["dataset"]
        if told.get("learned_until") is None:
            raise ValueError(
                f"{place} does not say until when it learned: its log had no clock, or it was trained by an older "
                "tillside; train it anew"
            )
        config = ModelConfig(**document["model"])
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
        )

    def newcomers(self, catalogue: Catalogue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Items of another catalogue that this one cannot rank and whose attributes it has learned.

        Returns:
            Their indices in ``catalogue`` [A], and the rows that they are served with [A, E], as an items feed gets.
        """
        ranked, index_of = self.catalogue.rankable, self.catalogue.index_of
        unknown = [item for item, name in enumerate(catalogue.item_ids) if index_of.get(name, ranked) >= ranked]
        if self.tokens is None:
            return np.zeros(0, np.int64), np.zeros((0, self.config.dim + 1), np.float32)
        tokens = [[t for t in catalogue.tokens_of(item) if not t.startswith(f"{PRICE_BAND}=")] for item in unknown]
        found_A, rows_AE = self.tokens.rows(tokens, catalogue.prices_N[unknown])
        return np.array(unknown, np.int64)[found_A], rows_AE

    def hand_over(self, model: NextItemModel, catalogue: Catalogue) -> Carried:
        """Put what was learned into a fresh ``model`` of another catalogue, all but what validation will choose anew.

        Trained items keep their rows, by id. An item without one begins with its attributes alone if some of them have
        been learned, else with the random row that it has. A token that was not learned begins at zero.

        Raises:
            ValueError: the two models are of different shapes.
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
        """Whether each trained item has a token, beside its price band, of which something is known [N]."""
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
    """The registered version of that name.

    Raises:
        ValueError: the name is of another form, or there is no such version.
    """
    found = NAMED.fullmatch(place)
    if found is None:
        raise ValueError(f"a registered model is named models:/NAME@ALIAS or models:/NAME/VERSION, got {place!r}")
    client, uri = open_store(tracking, create=False)
    with as_sentences(uri):
        if found["alias"]:
            return client.get_model_version_by_alias(found["name"], found["alias"])
        return client.get_model_version(found["name"], found["version"])


def refuse_leaks(parent: Parent, dataset: Dataset) -> None:
    """Make sure that the test part is newer than all that either model learns from, and validation news to the parent.

    A part begins when its first session ends, as preparation splits them.

    Raises:
        ValueError: the log has no clock, other behaviours or nothing new, or its parts overlap with what was learned.
    """
    if dataset.behaviours.names != parent.behaviours:
        here, there = (", ".join(each) for each in (dataset.behaviours.names, parent.behaviours))
        raise ValueError(f"data.behaviours are {here}, but those of {parent.uri} are {there}")
    log_until = last_moment(dataset.sessions)
    if log_until is None:
        raise ValueError(f"{dataset.path}: the log has no clock, so it has no newest window to judge a model by")
    if log_until <= parent.log_until:
        raise ValueError(
            f"the log ends at {moment(log_until)}, and {parent.uri} had one until {moment(parent.log_until)}; "
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
        if begin is not None and parent.learned_until >= begin:
            raise ValueError(
                f"{parent.uri} learned from sessions until {moment(parent.learned_until)}, but the {name} part begins "
                f"at {moment(begin)}; make split.validation and split.test smaller, or wait for a longer log"
            )


def first_end(sessions: Sessions) -> int | None:
    """When the first of the sessions ends, UTC milliseconds; None without sessions."""
    if not len(sessions):
        return None
    return int(np.asarray(sessions.times)[np.asarray(sessions.offsets)[1:] - 1].min())


def moment(milliseconds: int) -> str:
    """A moment in words, to the second, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
