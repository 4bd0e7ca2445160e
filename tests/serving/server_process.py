"""A real server for tests: ``python -m serving`` in a process of its own, on a free loopback port."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

DEADLINE_SECONDS = 30


class ServerProcess:
    """``python -m serving`` on a free loopback port.

    Attributes:
        process: the child.
        log_path: everything it wrote to stderr.
        url: where it listens.
    """

    def __init__(self, bundle: Path, log_path: Path, *flags: str) -> None:
        self.log_path = log_path
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TILLSIDE_")}
        with log_path.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving", "--bundle", str(bundle), "--port", "0", *flags],
                stderr=log,
                env=environment,
            )
        self.url = self._poll(lambda: (found := re.search(r"listening on (http\S+)", self.log)) and found[1])
        self._poll(self._is_ready)

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

    def _is_ready(self) -> bool:
        return httpx.get(f"{self.url}/health/ready").status_code == 200

    def _poll(self, attempt):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.log}")
            if found := attempt():
                return found
        self.process.kill()
        raise AssertionError(f"the server is not up: {self.log}")
