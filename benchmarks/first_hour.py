"""What a newcomer waits for, on this commit and on an older one in turn, beside a busy neighbour and without.

    python -m benchmarks.first_hour [SYSTEM ...] [--before CHECKOUT] [--rounds 3] [--limit 1800]

Systems: ``demo`` and ``demo-with-neighbour`` are ``python -m training.demo``; ``blend-search`` the choice of
neighbourhood and blend on a shop of 20,000 sessions; ``train-with-neighbour`` the speed of training beside one process
that keeps a core busy, as a ratio to the speed in quiet, with the neighbour on either core or anywhere; ``help`` the
longest of ``--help``, a mistyped key and a missing argument over all commands; ``first-line`` the longest from the
start of a command to its first line, and the median; ``tests`` is ``make test``, without and with a neighbour. CHECKOUT
holds the older commit and a .venv of its own (``git worktree add ../before COMMIT``, then ``make setup`` there). Other
ratios are after / before, of wall time. A command that takes longer than ``--limit`` seconds is ended, and its figures
are told as "more than". Rows of systems that are not asked for stand.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.first_lines import Commands
from benchmarks.neighbour import ANYWHERE, neighbour, of_a_user, places
from benchmarks.results import RESULTS, ROOT, read_rows, write_results
from benchmarks.stages import run_command
from training.cli.console import say

BEFORE, AFTER = "before", "after"
NAME: Final = "first-hour"
SHOP: Final = ("sessions=20000", "items=1000", "shoppers=6000")
"""Of blend-search and train-with-neighbour: the demo's of November 2026, whatever it has become since."""
Figures = dict[str, dict[str, float]]
"""Values by metric of one measurement, by the part of the log's name that tells it from the others; "" is the main."""


@dataclass(frozen=True)
class Side:
    """A checkout that is measured, and the folder where its commands write."""

    name: str
    checkout: Path
    work: Path
    limit: float | None = None

    @property
    def python(self) -> Path:
        return self.checkout / ".venv/bin/python"

    def cost(self, *command: str, folder: Path | None = None) -> dict[str, float]:
        """Wall and CPU seconds of a command."""
        paid = run_command(
            command, folder=folder or self.checkout, environment=of_a_user(), quiet=True, limit=self.limit
        )
        return {"wall_s": paid.seconds, "cpu_s": paid.cpu_seconds}

    def dataset(self) -> Path:
        """The shop, prepared once; the same for both sides."""
        path, shop = self.work.parent / "dataset", self.work.parent / "shop"
        if not path.is_dir():
            log = ("data=events", f"data.path={shop}/events.parquet", f"data.items={shop}/items.parquet")
            self.cost(str(self.python), "-m", "training.simulate", *SHOP, f"out={shop}")
            self.cost(str(self.python), "-m", "training.prepare", *log, f"out={path}")
        return path


def demo(side: Side, place: str | None = None) -> Figures:
    """The whole demo, in an empty folder."""
    shutil.rmtree(side.work, ignore_errors=True)
    side.work.mkdir(parents=True)
    with neighbour(place):
        return {"": side.cost(str(side.python), "-m", "training.demo", folder=side.work)}


def demo_with_neighbour(side: Side) -> Figures:
    """The whole demo beside a neighbour that runs anywhere."""
    return demo(side, places()[-1])


def blend_search(side: Side) -> Figures:
    """Seconds that the search itself takes, imports not counted."""
    script = ROOT / "benchmarks/blend_search.py"
    command = [str(side.python), "-P", str(script), str(side.dataset())]  # -P: training is not benchmarks/training
    try:
        ended = subprocess.run(
            command, cwd=side.checkout, env=of_a_user(), stdout=subprocess.PIPE, check=True, timeout=side.limit
        )
    except subprocess.TimeoutExpired as late:
        return {"": {"wall_s": late.timeout}}
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return {"": found}


def train_with_neighbour(side: Side, seconds: float) -> Figures:
    """Speed beside a neighbour as a share of the speed in quiet: the worst place, then each; 0 if it was ended."""
    rates = {place: _targets_per_second(side, place, seconds) for place in (None, *places())}
    shares = {f"neighbour {place}": {"ratio": rates[place] / rates[None]} for place in places()}
    return {"": min(shares.values(), key=lambda each: each["ratio"]), **shares}


def _targets_per_second(side: Side, place: str | None, seconds: float) -> float:
    side.work.mkdir(parents=True, exist_ok=True)
    out = side.work / "loop.json"
    out.unlink(missing_ok=True)
    command = [str(side.python), "-m", "benchmarks.loop", "--dataset", str(side.dataset()), "--seconds", str(seconds)]
    with neighbour(place):
        side.cost(*command, "--out", str(out))
    if not out.exists():  # ended at the limit
        return 0.0
    return float(json.loads(out.read_text(encoding="utf-8"))["targets_per_second"])


def _commands(side: Side) -> Commands:
    commands = Commands(
        side.python, side.checkout / "configs/policy/electronics.yaml", side.work / "commands", of_a_user()
    )
    if not commands.folder.exists():
        commands.set_up()
    return commands


