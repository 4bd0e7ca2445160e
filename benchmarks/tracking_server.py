"""``mlflow server`` on a loopback port, with its own store and artifacts, that can be killed and restarted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.servers import START_SECONDS, ask, free_port
from training.settings.tracking import TrackingConfig
from training.tracking.store import open_store


class TrackingServer:
    """A running server, until it is killed.

    Args:
        folder: for the store, the artifacts and the server's log.
    """

    def __init__(self, folder: Path) -> None:
        self.log = folder / "mlflow.log"
        store = open_store(TrackingConfig(runs=str(folder / "store")))[1]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        self._command += ["--workers", "1", "--backend-store-uri", store]
        self._command += ["--artifacts-destination", str(folder / "kept")]
        self.start()

    def start(self) -> None:
        """Start or restart the server, and wait until it answers.

        Raises:
            RuntimeError: it exits, or does not answer in time.
        """
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # no processes for unused jobs
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True, env=environment
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if ask(urllib.request.Request(f"{self.url}/health"))[0] == 200:
                return
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the server is not up: {self.log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def cpu_seconds(self) -> float:
        """CPU seconds so far of the server's process group."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # the process has ended
                fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()  # from the third field, the state
                if int(fields[2]) == self.process.pid:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Kill the server's process group (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
