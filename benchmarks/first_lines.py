"""How long a command is silent: from its start to its first line, and to the end of ``--help`` or of a mistake.

Every command of training, and the server, is started as a user would type it, on a small shop with a run in it.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.stages import run_command

SHOP: Final = ("sessions=800", "items=120", "shoppers=300", "days=20")
QUICK: Final = ("trainer.max_epochs=1", "model=small")
LIMIT: Final = 120.0
"""Seconds after which a silent command is ended; it counts as so long."""
MISTAKE: Final = "dataste=x"
LOG: Final = ("data=events", "data.path=shop/events.parquet", "data.items=shop/items.parquet")


@dataclass(frozen=True)
class Commands:
    """The commands of a checkout, typed in a folder of its own."""

    python: Path
    policy: Path
    folder: Path
    environment: Mapping[str, str]

    def set_up(self) -> None:
        """Simulate, prepare, train and promote, so that every command finds what it reads."""
        self.folder.mkdir(parents=True)
        for module, *arguments in (
            ("training.simulate", *SHOP, "out=shop"),
            ("training.prepare", *LOG, "name=small-shop", "out=dataset"),
            ("training.train", "dataset=dataset", *QUICK, "tracking.runs=runs"),
        ):
            run_command(self._typed(module, *arguments), folder=self.folder, environment=self.environment, quiet=True)
        promoted = self._typed("training.promote", self._run, "tracking.runs=runs", "latency_ms=100000")
        subprocess.run(promoted, cwd=self.folder, env=self.environment, capture_output=True, check=False)

    @property
    def _run(self) -> str:
        return f"run={(self.folder / 'runs/latest').resolve().name}"

    def first_lines(self) -> dict[str, float]:
        """Seconds to the first line, by command."""
        found = {}
        for module, *arguments in self._all():
            found[module] = self._first_line(module, *arguments)
        return found

    def _all(self) -> list[tuple[str, ...]]:
        runs, policy = "tracking.runs=runs", f"policy={self.policy}"
        return [
            ("training.simulate", *SHOP, "out=shop-again"),
            ("training.prepare", *LOG, "out=dataset-again"),
            ("training.relate", "dataset=dataset"),
            ("training.train", "dataset=dataset", *QUICK, runs),
            ("training.evaluate", self._run, runs),
            ("training.weigh", self._run, policy, runs),
            ("training.export", self._run, "out=bundle-again", runs),
            ("training.promote", self._run, runs),
            ("training.retrain", "from=models:/tillside@champion", *LOG, *QUICK[:1], runs),
            ("training.backtest", *LOG, *QUICK, runs),
            ("training.send", self._run, runs),
            ("training.demo",),
            ("serving", "--bundle", f"runs/{self._run.removeprefix('run=')}/bundle", "--port", "0", "--workers", "1"),
        ]

    def _first_line(self, module: str, *arguments: str) -> float:
        """Seconds from the start to the first character that is no white space; the command is ended then."""
        started = time.monotonic()
        process = subprocess.Popen(
            self._typed(module, *arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            while time.monotonic() - started < LIMIT:
                if (process.stdout.read(4096) or b"").strip() or process.poll() is not None:
                    break
                time.sleep(0.005)
            return time.monotonic() - started
        finally:
            process.terminate()
            process.wait()

    def answers(self) -> dict[str, float]:
        """Seconds that ``--help``, a mistyped key and a missing argument take, the longest by command."""
        found = {}
        for module, *_ in self._all():
            mistakes: list[tuple[str, ...]] = [("--help",)]
            if module.startswith("training.") and module != "training.demo":  # neither has keys of its own
                mistakes += [(MISTAKE,)]
            if module not in ("training.demo", "training.simulate"):  # nothing is missing there
                mistakes += [()]
            found[module] = max(self._until_its_end(module, *typed) for typed in mistakes)
        return found

    def _until_its_end(self, module: str, *arguments: str) -> float:
        started = time.monotonic()
        typed = self._typed(module, *arguments)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                typed, cwd=self.folder, env=self.environment, capture_output=True, timeout=LIMIT, check=False
            )
        return time.monotonic() - started

    def _typed(self, module: str, *arguments: str) -> list[str]:
        return [str(self.python), "-u", "-m", module, *arguments]
