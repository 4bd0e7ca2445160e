"""Servers under load, each a process of its own on a free port: ours, and the rivals over the same bundle."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from serving.bench.load import Read, read_answer

START_SECONDS: Final = 180
STOP_SECONDS: Final = 60
ADMIN_TOKEN: Final = "benchmark"
RIVALS: Final = ("torch-eager", "fastapi-onnx", "mlflow-serve")


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        path: where requests are posted.
        wrap: turns a body of ``POST /v1/recommend`` into this server's format.
        read: gives the tier and the degradation reason of an answer's body.
        admin: URL of the admin port, if it has one.
    """

    process: subprocess.Popen[bytes]
    url: str
    path: str = "/v1/recommend"
    wrap: Callable[[dict[str, Any]], dict[str, Any]] = dict
    read: Read = read_answer
    admin: str | None = None

    def children(self) -> list[int]:
        """Processes that its first one has started and that run: its workers, where it has some."""
        return children_of(self.process.pid)

    def cpu_seconds(self) -> float:
        """Processor time that the threads of its first process have used so far, to the nanosecond."""
        threads = Path("/proc", str(self.process.pid), "task").glob("*/schedstat")
        return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a GET; status 0 if nothing listens."""
        return ask(urllib.request.Request(self.url + path))

    def post_admin(self, path: str, document: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a POST to the admin port."""
        assert self.admin is not None
        headers = {"content-type": "application/json", "authorization": f"Bearer {ADMIN_TOKEN}"}
        return ask(urllib.request.Request(self.admin + path, json.dumps(document).encode(), headers))

    def delete_admin(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a DELETE to the admin port; status 0 if nothing listens."""
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        return ask(urllib.request.Request(f"{self.admin}{path}", headers=headers, method="DELETE"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)


def ask(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of a request's response, {} if the body is no object; status 0 without a response."""
    try:
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    except OSError:
        return 0, {}
    with contextlib.suppress(ValueError):
        document = json.loads(body)
        return status, document if isinstance(document, dict) else {}
    return status, {}


@contextlib.contextmanager
def tillside(
    bundle: Path,
    *,
    log: Path,
    flags: Sequence[str] = (),
    admin: bool = False,
    cores: set[int] | None = None,
    temporary: Path | None = None,
) -> Iterator[Server]:
    """``python -m serving`` over a bundle, ready; stopped at the end if it still runs.

    Args:
        admin: open an admin port.
        cores: CPU cores it may use; None for all.
        temporary: its folder of temporary files; None for the system's.
    """
    port, admin_port = free_port(), free_port()
    command = [sys.executable, "-m", "serving", "--bundle", str(bundle), "--port", str(port), *flags]
    command += ["--admin-port", str(admin_port)] if admin else []
    variables = {"TILLSIDE_ADMIN_TOKEN": ADMIN_TOKEN} if admin else {}
    variables |= {"TMPDIR": str(temporary)} if temporary else {}
    with _running(command, log=log, variables=variables, cores=cores) as process:
        admin_url = f"http://127.0.0.1:{admin_port}" if admin else None
        server = Server(process, f"http://127.0.0.1:{port}", admin=admin_url)
        _wait(server, "/health/ready", log)
        yield server


@contextlib.contextmanager
def collector(
    feedback: Path | str, *, log: Path, flags: Sequence[str] = (), cores: set[int] | None = None
) -> Iterator[Server]:
    """``python -m serving.collector`` into a folder (or a topic, a URL), ready; stopped at the end if it still runs."""
    port = free_port()
    command = [sys.executable, "-m", "serving.collector", "--feedback", str(feedback), "--port", str(port), *flags]
    with _running(command, log=log, variables={}, cores=cores) as process:
        server = Server(process, f"http://127.0.0.1:{port}", "/v1/events")
        _wait(server, "/health/ready", log)
        yield server


@contextlib.contextmanager
def rival(name: str, bundle: Path, *, log: Path, cores: set[int] | None = None) -> Iterator[Server]:
    """A rival over a synthetic bundle of benchmarks.bundles, ready; stopped at the end."""
    port = free_port()
    variables = {"RIVAL_BUNDLE": str(bundle), "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    path, ready, wrap, read = "/v1/recommend", "/health", dict, read_list
    if not bundle.with_name(f"{bundle.name}-mlflow").is_dir():
        subprocess.run([sys.executable, "-m", "benchmarks.rivals", str(bundle)], check=True)
    if name == "mlflow-serve":
        command = ["-m", "mlflow", "models", "serve", "--env-manager", "local", "--port", str(port)]
        command += ["--model-uri", str(bundle.with_name(f"{bundle.name}-mlflow").absolute())]
        variables["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # mlflow calls uvicorn by name
        path, ready, wrap, read = "/invocations", "/ping", _inputs, read_predictions
    else:
        module = {"torch-eager": "eager", "fastapi-onnx": "onnx_fastapi"}[name]
        variables["RIVAL_GRAPH"] = str(bundle.with_name(f"{bundle.name}-logits") / "model.onnx")
        command = ["-m", "uvicorn", f"benchmarks.rivals.{module}:app", "--port", str(port), "--no-access-log"]
    with _running([sys.executable, *command], log=log, variables=variables, cores=cores) as process:
        server = Server(process, f"http://127.0.0.1:{port}", path, wrap, read)
        _wait(server, ready, log)
        yield server


def _inputs(document: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": [document]}


def read_list(body: bytes) -> tuple[str, str]:
    """Tier and degradation reason of a rival's answer; rivals have one tier.

    Raises:
        ValueError: the answer holds no items.
    """
    if not json.loads(body).get("items"):
        raise ValueError("no items")
    return "model", ""


def read_predictions(body: bytes) -> tuple[str, str]:
    """Tier and degradation reason of an answer of ``mlflow models serve``.

    Raises:
        ValueError: the answer holds no items.
    """
    if not json.loads(body)["predictions"][0]["items"]:
        raise ValueError("no items")
    return "model", ""


def free_port() -> int:
    """A TCP port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(
    command: Sequence[str], *, log: Path, variables: Mapping[str, str], cores: set[int] | None
) -> Iterator[subprocess.Popen[bytes]]:
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TILLSIDE_")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment | dict(variables), start_new_session=True
        )
    if cores is not None:
        os.sched_setaffinity(process.pid, cores)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(server: Server, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        if server.get(path)[0] == 200:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server is not up: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def children_of(pid: int) -> list[int]:
    """Processes that a process has started and that run."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
