"""How a registered version is judged, and becomes champion or is refused."""

import json
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.entities.model_registry import ModelVersion

from training.cli.console import say
from training.evaluation.case_ranks import RANKS_FILE, Ranks, ranks_beside
from training.evaluation.placements.metrics import POLICY_FILE
from training.review.gate import (
    Check,
    check_experiment,
    check_intent,
    check_latency,
    check_parity,
    check_quality,
    check_rules,
    description,
)
from training.settings.promote import PromoteConfig
from training.settings.tracking import TrackingConfig
from training.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    PROMOTED,
    REPLACED,
    RESULT,
    TURNED_DOWN,
    annotate,
    champion_of,
    fetch_bundle,
    find_version,
    former_champions,
    has_artifact,
    model_with,
    move_alias,
    tag_aliases,
)
from training.tracking.store import StoreAwayError, fetch_artifact, mlflow_errors, open_store

REJECTED: Final = "review.rejected"
"""Version tag: a reviewer's reason for rejecting it."""


def with_model(config: PromoteConfig, client: mlflow.MlflowClient, uri: str) -> PromoteConfig:
    """The settings with the name of the model, where none was given that of the run or of the version."""
    if config.tracking.model is not None:
        return config
    name = model_with(client, uri, run=config.run, version=config.version)
    return replace(config, tracking=replace(config.tracking, model=name))


def reject(config: PromoteConfig) -> ModelVersion:
    """Record a reviewer's rejection of a version and remove its alias ``challenger``.

    Raises:
        ValueError: there is no such version, or it is the champion.
    """
    assert config.reject is not None
    client, uri = open_store(config.tracking, create=False)
    config = with_model(config, client, uri)
    name, reason = str(config.tracking.model), unquoted(" ".join(config.reject.split()))
    version = find_version(client, uri, name, run=config.run, version=config.version)
    if _number(champion_of(client, uri, name)) == _number(version):
        raise ValueError(f"{name} version {version.version} is the champion; promote another version before it goes")
    tags = {RESULT: TURNED_DOWN, "gate.at": _now(), REJECTED: reason}
    annotate(client, uri, version, tags=tags, description=f"Rejected: {reason}\n\n{version.description or ''}")
    with mlflow_errors(uri):
        if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == _number(version):
            client.delete_registered_model_alias(name, CHALLENGER)
    tag_aliases(client, uri, name, [str(version.version)])
    return version


def unquoted(text: str) -> str:
    """The text without a pair of quotes around it, which some type for Hydra and a shell left on."""
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] in "'\"" else text


def promote(config: PromoteConfig) -> list[Check]:
    """Judge a version, record the verdict, and move the alias ``champion`` if no check failed.

    Returns:
        The checks; empty if the version is already champion.

    Raises:
        ValueError: there is no such version, the registry cannot be reached, or the champion changed meanwhile.
    """
    client, uri = open_store(config.tracking, create=False)
    config = with_model(config, client, uri)
    name = str(config.tracking.model)
    version = find_version(client, uri, name, run=config.run, version=config.version)
    champion = champion_of(client, uri, name)
    if _number(champion) == _number(version):
        tag_aliases(client, uri, name, [str(version.version)])  # it may have been made champion in MLflow's own pages
        return []
    checks = judge(config, client, uri, version, champion)
    failed = [check for check in checks if not check.passed]
    current = champion_of(client, uri, name)
    if _number(current) != _number(champion):
        raise ValueError(f"{name} got another champion meanwhile, version {_number(current)}; judge again")
    tags = {
        RESULT: "refused" if failed else PROMOTED,
        "gate.failed": ", ".join(check.name for check in failed) or "nothing",
        "gate.at": _now(),
        REPLACED: _number(champion) or "none",
    }
    tags |= {f"gate.{check.name.replace('@', '_at_').replace(' ', '.')}": check.line for check in checks}
    text = description(checks, compared_with=_number(champion))
    annotate(client, uri, version, tags=tags, description=text)
    if not failed:
        move_alias(client, uri, CHAMPION, version)
    return checks