def first_line(side: Side) -> Figures:
    """Longest silence before a command's first line, and the median."""
    found = _commands(side).first_lines()
    say(f"{side.name}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    return {"": {"wall_s": max(found.values())}, "median": {"wall_s": statistics.median(found.values())}}


def help_(side: Side) -> Figures:
    """Longest wait for help or for the sentence about a mistake."""
    found = _commands(side).answers()
    say(f"{side.name}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    return {"": {"wall_s": max(found.values())}}


def tests(side: Side) -> Figures:
    """The whole suite, in quiet and beside a neighbour that runs anywhere."""
    quiet = side.cost("make", "test")
    with neighbour(ANYWHERE):
        return {"": quiet, f"neighbour {ANYWHERE}": side.cost("make", "test")}


def systems(seconds: float) -> dict[str, Callable[[Side], Figures]]:
    """What is measured, by its name in the results."""
    return {
        "demo": demo,
        "demo-with-neighbour": demo_with_neighbour,
        "blend-search": blend_search,
        "train-with-neighbour": lambda side: train_with_neighbour(side, seconds),
        "help": help_,
        "first-line": first_line,
        "tests": tests,
    }


def rows_of(system: str, rounds: list[dict[str, Figures]], limit: float = math.inf) -> list[dict[str, Any]]:
    """Medians over the rounds, by side, and the ratio after / before of wall times where both sides were measured.

    Args:
        limit: seconds after which commands were ended; figures of those that were are bounds.
    """
    rows: list[dict[str, Any]] = []
    for side in rounds[0]:
        for part, figures in rounds[0][side].items():
            for metric in figures:
                value = statistics.median(each[side][part][metric] for each in rounds)
                row = {"log": _log(side, part), "system": system, "metric": metric, "value": value}
                rows.append(row | ({"bound": ">"} if _ended(rounds, side, part, limit) else {}))
    if BEFORE in rounds[0]:
        for part in rounds[0][AFTER]:
            pairs = [(each[AFTER][part].get("wall_s"), each[BEFORE].get(part, {}).get("wall_s")) for each in rounds]
            ratios = [after / before for after, before in pairs if after is not None and before]
            if ratios:
                value = statistics.median(ratios)
                row = {"log": _log(AFTER, part), "system": system, "metric": "ratio", "value": value}
                bounds = [bound for bound, side in ((">", AFTER), ("<", BEFORE)) if _ended(rounds, side, part, limit)]
                if len(bounds) < 2:  # the ratio of two bounds says nothing
                    rows.append(row | ({"bound": bounds[0]} if bounds else {}))
    return rows


def _ended(rounds: list[dict[str, Figures]], side: str, part: str, limit: float) -> bool:
    """Whether a command of any round was ended at the limit."""
    return any(each[side].get(part, {}).get("wall_s", 0.0) >= limit for each in rounds)


def _log(side: str, part: str) -> str:
    return f"{side}, {part}" if part else side


def _sides(before: Path | None, work: Path, limit: float) -> Iterator[Side]:
    if before is not None:
        yield Side(BEFORE, before.absolute(), work / BEFORE, limit)
    yield Side(AFTER, ROOT, work / AFTER, limit)


def main() -> None:
    """Measure, print as it goes, and write the result files."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.first_hour", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = systems(0.0)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"{', '.join(known)}; default: all")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an older commit, with a .venv of its own")
    parser.add_argument("--rounds", type=int, default=3, help="of measurements, in turn; medians count")
    parser.add_argument("--seconds", type=float, default=20.0, help="of training, for train-with-neighbour")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which a command is ended")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the result files")
    given = parser.parse_args()
    if unknown := [name for name in given.systems if name not in known]:
        parser.error(f"SYSTEM must be one of {', '.join(known)}, got {unknown[0]}")
    if given.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {given.rounds}")
    if given.limit <= 0:
        parser.error(f"--limit must be above 0, got {given.limit}")
    if given.before is not None and not (given.before / ".venv/bin/python").exists():
        parser.error(f"--before must be a checkout with a .venv, got {given.before}")
    chosen = [name for name in known if name in given.systems or not given.systems]
    notes = (
        f"Medians of the rounds, both commits in turn{_of(given.before)}. ratio: after / before of wall time; of "
        "train-with-neighbour the speed beside a neighbour / in quiet, at the worst of its places. The neighbour is a "
        "process that computes without end. Seconds of help and first-line are those of the slowest command."
    )
    rows = read_rows(given.results / f"{NAME}.json")
    with tempfile.TemporaryDirectory(prefix="first-hour-") as scratch:
        for name in chosen:
            sides = list(_sides(given.before, Path(scratch), given.limit))
            rounds = []
            for _ in range(given.rounds):
                rounds.append({side.name: systems(given.seconds)[name](side) for side in sides})
                say(f"{name}: {rounds[-1]}")
            rows = [row for row in rows if row["system"] != name] + rows_of(name, rounds, given.limit)
            write_results(NAME, rows, title="The first hour", notes=notes, folder=given.results)  # an hour is not lost
    say(f"wrote {NAME}.json and .md in {given.results}")


def _of(before: Path | None) -> str:
    if before is None:
        return ""
    shown = subprocess.run(
        ["git", "-C", str(before), "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=False
    )
    return f", before being {shown.stdout.strip() or 'unknown'}"


if __name__ == "__main__":
    main()
