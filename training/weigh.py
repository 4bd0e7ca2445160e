"""Fit the weights of a policy's sources: ``python -m training.weigh run=RUN_ID policy=FILE relations=DIR``.

Every placement is evaluated on the validation sessions, which neither model nor relations may have seen: the run is
trained with ``trainer.refit=false``, the relations are mined with ``training.relate validation=false``. The printed
settings are copied into the policy file by hand; test sessions are never read.
"""

from training.cli.command import command
from training.settings.weigh import WeighConfig


@command("weigh", WeighConfig)
def main(config: WeighConfig) -> None:
    """Entry point."""
    from training.stages import weigh  # slow to import: only once the settings are known to be right

    weigh.run(config)


if __name__ == "__main__":
    main()
