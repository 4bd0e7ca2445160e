"""``python -m training.simulate out=DIR``: a simulated shop's event log, its items, and the ground truth behind both.

Sessions are generated in batches of a fixed size, each from its own random stream, so memory is bounded and the same
config gives the same bytes. Follow-up visits after a purchase come on top of the ``sessions`` asked for.
"""

from training.cli.command import begin, command
from training.cli.loading import loading
from training.settings.simulate import SimulateConfig


@command("simulate", SimulateConfig)
def main(config: SimulateConfig) -> None:
    """Entry point."""
    begin(f"simulate: {config.sessions:,} sessions with {config.items:,} items -> {config.out}")
    with loading():
        from training.stages import simulate

    simulate.run(config)


if __name__ == "__main__":
    main()
