"""``mlflow server`` on a loopback port, with a store and artifacts of its own, that can be killed and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.servers import START_SECONDS, ask, free_port
from training.tracking.store import TrackingConfig, open_store


class TrackingServer:
    """A server that answers, until it is killed.

    Args:
        folder: for the store, the artifacts and what the server says.
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
        """Start it, again perhaps, and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # processes that nothing here asks
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
        """Processor seconds so far of the server and the processes that it started."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended
                fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()  # from the third field, its state
                if int(fields[2]) == self.process.pid:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it and the processes that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
