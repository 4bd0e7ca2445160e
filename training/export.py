"""Export a run as a bundle (see tillside.bundle), and register it in MLflow.

    python -m training.export run=RUN_ID out=DIR

Nothing is written unless onnxruntime and torch agree on real sessions: at lengths 1, 2, full and over-long, in batches
of 1 and 3, and on the offline evaluator's top 20.
"""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tillside import bundle
from training.bundle.latency import measure_latency
from training.bundle.write import export_run
from training.cli.command import command
from training.cli.console import say
from training.evaluation.run import METRICS_FILE, open_run
from training.review.run_page import publish_bundle
from training.tracking.registry import keep_and_register
from training.tracking.store import TrackingConfig, fetch_artifact
from training.tracking.tracker import Tracker


@dataclass
class ExportConfig:
    """Which run to export, and where to."""

    run: str = "???"
    out: str = "???"
    dataset: str | None = None
    """Default: the data set the run was trained on, at its path of then."""
    relations: str | None = None
    """Folder that training.relate wrote. Default: the data set's own, if it has any."""
    policy: str | None = None
    """Policy file to include in the bundle; the server may be given another one."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


@command("export", ExportConfig)
def main(config: ExportConfig) -> None:
    """Entry point."""
    trained, dataset = open_run(config.run, config.tracking, config.dataset)
    with tempfile.TemporaryDirectory() as folder:
        file = fetch_artifact(config.tracking, config.run, METRICS_FILE, into=Path(folder))
        metrics = json.loads(file.read_text(encoding="utf-8"))
    place = Path(config.relations) if config.relations else None
    policy = Path(config.policy) if config.policy else None
    parity = export_run(
        trained, dataset, Path(config.out), metrics=metrics, run_id=config.run, relations=place, policy=policy
    )
    version = bundle.open_bundle(Path(config.out)).version
    say(f"bundle {version} is in {config.out}; torch and onnxruntime differ by at most {parity['max_difference']:.1e}")
    if config.tracking.register:
        tracker = Tracker.open(config.tracking, config.run)
        if keep_and_register(tracker, Path(config.out), config.tracking) is not None:
            with tempfile.TemporaryDirectory() as scratch:
                latency = measure_latency(Path(config.out), dataset)
                publish_bundle(tracker, Path(config.out), latency, scratch=Path(scratch))
    say(f"serve it:  python -m serving --bundle {config.out}")


if __name__ == "__main__":
    main()
