"""How a run becomes a bundle and a registered version."""

import json
import tempfile
from pathlib import Path

from tillside import bundle
from training.bundle.latency import measure_latency
from training.bundle.write import export_run
from training.cli.command_lines import module_line
from training.cli.console import say
from training.evaluation.run import open_run
from training.evaluation.tables import METRICS_FILE
from training.review.run_page import publish_bundle
from training.settings.export import ExportConfig
from training.tracking.registry import keep_and_register, named, promote_command
from training.tracking.store import fetch_artifact
from training.tracking.tracker import Tracker


def run(config: ExportConfig) -> None:
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
        tracking = named(config.tracking, dataset, tracker.client, tracker.uri)
        number = keep_and_register(tracker, Path(config.out), tracking)
        if number is not None:
            with tempfile.TemporaryDirectory() as scratch:
                latency = measure_latency(Path(config.out), dataset)
                publish_bundle(tracker, Path(config.out), latency, scratch=Path(scratch))
            say(f"judge it:  {promote_command(tracking, number)}")
    say(f"serve it:  {module_line('serving', '--bundle', config.out)}")
