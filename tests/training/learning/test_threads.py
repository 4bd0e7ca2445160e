"""More threads only where they bring something, and never at the price of a run that cannot be repeated."""

from typing import Any

import pytest
import torch

from tests.datasets import make_dataset, random_rows
from training.learning import threads
from training.learning.threads import choose_threads, worthwhile
from training.learning.training_setup import TrainingSetup
from training.settings.model import ModelConfig
from training.settings.train import TrainConfig
from training.settings.trainer import TrainerConfig

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("seconds", "most", "chosen"),
    [
        ({1: 1.0, 2: 0.9}, 2, 1),  # 1 / .9 = 1.11, less than 1.25
        ({1: 1.0, 2: 0.8}, 2, 2),  # 1.25
        ({1: 1.0, 2: 9.0}, 2, 1),  # beside a neighbour
        ({1: 1.0, 2: 0.6, 4: 0.5}, 8, 2),  # four bring 1.2: eight are not tried
        ({1: 1.0, 2: 0.6, 3: 0.4}, 3, 3),
        ({1: 1.0}, 1, 1),
    ],
)
def test_twice_as_many_threads_must_be_a_quarter_faster(seconds, most, chosen):
    assert worthwhile(seconds.__getitem__, most=most) == chosen


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight usable cores, and a user who says nothing of threads."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "usable_cores", lambda: 8)
    monkeypatch.setattr(threads, "idle_cores", lambda: 8)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(threads, "_timed_steps", lambda *_: {1: 1.0, 2: 0.5, 4: 0.4, 8: 0.4}.__getitem__)


def chosen(**trainer: Any) -> int:
    module: Any = None
    return choose_threads(TrainerConfig(**trainer), module, module)


@pytest.mark.usefixtures("free")
def test_of_eight_idle_cores_as_many_as_bring_something(monkeypatch):
    assert chosen() == 4  # 1 / .5 = 2 and .5 / .4 = 1.25, but .4 / .4 = 1
    monkeypatch.setattr(threads, "idle_cores", lambda: 1)
    assert chosen() == 1


@pytest.mark.usefixtures("free")
def test_the_config_wins_over_the_environment_and_both_over_the_machine(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert chosen() == 3
    assert chosen(threads=5) == 5
    with pytest.raises(ValueError, match=r"trainer\.threads must be at least 1, got 0"):
        TrainerConfig(threads=0)


@pytest.mark.usefixtures("free")
def test_processes_of_one_machine_divide_its_cores_and_a_gpu_leaves_them_all():
    assert chosen(devices=3) == 2
    assert chosen(devices=2, nodes=2) == 4
    assert chosen(devices=16) == 1
    assert chosen(accelerator="gpu") == 8


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    rows = {
        part: random_rows(size, items=6, seed=size) for part, size in (("train", 40), ("validation", 20), ("test", 4))
    }
    return make_dataset(tmp_path_factory.mktemp("threads") / "d", trained=6, **rows)


def setup_of(dataset, **trainer: Any) -> TrainingSetup:
    model = ModelConfig(dim=8, layers=1, heads=2, max_length=8)
    settings = TrainerConfig(max_epochs=1, batch_events=64, progress_bar=False, **trainer)
    return TrainingSetup.prepare(TrainConfig(model=model, trainer=settings), dataset)


def test_the_choice_is_kept_with_the_run_and_in_force(dataset):
    assert setup_of(dataset).config.trainer.threads == 1  # of the tests' OMP_NUM_THREADS
    setup = setup_of(dataset, threads=2)
    assert setup.config.trainer.threads == torch.get_num_threads() == 2


def test_trying_out_changes_neither_weights_nor_random_numbers_nor_threads(dataset):
    setup = setup_of(dataset)
    weights = {name: value.clone() for name, value in setup.module.state_dict().items()}
    random, mode = torch.get_rng_state(), setup.module.training
    seconds = threads._timed_steps(setup.config.trainer, setup.module, setup.data)
    assert seconds(1) > 0
    assert seconds(2) > 0
    assert torch.get_num_threads() == 1
    assert torch.equal(random, torch.get_rng_state())
    assert setup.module.training is mode
    assert all(parameter.grad is None for parameter in setup.module.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in setup.module.state_dict().items())
