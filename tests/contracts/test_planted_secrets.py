"""A secret that is planted wherever one can be given comes out nowhere: prints, logs, answers, files.

What MLflow is sent is searched in tests/training/tracking/test_tracker.py.
"""

import importlib
import sys
from pathlib import Path

import httpx
import pytest

from tests.datasets import make_dataset
from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.slow

PLANTED = "PLANTED-secret"
AWAY = f"http://ana:{PLANTED}@127.0.0.1:9"
"""Nobody listens there."""
COMMANDS = [
    ("prepare", ["data=events", f"data.path=https://ana:{PLANTED}@host/log.csv", "out=out"]),
    ("train", ["dataset=dataset", "trainer=quick", f"tracking.uri={AWAY}"]),
    ("train", ["resume=strange"]),
    ("promote", ["version=1", "tracking.model=shop"]),
]


@pytest.mark.parametrize(("name", "arguments"), COMMANDS, ids=lambda value: value if isinstance(value, str) else "")
def test_no_command_tells_a_secret(tmp_path, monkeypatch, capfd, name, arguments):
    make_dataset(tmp_path / "dataset", train=[[0, 1]] * 4, trained=2)
    strange = tmp_path / "runs" / "strange"
    strange.mkdir(parents=True)
    (strange / "config.yaml").write_text("dataset: ${oc.env:SHOP_PASSWORD}\n")
    (strange / "resume.ckpt").write_bytes(b"")
    monkeypatch.setenv("SHOP_PASSWORD", PLANTED)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"training.{name}", *arguments])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"training.{name}").main()
    said = capfd.readouterr()
    assert ended.value.code == 2, said.err
    assert said.err
    assert PLANTED not in said.out + said.err
    assert [path for path in _files(tmp_path) if PLANTED.encode() in path.read_bytes()] == []


def test_the_server_tells_no_secret(tmp_path):
    """The registry is away; its address, two tokens and the address of a state hold the secret."""
    variables = {
        "MLFLOW_TRACKING_URI": AWAY,
        "TILLSIDE_TOKEN": f"main-{PLANTED}",
        "TILLSIDE_ADMIN_TOKEN": f"admin-{PLANTED}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    flags = ("--admin-port", "0", "--cache", str(tmp_path / "cache"))
    given = {"ready": False, "variables": variables, "patience": 120}
    with ServerProcess("models:/shop@champion", tmp_path / "log", *flags, **given) as server:
        server.wait_for(lambda: "bundle refused" in server.log)
        authorised = {"authorization": f"Bearer admin-{PLANTED}"}
        said = [
            httpx.get(f"{base}{path}", headers=headers).text
            for base in (server.url, server.admin_url)
            for path in ("/health/ready", "/v1/model", "/metrics", "/openapi.json", "/v1/merchandising")
            for headers in ({}, authorised, {"authorization": "Bearer main-wrong"})
        ]
        ready = httpx.get(f"{server.admin_url}/health/ready").json()["detail"]
    assert "cannot be fetched from http://127.0.0.1:9" in ready  # why it is not ready, to those who may know
    assert PLANTED not in "\n".join([*said, server.log])


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "config.yaml"]
