"""What tests that train in their own process share."""

from collections.abc import Iterator

import pytest
import torch

from tests.figures import figures_left_out


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numbers do not depend on the machine's cores, and runs go to no store but the test's own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def without_figures() -> Iterator[None]:
    """Runs are not drawn."""
    with figures_left_out():
        yield


@pytest.fixture(scope="module")
def module_without_figures() -> Iterator[None]:
    """The same for all of a module, its own fixtures too."""
    with figures_left_out():
        yield
