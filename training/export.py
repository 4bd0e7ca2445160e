"""Export a run as a bundle (see tillside.bundle), and register it in MLflow.

    python -m training.export run=RUN_ID out=DIR

Nothing is written unless onnxruntime and torch agree on real sessions: at lengths 1, 2, full and over-long, in batches
of 1 and 3, and on the offline evaluator's top 20.
"""

from training.cli.command import begin, command, refuse_no_dataset
from training.cli.loading import loading
from training.settings.export import ExportConfig
from training.tracking.finding import find_run


@command("export", ExportConfig)
def main(config: ExportConfig) -> None:
    """Entry point."""
    config.run = find_run(config.tracking, config.run)
    refuse_no_dataset(config.dataset)
    begin(f"export: run {config.run} -> {config.out}")
    with loading():
        from training.stages import export

    export.run(config)


if __name__ == "__main__":
    main()
