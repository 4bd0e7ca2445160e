"""A tiny bundle, and a real server process over it, once per test session."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.bundles import loading
from tests.bundles import tiny_bundle
from tests.serving.server_process import DEADLINE_SECONDS, ServerProcess


@pytest.fixture(scope="session", autouse=True)
def nothing_is_frozen() -> Iterator[None]:
    """A load in the tests' own process does not look through all its objects, which are ten times a server's; the tests
    of freezing undo this, and servers are processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_freeze", lambda: None)
        yield


@pytest.fixture(scope="session")
def orchard(tmp_path_factory) -> Path:
    """The tiny bundle."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "orchard")


@pytest.fixture(scope="session")
def running(orchard, tmp_path_factory) -> Iterator[ServerProcess]:
    """A server that answers from the tiny bundle."""
    server = ServerProcess(orchard, tmp_path_factory.mktemp("server") / "log", "--max-body-bytes", "65536")
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def client(running) -> Iterator[httpx.Client]:
    """A client of the running server."""
    with httpx.Client(base_url=running.url, timeout=DEADLINE_SECONDS) as client:
        yield client
