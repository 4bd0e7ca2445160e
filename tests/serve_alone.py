"""Run by .ci/run in an environment that holds the wheel with the ``serve`` extra and nothing else.

Starts ``python -m serving`` on a bundle, asks it one question over HTTP, and fails when torch can be imported.
"""

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ABSENT = ("torch", "pytorch_lightning", "hydra", "mlflow", "onnx", "pandas", "duckdb", "pytest")


def main(bundle: str) -> None:
    """Start, ask, stop."""
    present = [name for name in ABSENT if importlib.util.find_spec(name) is not None]
    if present:
        sys.exit(f"the serve extra alone must not bring {', '.join(present)}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving", "--bundle", bundle, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--grace-seconds", "0"]
    server = subprocess.Popen(command)
    try:
        _wait(f"http://127.0.0.1:{port}/health/ready", server)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/recommend",
            data=json.dumps({"session": [], "k": 3}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        if not answer["items"]:
            sys.exit(f"no items in {answer}")
        print(f"the wheel with serve alone answered {len(answer['items'])} items; absent: {', '.join(ABSENT)}")
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
    if code != 0:
        sys.exit(f"the server ended with {code} after SIGTERM")


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    sys.exit("the server did not become ready")


if __name__ == "__main__":
    main(sys.argv[1])
