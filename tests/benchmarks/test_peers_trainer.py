"""The part of a peer's process that is ours: its clock, its search, its answers. A toy stands for the library."""

from typing import Any

import numpy as np
import pytest

from benchmarks.peers.curve import Curve
from benchmarks.peers.exchange import LIST_LENGTH, NO_ITEM, Rows, Task
from benchmarks.peers.options import Options, Settings
from benchmarks.peers.trainer import answer, best_items, validate


def rows(*given: list[int]) -> Rows:
    return Rows(np.array([item for row in given for item in row], np.int32), np.cumsum([0, *map(len, given)]))


class Clock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make_curve(clock: Clock, qualities: list[float], *, cost: float = 10.0, **given: Any) -> Curve:
    """A curve whose checks cost ``cost`` seconds and find the given MRRs, one after another."""
    found = iter(qualities)

    def measure() -> dict[str, float]:
        clock.now += cost
        return {"mrr@20": next(found), "recall@20": 0.5}

    options: dict[str, Any] = {"patience": 2, "check_seconds": 1e9, "deadline": 1e9} | given
    curve = Curve(measure=measure, keep=lambda: f"weights after {curve.steps} steps", clock=clock, **options)
    return curve


def epochs(curve: Curve, clock: Clock, *, count: int, batches: int = 2, seconds: float = 3.0) -> None:
    """Train: ``batches`` of 5 targets and 2 sequences an epoch, until told to stop."""
    curve.start()
    for _ in range(count):
        for _ in range(batches):
            clock.now += seconds
            if curve.after_batch(targets=5, sequences=2):
                return
        if curve.after_epoch():
            return


def test_the_training_clock_stands_still_in_validation() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.1, 0.2])
    epochs(curve, clock, count=2)
    # Two epochs of two batches of 3 s; two checks of 10 s.
    account = curve.account()
    assert (account["training_seconds"], account["validation_seconds"]) == (12, 20)
    assert [point["seconds"] for point in account["curve"]] == [6, 12]
    assert account["targets_per_second"] == pytest.approx(20 / 12)
    assert account["sequences_per_second"] == pytest.approx(8 / 12)


def test_patience_ends_training_and_the_best_weights_stay() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.1, 0.3, 0.2, 0.3, 0.9])
    epochs(curve, clock, count=9)
    curve.close()
    assert curve.stopped == "patience"
    assert [point["mrr@20"] for point in curve.points] == [0.1, 0.3, 0.2, 0.3], "equal is not better"
    assert curve.best_weights == "weights after 4 steps"


def test_patience_never_runs_out_before_an_epoch_ended() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.3, *[0.1] * 9], check_seconds=3.0)
    epochs(curve, clock, count=9, batches=5)
    # A check after each batch; the first is the best, two more would be enough, but the epoch has five batches.
    assert (curve.stopped, curve.steps, curve.best_weights) == ("patience", 6, "weights after 1 steps")


def test_long_epochs_are_checked_inside() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.1, 0.2, 0.3], check_seconds=6.0)
    epochs(curve, clock, count=1, batches=5)
    # 5 batches of 3 s: checks at 6 and 12 s, and at the epoch's end.
    assert [(point["seconds"], point["epoch"]) for point in curve.points] == [(6, 0), (12, 0), (15, 1)]


def test_a_check_that_falls_on_the_end_of_an_epoch_is_made_once() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.1], check_seconds=6.0)
    epochs(curve, clock, count=1, batches=2)
    assert len(curve.points) == 1


def test_the_budget_leaves_room_for_the_last_check_and_the_answers() -> None:
    clock = Clock()
    # Starts at 100. After the first epoch (6 s) and its check (10 s): 116. A last check and answers three times as
    # long as one want 40 s, so the batch that ends after 160 is the last: the 15th one, at 116 + 15 x 3 = 161.
    curve = make_curve(clock, [0.1, 0.2], deadline=200.0, test_share=3.0)
    curve.start()
    epochs_of_one = [2, 99]
    steps = 0
    for batches in epochs_of_one:
        for _ in range(batches):
            clock.now += 3.0
            steps += 1
            if curve.after_batch(targets=5, sequences=2):
                break
        if curve.stopped:
            break
        curve.after_epoch()
    curve.close()
    assert (curve.stopped, steps, len(curve.points)) == ("budget", 2 + 15, 2)


def test_an_epoch_that_was_broken_off_does_not_count() -> None:
    clock = Clock()
    curve = make_curve(clock, [0.1], deadline=104.0)
    curve.start()
    clock.now += 5.0
    assert curve.after_batch(targets=5, sequences=2)
    assert curve.after_epoch(), "the trainer ends its epoch all the same"
    curve.close()
    assert (curve.epoch, len(curve.points)) == (0, 1)


def test_speed_alone_is_measured_without_checks() -> None:
    clock = Clock()
    curve = Curve(measure=None, keep=lambda: None, patience=2, check_seconds=1.0, deadline=112.0, clock=clock)
    epochs(curve, clock, count=9)
    assert (curve.account()["targets"], curve.stopped, curve.points) == (25, "budget", [])


