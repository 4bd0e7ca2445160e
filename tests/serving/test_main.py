"""The command as an operator meets it: a clean stop, one sentence when it cannot start, a quiet log."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from unittest.mock import Mock

import httpx
import pytest

from serving.__main__ import run as run_server
from serving.settings import parse_settings
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serving", *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        chunk = connection.recv(65536)
        assert chunk, f"the connection ended after {received!r}"
        received += chunk
    return received


def test_sigterm_lets_the_request_in_flight_finish_and_exits_0(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log")
    body = b'{"session": []}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(
            b"POST /v1/recommend HTTP/1.1\r\nhost: server\r\ncontent-type: application/json\r\n"
            b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100")  # the handler waits for the body
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{server.url}/health/live")
            except httpx.ConnectError:
                break
        connection.sendall(body)
        assert read_until(connection, b'"bundle"').startswith(b"HTTP/1.1 200")
    assert server.process.wait(DEADLINE_SECONDS) == 0
    assert "Traceback" not in server.log


def test_the_log_holds_no_item_ids(orchard, tmp_path):
    server = ServerProcess(orchard, tmp_path / "log")
    for item_id in ("pear", "secret-item", "x" * 300):
        httpx.post(f"{server.url}/v1/recommend", json={"session": [{"item_id": item_id}]})
    assert server.stop() == 0
    assert not [word for word in ("pear", "secret", "xxx") if word in server.log]


def test_without_a_valid_bundle_it_lives_answers_and_takes_the_next_one(orchard, tmp_path):
    """Today's link leads nowhere; tomorrow's leads to a bundle, and SIGHUP follows it."""
    (tmp_path / "static").write_text("first\n\nsecond\nfirst\n")
    link = tmp_path / "link"
    server = ServerProcess(link, tmp_path / "log", "--static", str(tmp_path / "static"), ready=False)
    server.wait_for(lambda: "bundle refused" in server.log)
    assert httpx.get(f"{server.url}/health/live").status_code == 200
    ready = httpx.get(f"{server.url}/health/ready")
    assert ready.status_code == 503
    assert f"{link} is not a bundle" in server.log
    assert str(link) not in ready.text  # whoever may ask need not know where things lie
    answer = httpx.post(f"{server.url}/v1/recommend", json={"session": []}).json()
    assert (answer["tier"], answer["degraded_reason"]) == ("static", "not_ready")
    assert [item["item_id"] for item in answer["items"]] == ["first", "second"]
    assert answer["hint"] == "no bundle is loaded; GET /health/ready says why"
    assert "every answer is not_ready" in server.log
    link.symlink_to(orchard)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for(server.is_ready)
    assert httpx.post(f"{server.url}/v1/recommend", json={"session": []}).json()["tier"] == "popularity"
    assert server.stop() == 0
    assert "Traceback" not in server.log


@pytest.mark.parametrize(
    ("text", "sentence"), [(None, "cannot be read"), ("\n \n", "holds none"), ("x" * 300, "at most 256")]
)
def test_a_static_list_that_is_none(orchard, tmp_path, text, sentence):
    static = tmp_path / "static"
    if text is not None:
        static.write_text(text)
    ended = run("--bundle", str(orchard), "--port", "0", "--static", str(static))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: static list {static}")
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_that_is_taken(orchard):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--bundle", str(orchard), "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: cannot listen on 127.0.0.1:")
    assert ended.stderr.endswith(
        "another process listens there; stop it, or give another --port, or 0 for any free one\n"
    )
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "flags", "sentence"),
    [
        (
            OSError(errno.EACCES, "Permission denied"),
            ["--port", "80"],
            "127.0.0.1:80: this user may not open port 80; give a --port",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name unknown"),
            ["--host", "shop"],
            "shop:8080: --host must be an address",
        ),
        (OSError(errno.EADDRNOTAVAIL, "No"), ["--host", "9.9.9.9"], "9.9.9.9:8080: --host must be an address"),
        (OSError(errno.EMFILE, "Too many open files"), [], "127.0.0.1:8080: Too many open files"),
    ],
)
def test_why_a_port_cannot_be_listened_on(error, flags, sentence, monkeypatch, capsys):
    monkeypatch.setattr("serving.http.server.listen", Mock(side_effect=error))
    with pytest.raises(SystemExit) as caught:
        run_server(parse_settings(["--bundle", "b", *flags], {}))
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: cannot listen on {sentence}")


def test_nothing_is_written_and_no_telemetry_is_kept(orchard, tmp_path, monkeypatch):
    """ONNX Runtime's wheels keep a device id in the home folder unless they are told not to."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert "ORT_DISABLE_TELEMETRY" not in os.environ
    before = sorted(path.name for path in orchard.rglob("*"))
    assert ServerProcess(orchard, tmp_path / "log").stop() == 0
    assert list(home.iterdir()) == []
    assert sorted(path.name for path in orchard.rglob("*")) == before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_first_bundle_that_is_missing_is_told_in_one_line_and_ends_the_server(tmp_path, workers):
    done = run("--bundle", str(tmp_path / "none"), "--port", "0", "--workers", workers, "--grace-seconds", "0")
    assert done.returncode == 2
    (plain,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert plain.startswith(f"error: {tmp_path / 'none'} is not a bundle")
    assert "--without-bundle stay" in plain
