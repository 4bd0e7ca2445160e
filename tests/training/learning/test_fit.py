"""The trainer: how long a log is learned from, and what becomes of its best epoch."""

from training.learning.fit import TrainerConfig, plan


def test_batches_and_epochs_follow_from_the_size_of_the_log() -> None:
    """400 batches an epoch within bounds, 8 * (700,000 / targets) ** 0.4 epochs within bounds; what is given stays."""
    assert plan(700, TrainerConfig()) == (256, 60)  # 8 * 1000 ** 0.4 = 127, at most 60
    assert plan(7_000, TrainerConfig()) == (256, 50)  # 8 * 100 ** 0.4 = 8 * 6.310 = 50.5
    assert plan(700_000, TrainerConfig()) == (2048, 8)  # 700,000 / 400 = 1,750, nearest power of two 2,048
    assert plan(10**8, TrainerConfig()) == (2048, 3)
    assert plan(7_000, TrainerConfig(max_epochs=3, batch_events=64)) == (64, 3)


def test_a_warm_start_takes_a_third_of_the_epochs() -> None:
    assert plan(7_000, TrainerConfig(), warm=True)[1] == 17  # a third of 50
    assert plan(10**8, TrainerConfig(), warm=True)[1] == 2  # a third of 3 is 1, at least 2
    assert plan(7_000, TrainerConfig(max_epochs=5), warm=True)[1] == 5
