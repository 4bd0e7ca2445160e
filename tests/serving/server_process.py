"""A real server for tests: ``python -m serving`` in a process of its own, on a free loopback port."""

import os
import re
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

import httpx

T = TypeVar("T")
NOTHING: Mapping[str, str] = {}

DEADLINE_SECONDS = 30
PAUSE_SECONDS = 0.02
"""Between two attempts: whoever asks without one takes the core that the server starts on."""
SERVE = (sys.executable, "-m", "serving")
QUICK = ("--workers", "1", "--grace-seconds", "0", "--deadline-ms", "10000")
"""One process that ends at once and waits for its model however busy the machine is; later flags win."""


class ServerProcess:
    """``python -m serving`` on a free loopback port; killed at the end of a ``with`` block, or with this object.

    So a test that fails leaves no server behind: pytest forgets the object, at the latest when Python ends.

    Attributes:
        process: the child.
        log_path: everything it wrote to stderr.
        url: where it listens.
        admin_url: where its admin port listens, or the empty string.

    Args:
        bundle: its folder, or ``models:/...`` as a string.
        ready: wait until a bundle answers, not only until the process listens.
        variables: of its environment, beside this one's without ``TILLSIDE_*``.
        patience: seconds that each wait may take.
        command: what is typed before the flags.
        folder: the working folder; this process's where None.
    """

    def __init__(
        self,
        bundle: Path | str,
        log_path: Path,
        *flags: str,
        ready: bool = True,
        variables: Mapping[str, str] = NOTHING,
        patience: float = DEADLINE_SECONDS,
        command: Sequence[str] = SERVE,
        folder: Path | None = None,
    ) -> None:
        self.patience = patience
        self.log_path = log_path
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TILLSIDE_")}
        environment.update(variables)
        source = ("--model", bundle) if isinstance(bundle, str) else ("--bundle", str(bundle))
        stay = () if ready else ("--without-bundle", "stay")
        with log_path.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*command, *source, "--port", "0", *QUICK, *stay, *flags],
                stderr=log,
                env=environment,
                cwd=folder,
            )
        weakref.finalize(self, _kill, self.process)
        self.url = self.wait_for(lambda: re.search(r"listening on (http[^ ,\"]+)", self.log))[1]
        admin = (
            self.wait_for(lambda: re.search(r"admin port on (http[^ ,\"]+)", self.log))
            if "--admin-port" in flags
            else None
        )
        self.admin_url = admin[1] if admin else ""
        if ready:
            self.wait_for(self.is_ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _kill(self.process)

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """Send SIGTERM, wait, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

    def is_ready(self) -> bool:
        """Whether the main port says so; of several workers the first has to start before anything is said."""
        return httpx.get(f"{self.url}/health/ready", timeout=self.patience).status_code == 200

    def wait_for(self, attempt: Callable[[], T]) -> T:
        """What ``attempt`` gives as soon as it gives something."""
        return wait_until(attempt, self.process, patience=self.patience, said=lambda: self.log)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def wait_until(
    attempt: Callable[[], T], process: subprocess.Popen[bytes], *, patience: float, said: Callable[[], str]
) -> T:
    """What ``attempt`` gives as soon as it gives something; a process that ends first, or takes too long, fails."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {said()}")
        if found := attempt():
            return found
        time.sleep(PAUSE_SECONDS)
    process.kill()
    raise AssertionError(f"the server is not up: {said()}")
