"""Fit the weights of a policy's sources: ``python -m training.weigh run=RUN_ID policy=FILE relations=DIR``.

Every placement is evaluated on the validation sessions, which neither model nor relations may have seen: the run is
trained with ``trainer.refit=false``, the relations are mined with ``training.relate validation=false``. The printed
settings are copied into the policy file by hand; test sessions are never read.
"""

from training.cli.command import begin, command, refuse_no_dataset
from training.cli.loading import loading
from training.settings.weigh import WeighConfig
from training.tracking.finding import find_run


@command("weigh", WeighConfig)
def main(config: WeighConfig) -> None:
    """Entry point."""
    config.run = find_run(config.tracking, config.run)
    refuse_no_dataset(config.dataset)
    begin(f"weigh: run {config.run} with policy={config.policy}")
    with loading():
        from training.stages import weigh

    weigh.run(config)


if __name__ == "__main__":
    main()
