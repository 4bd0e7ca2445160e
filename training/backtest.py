"""Rolling backtest of model age: train on what precedes each of several windows of a log, test on it and later ones.

    python -m training.backtest data=events data.path=LOG windows=4

The newest sessions form the windows, each with ``share`` of all sessions. Every window is prepared separately, with the
library of training.prepare: known items, their attributes and popularity come from what precedes the window, so no
model sees the future. One MLflow run holds the table and the figure, with a child run per model. After a kill, repeat
the command with resume=RUN_ID: windows whose child run finished are skipped, the interrupted one continues.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.backtest import BacktestConfig
from training.tracking.finding import BACKTEST, find_run


@command("backtest", BacktestConfig)
def main(config: BacktestConfig) -> None:
    """Entry point."""
    if config.resume is not None:
        config.resume = find_run(config.tracking, config.resume, file=BACKTEST, key="resume")
    begin(f"backtest: data={config.data.name}, {config.windows} windows -> {config.tracking.runs}")
    with loading():
        from training.stages import backtest

    backtest.run(config)


if __name__ == "__main__":
    main()
