"""Measures what came of the answers: ``python -m training.measure feedback=DIR out=DIR``.

Reads the segments that server and collector wrote, joins exposures with events by explicit rules (``attribution``), and
writes outcomes, orders and effects as Parquet, a page and a run in MLflow. Run again it reads only new segments and
repairs only the days that they touch.
"""

from training.cli.command import begin, command, refuse_no_feedback
from training.cli.loading import loading
from training.settings.measure import MeasureConfig


@command("measure", MeasureConfig)
def main(config: MeasureConfig) -> None:
    """Entry point."""
    refuse_no_feedback(config.feedback)
    begin(f"measure: feedback={config.feedback} -> {config.out}")
    with loading():
        from training.stages import measure

    measure.run(config)


if __name__ == "__main__":
    main()
