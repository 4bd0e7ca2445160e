"""Mines item relations: ``python -m training.relate dataset=DIR``, a stage between prepare and export.

Counts co-occurrences of taken and viewed items in training and validation sessions, keeps the statistically significant
pairs, applies compatibility rules and manual pairs, and writes tables (see tillside.relations) and a report into
``DATASET/relations``, from where ``training.export`` copies them into the bundle. Test sessions are never read.
"""

from training.cli.command import begin, command, refuse_no_dataset
from training.cli.loading import loading
from training.settings.relate import RelateConfig


@command("relate", RelateConfig)
def main(config: RelateConfig) -> None:
    """Entry point."""
    refuse_no_dataset(config.dataset)
    begin(f"relate: dataset={config.dataset} -> {config.out or f'{config.dataset}/relations'}")
    with loading():
        from training.stages import relate

    relate.run(config)


if __name__ == "__main__":
    main()
