"""Names of runs: data set, what was learned, when. Short, because MLflow's list cuts a name at its end."""

from datetime import datetime

MINUTES = "%Y-%m-%d %H:%M"


def run_name(dataset: str, what: str, *, at: datetime | None = None) -> str:
    """A run's name, as in ``rees46 transformer 2026-11-29 22:31``.

    Args:
        what: a word for what the run made of the data set.
        at: when it started; default: now, by the clock of this machine, as MLflow's pages show it.
    """
    return f"{dataset} {what} {at or datetime.now().astimezone():{MINUTES}}"


def part_name(part: str, whole: str) -> str:
    """The name of a part of another run, such as a trial of a sweep; the part first, because the end may be cut."""
    return f"{part} of {whole}"
