"""MLflow's registry: bundles as versions of a model, and the aliases ``challenger`` and ``champion``.

The folder of a bundle among a run's artifacts is itself the registered model: MLflow's files lie beside the bundle's,
so nothing is stored twice. Surprising: of six concurrent registrations in one SQLite store two would be given the same
version number, so a file lock serialises them there.
"""

import contextlib
import hashlib
import re
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from tillside import bundle
from tillside.bundle import SHA256_TAG, VERSION_TAG, Bundle, manifest_sha256, open_bundle
from tillside.dataset import Dataset
from training.cli.command_lines import command_line
from training.cli.console import say
from training.cli.foreign_text import in_markdown
from training.cli.progress import step
from training.settings.tracking import TrackingConfig
from training.tracking.store import (
    StoreAwayError,
    fetch_artifact,
    mlflow_errors,
    request_limits,
    retry_taken,
    store_lock,
)
from training.tracking.tracker import Tracker

CHALLENGER: Final = "challenger"
CHAMPION: Final = "champion"
PARENT_TAG: Final = "parent.version"
"""Version tag: the base model a version was retrained from; "parent" stays for readers of older versions."""
LOADER: Final = "serving.pyfunc"
"""Module that loads a version to answer. By name only: training never imports serving."""
BUNDLE: Final = "bundle"
"""Artifact folder of a run's first bundle."""
VERSION: Final = "registry.version"
"""Run tag: the registered version of its bundle."""
RESULT: Final = "gate.result"
"""Version tag: not judged, PROMOTED, refused, TURNED_DOWN (by a reviewer)."""
PROMOTED: Final = "promoted"
TURNED_DOWN: Final = "rejected"
REPLACED: Final = "gate.champion"
"""Version tag: the version that was champion when it was judged."""
MODEL: Final = "registry.model"
"""Run tag: the registered model that its bundles are versions of."""
OLD_NAME: Final = "tillside"
"""The one model of all data sets, in stores made before models were named by data set."""
MODEL_NAME: Final = re.compile(r"\w[\w. -]*", re.ASCII)
"""Names that the server finds, as in ``models:/NAME@champion``."""
ALIAS: Final = "alias"
"""Run tag: the aliases of its versions, for the list of runs, where MLflow shows none."""


def named(config: TrackingConfig, dataset: Dataset, client: mlflow.MlflowClient, uri: str) -> TrackingConfig:
    """The settings with the name of the registered model: the one they have, else the data set's.

    A store from before goes on with OLD_NAME for the data set that its champion, or else its newest version, is of: the
    same name given at preparation, or the same digest. For any other data set a sentence tells of that champion.
    """
    if config.model is not None:
        return config
    given = dataset.about.get("config", {}).get("name")
    own = model_name(given or dataset.path.resolve().name)
    try:
        with mlflow_errors(uri), request_limits():
            if client.search_registered_models(f"name='{own}'") or not client.search_registered_models(
                f"name='{OLD_NAME}'"
            ):
                return replace(config, model=own)
            versions = client.search_model_versions(f"name='{OLD_NAME}'")
            champion = client.get_registered_model(OLD_NAME).aliases.get(CHAMPION)
    except ValueError:  # the store is away or has no registry, which is said when the bundle is to be registered
        return replace(config, model=own)
    newest = max(versions, key=lambda each: (str(each.version) == str(champion), int(each.version)), default=None)
    if newest is None:
        return replace(config, model=own)
    its = newest.tags.get("dataset.name"), newest.tags.get("dataset.digest")
    if (given and its[0] == given) or its[1] == dataset.digest:
        return replace(config, model=OLD_NAME)
    if champion is not None:
        say(
            f"models are named by data set, this one {own}; the store also has models:/{OLD_NAME}@{CHAMPION}, of "
            f"{its[0]}: if that is the same shop, tracking.model={OLD_NAME} goes on from it"
        )
    return replace(config, model=own)


def model_name(dataset: str) -> str:
    """A data set's name, or its folder's, as a registered model's name; what registry or server cannot read becomes a
    dash, and a few digits of the name's SHA-256 keep it apart from others."""
    if MODEL_NAME.fullmatch(dataset):
        return dataset
    plain = re.sub(r"[^A-Za-z0-9_. -]+", "-", dataset).strip(" .-") or "dataset"
    return f"{plain}-{hashlib.sha256(dataset.encode()).hexdigest()[:6]}"


def model_with(client: mlflow.MlflowClient, uri: str, *, run: str | None, version: int | None) -> str:
    """Name of the one registered model that has a version of the run, or of that number.

    Raises:
        ValueError: there is none, or there are several.
    """
    with mlflow_errors(uri):
        if run is not None:
            tagged = client.get_run(run).data.tags.get(MODEL)
            if tagged is None:
                raise ValueError(f"run={run} has no registered version at {uri}; training.export registers one")
            return str(tagged)
        found = [model.name for model in client.search_registered_models() if _has(client, model.name, str(version))]
    if not found:
        raise ValueError(f"version={version}: no model at {uri} has such a version")
    if len(found) > 1:
        raise ValueError(f"tracking.model must be given with version={version}, as one of {', '.join(found)}")
    return str(found[0])


