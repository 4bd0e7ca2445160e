"""Raw shop log to a prepared data set: ``python -m training.prepare data=rees46 data.path=LOG out=DIR``.

Read the log and refuse it when too many rows are bad; sessionise; split by time; select items and sessions on the
training part alone; write arrays and catalogue. The directory appears atomically.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.prepare import PrepareConfig


@command("prepare", PrepareConfig)
def main(config: PrepareConfig) -> None:
    """Entry point."""
    begin(f"prepare: data={config.data.name} -> {config.out}")
    with loading():
        from training.stages import prepare

    prepare.run(config)


if __name__ == "__main__":
    main()