class Toy:
    """Counts which item follows which; ``rate`` below 1 forgets it all. Knows no item above 3."""

    def __init__(self, options: Options, settings: Settings, items: int) -> None:
        self.settings = settings
        self.follows_VV = np.zeros((items, items), np.float32)
        self.follows_VV[:, 4:] = -np.inf

    def fit(self, sessions: Rows, curve: Curve) -> None:
        curve.start()
        for _ in range(2):
            for row in range(len(sessions)):
                items = sessions[row]
                np.add.at(self.follows_VV, (items[:-1], items[1:]), self.settings.rate)
                if curve.after_batch(targets=len(items) - 1, sequences=1):
                    return
            if curve.after_epoch():
                return

    def weights(self) -> Any:
        return self.follows_VV.copy()

    def restore(self, weights: Any) -> None:
        self.follows_VV = weights

    def score(self, prefixes: list[Any]) -> Any:
        return self.follows_VV[[prefix[-1] for prefix in prefixes]]


def make_task(**options: Any) -> Task:
    """0 is followed by 1 twice and by 2 once; 1 by 3."""
    given: dict[str, Any] = {
        "system": "toy", "budget_seconds": 60.0, "dim": 2, "layers": 1, "heads": 1, "length": 5, "batch": 1,
        "threads": 1, "seed": 0, "patience": 3, "trials": 2, "clock": "wall", "speed_only": False,
        "repeats": True,
    }  # fmt: skip
    return Task(
        items=6,
        train=rows([0, 1], [0, 1, 3], [1, 3], [0, 2]),
        validation=rows([5, 0], [], [0]),
        targets_C=np.array([2, 1, 5]),
        fallback_ranks_C=np.array([0, 4, 0]),
        test=rows([2, 0], []),
        options=given | options,
    )


def trained() -> Toy:
    toy = Toy(None, Settings("count", 0.0, 1.0, 1), 6)  # type: ignore[arg-type]
    toy.follows_VV[0, [1, 2]] = 2, 1
    return toy


def test_validation_is_over_all_its_cases() -> None:
    # Item 2 after 0: rank 2. The empty prefix: popularity's rank 4. Item 5 is unknown to the toy: behind all 6.
    found = validate(trained(), make_task(), np.arange(3))
    assert found == {"mrr@20": pytest.approx((1 / 2 + 1 / 4 + 1 / 6) / 3), "recall@20": 1.0}


def test_lists_name_known_items_best_first_and_leave_empty_prefixes_to_us() -> None:
    lists_CK = best_items(trained(), make_task())
    assert lists_CK.shape == (2, LIST_LENGTH)
    assert lists_CK[0, :5].tolist() == [1, 2, 0, 3, NO_ITEM], "ties in catalogue order"
    assert (lists_CK[1] == NO_ITEM).all()


def test_where_repeats_are_rare_no_list_names_what_the_prefix_holds() -> None:
    lists_CK = best_items(trained(), make_task(repeats=False))
    assert lists_CK[0, :3].tolist() == [1, 3, NO_ITEM]  # the prefix is 2, 0
    # the prefixes [5, 0] and [0]: item 2 is behind 1 alone still, and item 5 is unknown
    found = validate(trained(), make_task(repeats=False), np.array([0, 2]))
    assert found["mrr@20"] == pytest.approx((1 / 2 + 1 / 6) / 2)
    task = make_task(repeats=False)
    task.targets_C[2] = 0
    assert validate(trained(), task, np.array([2]))["mrr@20"] == pytest.approx(1 / 6)  # what it holds is never found


def test_the_search_lends_its_best_settings_to_the_training() -> None:
    bad, good = Settings("count", 0.0, -1.0, 1), Settings("count", 0.0, 1.0, 1)
    lists_CK, account = answer(make_task(), make=Toy, grid=[bad, good])
    assert [trial["settings"]["rate"] for trial in account["trials"]] == [-1.0, 1.0]
    assert account["settings"]["rate"] == 1.0
    assert lists_CK is not None
    assert lists_CK[0, :2].tolist() == [1, 2]
    # A trial learns from the newest quarter, the session [0, 2], which puts item 2 first or last among the known ones.
    # Five targets an epoch, two epochs, and a check after each.
    assert (account["targets"], [point["targets"] for point in account["curve"]]) == (10, [5, 10])


@pytest.mark.parametrize(
    "given", [{"trials": 0}, {"settings": {"loss": "count", "dropout": 0.0, "rate": 1.0, "negatives": 1}}]
)
def test_no_search_where_none_is_wanted(given: dict[str, Any]) -> None:
    _, account = answer(make_task(**given), make=Toy, grid=[Settings("count", 0.0, 1.0, 1)])
    assert account["trials"] == []


def test_speed_only_answers_nothing() -> None:
    lists_CK, account = answer(make_task(speed_only=True), make=Toy, grid=[Settings("count", 0.0, 1.0, 1)])
    assert lists_CK is None
    assert (account["targets"], account["trials"], account["curve"]) == (10, [], [])