def _has(client: mlflow.MlflowClient, name: str, version: str) -> bool:
    """Whether a model has a version of that number which is a bundle."""
    with contextlib.suppress(MlflowException):
        return SHA256_TAG in client.get_model_version(name, version).tags
    return False


def keep_and_register(
    tracker: Tracker, folder: Path, config: TrackingConfig, *, place: str | None = None
) -> str | None:
    """Log a bundle to its run and, if the config says so, register it as a model version with alias challenger.

    A bundle that is a version of the run already adds none: training registers its own, and an export of the same run
    with the same relations and policy makes the same bundle, to the last byte. If the store has no registry, or
    refuses, a sentence is printed and the run goes on.

    Args:
        place: artifact folder; default: ``bundle-VERSION``, also if the run has a registered bundle already.

    Returns:
        The new version's number, or None where nothing was registered.
    """
    opened = open_bundle(folder)
    name = config.model or model_name(str(opened.manifest["dataset"]["name"]))
    same = _registered_already(tracker, opened, name=name) if config.register else None
    if same is not None:
        say(f"this bundle is {name} version {same} already")
        return None
    if place is None or VERSION in tracker.run.data.tags:  # never overwrite a registered bundle
        place = f"{BUNDLE}-{opened.version}"
    with step("sending the bundle to MLflow"):
        tracker.artifact(folder, place)
    if not config.register:
        return None
    try:
        with step("registering the bundle"):
            version = register(tracker, opened, name=name, place=place)
    except StoreAwayError as error:
        later = "" if tracker.journal is None else f"; {tracker.send_command} does it later"
        say(f"not registered: {error}{later}")
        return None
    except ValueError as error:
        say(f"not registered: {error}")
        return None
    say(f"registered as {name} version {version}, @{CHALLENGER}")
    return version


def promote_command(config: TrackingConfig, version: str) -> str:
    """The shell command that has a version judged."""
    return command_line("promote", {"version": int(version)}, more=config.typed("runs", "uri", "model"))


def register(tracker: Tracker, opened: Bundle, *, name: str, place: str) -> str:
    """Register the bundle among the run's artifacts at ``place``; returns the new version's number.

    Raises:
        StoreAwayError: the store cannot be reached, or journal entries of the run are still unsent.
        ValueError: the store has no registry.
    """
    tracker.flush()
    if tracker.waiting:
        raise StoreAwayError(f"MLflow at {tracker.uri} is away")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about type hints
        from training.tracking.mlmodel import write_model_files  # lazy: takes a second that most commands need not pay

    with tempfile.TemporaryDirectory() as folder:
        write_model_files(opened, Path(folder) / "model", run_id=tracker.run_id, place=place)
        with (
            mlflow_errors(tracker.uri),
            request_limits(retries=2, seconds=60),
        ):  # now or not at all, so not through the journal
            tracker.client.log_artifacts(tracker.run_id, str(Path(folder) / "model"), place)
    client, manifest = tracker.client, opened.manifest
    figures = ", ".join(f"{metric} {value:.3f}" for metric, value in manifest.get("metrics", {}).items())
    tags = {
        VERSION_TAG: opened.version,
        SHA256_TAG: manifest_sha256(opened.path),
        "dataset.name": str(manifest["dataset"]["name"]),
        "dataset.digest": str(manifest["dataset"]["digest"]),
        RESULT: "not judged",
    }
    dataset_name = in_markdown(str(manifest["dataset"]["name"]))
    with mlflow_errors(tracker.uri), store_lock(tracker.uri), request_limits(retries=2, seconds=60):
        with contextlib.suppress(MlflowException):  # exists already, or the next call raises the cause
            client.create_registered_model(name, description="Bundles that training.export made; see their runs.")
        version = client.create_model_version(
            name,
            source=f"{tracker.run.info.artifact_uri}/{place}",
            run_id=tracker.run_id,
            tags=tags,
            await_creation_for=0,
            description=f"Not judged yet. Test part of {dataset_name}: {figures or 'no figures'}.",
        )
        move_alias(client, tracker.uri, CHALLENGER, version)
    tracker.tags({MODEL: name, VERSION: str(version.version)})
    return str(version.version)


def _registered_already(tracker: Tracker, opened: Bundle, *, name: str) -> str | None:
    """Number of the version of the run that has this very bundle; None if there is none, or the store does not say."""
    if tracker.run.data.tags.get(MODEL) != name:
        return None
    sealed = manifest_sha256(opened.path)
    with contextlib.suppress(ValueError), mlflow_errors(tracker.uri), request_limits():
        for version in _versions_of(tracker.client, name, tracker.run_id):
            if version.tags.get(SHA256_TAG) == sealed:
                return str(version.version)
    return None


def _versions_of(client: mlflow.MlflowClient, name: str, run_id: str | None) -> list[ModelVersion]:
    """A run's versions; the run is not part of the query, because registries answer only to some."""
    return [each for each in client.search_model_versions(f"name='{name}'") if each.run_id == run_id]


