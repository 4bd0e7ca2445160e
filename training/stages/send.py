"""How a run's journal is replayed into its MLflow store."""

from pathlib import Path

from omegaconf import OmegaConf

from training.cli.console import say
from training.cli.stored import read_stored
from training.settings.send import SendConfig
from training.settings.tracking import TrackingConfig
from training.tracking.journal import Journal
from training.tracking.registry import BUNDLE, VERSION, keep_and_register
from training.tracking.store import mlflow_errors
from training.tracking.tracker import Tracker, journal_path


def send(config: SendConfig) -> int:
    """Send all unsent entries in order; returns how many were sent. Refused entries are reported and skipped.

    Raises:
        ValueError: there is no journal, or the store is still unreachable.
    """
    path = journal_path(config.tracking, config.run)
    if not path.is_file():
        raise ValueError(f"run={config.run}: {path} is missing, so there is nothing to send")
    tracking = tracking_of(path.parent, config.tracking)
    tracker = Tracker.open(tracking, config.run, journal=Journal(path))
    waited, refused = tracker.waiting, 0
    while tracker.waiting:
        try:
            tracker.flush(retries=2)
        except ValueError as error:
            say(f"refused, and left out: {error}")
            refused += 1
        else:
            if tracker.unsent:
                raise ValueError(tracker.unsent)
    with mlflow_errors(tracker.uri):
        run = tracker.client.get_run(config.run)
    bundle = path.parent / BUNDLE
    if tracking.register and bundle.is_dir() and run.info.status != "RUNNING" and VERSION not in run.data.tags:
        keep_and_register(tracker, bundle, tracking, place=BUNDLE)
    return waited - refused


def tracking_of(folder: Path, given: TrackingConfig) -> TrackingConfig:
    """The tracking config of the run in ``folder``, with ``given``'s ``runs`` and, if set, its ``uri``."""
    file = folder / "config.yaml"
    if not file.is_file():
        return given
    kept = OmegaConf.merge(OmegaConf.structured(TrackingConfig), read_stored(file)["tracking"])
    tracking = OmegaConf.to_object(kept)
    assert isinstance(tracking, TrackingConfig)
    tracking.runs, tracking.uri = given.runs, given.anew(tracking.uri)
    return tracking


def run(config: SendConfig) -> None:
    """Entry point."""
    sent = send(config)
    say(f"sent {sent} entries of run {config.run}" if sent else f"nothing of run {config.run} waited")
