"""A Redis of a test's own, on a socket in its folder."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.server_process import DEADLINE_SECONDS, wait_until


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Its address; the test is skipped where no redis-server is installed."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("there is no redis-server here (apt-get install redis-server)")
    folder.mkdir(exist_ok=True)
    socket = folder / "redis.sock"
    socket.unlink(missing_ok=True)  # of one that was killed
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(socket.exists, process, patience=DEADLINE_SECONDS, said=(folder / "redis.log").read_text)
            yield f"unix://{socket}"
        finally:
            process.kill()