def move_alias(client: mlflow.MlflowClient, uri: str, alias: str, version: ModelVersion) -> None:
    """Give an alias to a version, and tell it to the runs that have it and that had it.

    Raises:
        StoreAwayError: the store is unreachable or busy.
    """
    with mlflow_errors(uri):
        before = client.get_registered_model(version.name).aliases.get(alias)
    retry_taken(uri, partial(client.set_registered_model_alias, version.name, alias, version.version))
    tag_aliases(client, uri, version.name, [str(version.version), *([] if before is None else [str(before)])])


def tag_aliases(client: mlflow.MlflowClient, uri: str, name: str, versions: Iterable[str]) -> None:
    """Set the tag ALIAS of the runs of these versions to the aliases that any version of the run has.

    A run or version that was deleted meanwhile is left alone.
    """
    with mlflow_errors(uri):
        aliases = client.get_registered_model(name).aliases
        for run_id in dict.fromkeys(_run_of(client, name, number) for number in versions):
            if not run_id:
                continue
            own = {str(each.version) for each in _versions_of(client, name, run_id)}
            held = [alias for alias, number in aliases.items() if str(number) in own]
            held.sort(key=lambda alias: (alias != CHAMPION, alias))  # first, because a narrow column cuts the end
            with contextlib.suppress(MlflowException):
                if held:
                    client.set_tag(run_id, ALIAS, ", ".join(held))
                else:
                    client.delete_tag(run_id, ALIAS)


def _run_of(client: mlflow.MlflowClient, name: str, version: str) -> str | None:
    try:
        return client.get_model_version(name, version).run_id
    except MlflowException:
        return None


def name_base(tracker: Tracker, name: str, version: str, *, base: str, description: str) -> None:
    """Record on a version which base model it was retrained from, and how the two compare."""
    with mlflow_errors(tracker.uri):
        found = tracker.client.get_model_version(name, version)
    annotate(tracker.client, tracker.uri, found, tags={PARENT_TAG: base}, description=description)


def find_version(
    client: mlflow.MlflowClient, uri: str, name: str, *, run: str | None, version: int | None
) -> ModelVersion:
    """The version with number ``version``, or else the latest version of ``run``.

    Raises:
        ValueError: there is none.
    """
    with mlflow_errors(uri):
        if version is not None:
            return client.get_model_version(name, str(version))
        found = _versions_of(client, name, run)
    if not found:
        raise ValueError(f"run={run} has no version of the model {name} at {uri}; training.export registers one")
    return max(found, key=lambda each: int(each.version))


def champion_of(client: mlflow.MlflowClient, uri: str, name: str) -> ModelVersion | None:
    """The version with the alias champion; None if there is none."""
    with mlflow_errors(uri):
        number = client.get_registered_model(name).aliases.get(CHAMPION)
        return None if number is None else client.get_model_version(name, str(number))


def former_champions(client: mlflow.MlflowClient, uri: str, champion: ModelVersion) -> list[ModelVersion]:
    """Versions that were champion before, the first one first: those that the gate promoted, and those that it found as
    champion; without any that a reviewer rejected afterwards."""
    with mlflow_errors(uri):
        versions = client.search_model_versions(f"name='{champion.name}'")
    judged = [each for each in versions if each.tags.get(RESULT) == PROMOTED]
    numbers = {str(each.version) for each in judged} | {str(each.tags.get(REPLACED)) for each in judged}
    former = [
        each
        for each in versions
        if str(each.version) in numbers - {str(champion.version)} and each.tags.get(RESULT) != TURNED_DOWN
    ]
    return sorted(former, key=lambda each: int(each.version))


def fetch_bundle(config: TrackingConfig, version: ModelVersion, *, into: Path) -> Bundle:
    """Copy a version's bundle into ``into`` and verify it against its own hashes and the registry's manifest hash.

    Raises:
        ValueError: it cannot be fetched, or is not what was registered.
    """
    folder = fetch_artifact(config, str(version.run_id), str(version.source).rpartition("/")[2], into=into)
    opened = open_bundle(folder)
    found, expected = manifest_sha256(folder), version.tags.get(SHA256_TAG)
    if found != expected:
        raise ValueError(f"{bundle.MANIFEST} has the SHA-256 {found[:12]}, the registry says {str(expected)[:12]}")
    if opened.manifest.get("run") != version.run_id:
        raise ValueError(f"the bundle is of run {opened.manifest.get('run')}, the version of run {version.run_id}")
    return opened


def has_artifact(client: mlflow.MlflowClient, uri: str, run_id: str, name: str) -> bool:
    """Whether a run has an artifact ``name`` at the top level."""
    with mlflow_errors(uri):
        return any(artifact.path == name for artifact in client.list_artifacts(run_id))


def annotate(
    client: mlflow.MlflowClient, uri: str, version: ModelVersion, *, tags: Mapping[str, str], description: str
) -> None:
    """Set tags and description of a version."""
    with mlflow_errors(uri):
        for key, value in tags.items():
            client.set_model_version_tag(version.name, version.version, key, value)
        client.update_model_version(version.name, version.version, description)