def judge(
    config: PromoteConfig,
    client: mlflow.MlflowClient,
    uri: str,
    version: ModelVersion,
    champion: ModelVersion | None,
) -> list[Check]:
    """All checks of a version, quality against ``champion``; a bundle that fails verification is not measured."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        checks = []
        if REJECTED in version.tags:
            lifted = f"delete the version's tag {REJECTED} to have it judged by the rest"
            checks.append(Check("review", False, f"rejected: {version.tags[REJECTED]} ({lifted})"))
        try:
            bundle = fetch_bundle(config.tracking, version, into=folder)
        except ValueError as error:
            checks.append(Check("bundle", False, str(error)))
        else:
            checks.append(Check("bundle", True, f"bundle {bundle.version}: every file has its SHA-256"))
            checks.append(check_parity(bundle.manifest))
            checks.append(check_intent(bundle.manifest))
            checks.append(check_latency(bundle, budget_ms=config.latency_ms, seed=config.seed))
        run_id = str(version.run_id)
        policy = None
        if has_artifact(client, uri, run_id, POLICY_FILE):
            policy = json.loads(fetch_artifact(config.tracking, run_id, POLICY_FILE, into=folder).read_bytes())
        checks.append(check_rules(policy))
        if config.experiment is not None:
            checks.append(check_experiment(_reports(Path(config.experiment))))
        if champion is None:
            return [*checks, Check("test", True, "there is no champion to compare with")]
        return checks + _quality(config, version, champion, folder, former_champions(client, uri, champion))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _reports(path: Path) -> list[dict[str, Any]]:
    """What an experiment said.

    Raises:
        ValueError: the file is not what ``training.experiment read`` writes.
    """
    try:
        found: list[dict[str, Any]] = json.loads(path.read_bytes())
        if not isinstance(found, list) or not all({"word", "sentence"} <= each["verdict"].keys() for each in found):
            raise KeyError("verdict")
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"experiment: {path} is not what python -m training.experiment read ... out=FILE writes"
        ) from error
    return found


def _number(version: ModelVersion | None) -> str | None:
    """The version number as text; MLflow gives an int from an SQLite store, text from a server."""
    return None if version is None else str(version.version)


def _quality(
    config: PromoteConfig, version: ModelVersion, champion: ModelVersion, folder: Path, former: list[ModelVersion]
) -> list[Check]:
    run, client = str(version.run_id), open_store(config.tracking, create=False)

    def theirs(rival: str) -> Ranks:
        beside = has_artifact(*client, run, ranks_beside(rival))  # retraining ranked the same cases with its base
        return _ranks(config.tracking, *((run, ranks_beside(rival)) if beside else (rival, RANKS_FILE)), folder)

    try:
        ours, champions = _ranks(config.tracking, run, RANKS_FILE, folder), theirs(str(champion.run_id))
    except ValueError as error:
        return [Check("test", False, str(error))]
    marks = {}
    for each in former:
        try:
            marks[str(each.version)] = theirs(str(each.run_id))
        except StoreAwayError:
            raise
        except ValueError:
            continue  # its run was deleted or its ranks are damaged: what nobody can compare with is no mark
    return check_quality(ours, champions, seed=config.seed, former=marks)


def _ranks(tracking: TrackingConfig, run_id: str, name: str, folder: Path) -> Ranks:
    own = folder / run_id
    own.mkdir(exist_ok=True)
    return Ranks.load(fetch_artifact(tracking, run_id, name, into=own))


def run(config: PromoteConfig) -> None:
    """Entry point."""
    config = with_model(config, *open_store(config.tracking, create=False))
    if config.reject is not None:
        version = reject(config)
        say(f"{config.tracking.model} version {version.version} is rejected; the gate refuses it from now on")
        return
    checks = promote(config)
    for check in checks:
        say(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.line}")
    failed = [check for check in checks if not check.passed]
    if failed:
        print(f"refused: {'; '.join(check.line for check in failed)}", file=sys.stderr)
        sys.exit(1)
    say(f"models:/{config.tracking.model}@{CHAMPION} {'is this version' if checks else 'was this version already'}")
