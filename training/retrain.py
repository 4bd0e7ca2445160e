"""Retrain the champion on a newer log (warm start), and show whether the new model is better.

    python -m training.retrain from=models:/my-shop@champion data=events data.path=LOG

The log is prepared as the champion's was. Training starts from the champion's weights, matched by item id, and takes
fewer epochs (trainer.max_epochs); both models are then evaluated on the newest sessions, which neither has learned
from. The result is a run like any other, alias challenger. After a kill resume with ``training.train resume=RUN_ID``.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.retrain import RetrainConfig


@command("retrain", RetrainConfig)
def main(config: RetrainConfig) -> float:
    """Entry point."""
    begin(f"retrain: {config.from_} on data={config.data.name} -> {config.tracking.runs}")
    with loading():
        from training.stages import retrain

    return retrain.run(config)


if __name__ == "__main__":
    main()
