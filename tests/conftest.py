"""For all tests: hypothesis looks for wrong answers, not for slow ones, since the machine may be busy; runs go to no
store of the user's; and a run of the tests leaves the checkout as it was."""

import functools
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator

import httpx._transports.default as transports
import pytest
from hypothesis import settings

from tests import checkout

settings.register_profile("tillside", deadline=None)
settings.load_profile("tillside")
gc.disable()  # until all test files are imported


ONE_PYTHON = ("benchmarks", "contracts", "docs")
"""Folders whose tests no other Python needs: of files, of the whole way, of the machine's speed."""


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first, so that no process is left with one of them when the others have ended; those of
    ONE_PYTHON count as slow."""
    for item in items:
        if item.path.relative_to(checkout.ROOT / "tests").parts[0] in ONE_PYTHON:
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What the imports of all test files have made, half a million objects, is not searched for garbage any more: that
    took a fifth of the processor time of the quick tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


CACHE = "TILLSIDE_CACHE"
"""Where traced graphs and the tables of MLflow's store are kept."""


def pytest_configure(config: pytest.Config) -> None:
    """A run of the tests traces each architecture once and makes MLflow's tables once, whichever of its processes needs
    them first, and takes nothing from what the machine's user has kept."""
    if not hasattr(config, "workerinput"):
        os.environ[CACHE] = tempfile.mkdtemp(prefix="tillside-cache-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(CACHE), ignore_errors=True)


STORES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
"""Where they are set, MLflow goes there, whatever folder of its own a test gives."""


@pytest.fixture(scope="session", autouse=True)
def clean_checkout() -> Iterator[None]:
    """The run fails at its end if anything in the checkout is new, changed or gone, ignored by git or not."""
    before = checkout.entries_of(checkout.ROOT)
    yield
    changed = checkout.changes(before, checkout.entries_of(checkout.ROOT))
    if changed:
        pytest.fail("\n".join(["The tests (or somebody meanwhile) changed the checkout:", *changed]), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def no_store_of_the_user() -> Iterator[None]:
    """Whoever runs the tests with a tracking server set does not find their runs there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in STORES:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """httpx reads the authorities' certificates for every client and every single request, some 15 ms of processor
    time; the servers of the tests speak no TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transports, "create_ssl_context", functools.cache(transports.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread_for_all() -> Iterator[None]:
    """Numbers do not depend on how many cores stood idle; a test about threads sets them itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(autouse=True)
def no_store_for_the_next_test() -> Iterator[None]:
    """A test that leaves MLflow pointed at a store fails, rather than the next ones writing there.

    ``mlflow.set_tracking_uri`` sets the environment too, and keeps it until it is given None.
    """
    yield
    left = {name: os.environ.pop(name) for name in STORES if name in os.environ}
    assert not left, f"this test leaves the next ones {left}"
